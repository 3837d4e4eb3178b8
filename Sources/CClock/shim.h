#pragma once
#include <sys/timex.h>

// Swift's Glibc has no adjtimex. Answers whether something keeps the machine's clock right; 1 where nobody says.
static inline int qc_clock_is_synchronized(void) {
  struct timex state = {0};
  return adjtimex(&state) < 0 || !(state.status & STA_UNSYNC);
}
