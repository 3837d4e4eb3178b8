#pragma once
#include <zlib.h>

// deflateInit2 is a macro that passes the version and the size of the struct; Swift does not import such macros.
static inline int qc_deflate_init_gzip(z_stream *stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
}

// The same for inflateInit2; accepts only gzip members.
static inline int qc_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
