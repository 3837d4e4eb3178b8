#pragma once
#include <sys/vfs.h>

// Swift's Glibc has no statfs. Returns 0 if the path cannot be read.
static inline unsigned long qc_filesystem_type(const char *path) {
  struct statfs answer;
  return statfs(path, &answer) == 0 ? (unsigned long)answer.f_type & 0xFFFFFFFFUL : 0;
}
