#pragma once
#include <stddef.h>

// Files that are carried within the program: pages and what they load.
struct qc_web_file {
  // The path of the file, seen from this target's folder.
  const char *path;
  const unsigned char *bytes;
  size_t count;
};

// The file at an index; NULL behind the last one.
const struct qc_web_file *qc_web_file_at(size_t index);
