#pragma once
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

// Processor times, in nanoseconds. In C, because Swift finds these structures in another module where NIO is imported
// too, and then cannot see their fields.

// That of the calling thread.
static inline int64_t qc_thread_nanoseconds(void) {
  struct timespec time = {0};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline int64_t qc_used_nanoseconds(int whose) {
  struct rusage usage = {0};
  getrusage(whose, &usage);
  return ((int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
          usage.ru_stime.tv_usec) * 1000;
}

// That of this process, to the microsecond.
static inline int64_t qc_process_nanoseconds(void) { return qc_used_nanoseconds(RUSAGE_SELF); }

// That of all child processes that have ended, to the microsecond.
static inline int64_t qc_children_nanoseconds(void) { return qc_used_nanoseconds(RUSAGE_CHILDREN); }
