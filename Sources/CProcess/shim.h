#pragma once
#include <sys/prctl.h>

// Swift imports no functions with variable arguments.

// Lets no core be dumped of this process, and no other process of its user read its memory (prctl(2)).
static inline int qc_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// Lets this process have pages of the ordinary size only (prctl(2), since Linux 3.15).
static inline int qc_forbid_huge_pages(void) { return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); }
