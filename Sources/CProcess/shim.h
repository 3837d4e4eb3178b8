#pragma once
#include <sys/prctl.h>

// Swift imports no functions with variable arguments.

// Lets no core be dumped of this process, and no other process of its user read its memory (prctl(2)).
static inline int qc_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
