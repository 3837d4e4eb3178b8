#pragma once

// From now on, whatever any part of this process frees is overwritten with zeros before it can be used again.
//
// Returns whether it is: not with another C library than glibc, and not under a sanitizer, which has an allocator of its
// own.
int qc_overwrite_freed_memory(void);
