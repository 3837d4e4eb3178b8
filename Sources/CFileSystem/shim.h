#pragma once
#include <sys/vfs.h>

// Swift's Glibc has no statfs. Answers 0 where the path cannot be looked at.
static inline unsigned long qc_filesystem_type(const char *path) {
  struct statfs answer;
  return statfs(path, &answer) == 0 ? (unsigned long)answer.f_type & 0xFFFFFFFFUL : 0;
}
