#define _GNU_SOURCE
#include "memory_overwriting.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define QC_HAS_OTHER_ALLOCATOR 1
#endif
#endif

#if defined(__GLIBC__) && !defined(QC_HAS_OTHER_ALLOCATOR)

// A program may bring functions of these names, which the libraries that it loads then use too (glibc manual, "Replacing
// malloc"). All of them are here, so that no other allocator comes between: memory is always glibc's own.
//
// glibc can overwrite what is freed by itself (M_PERTURB), but also fills what is allocated: with x264 that takes 23 MB
// more for each camera, which nobody ever uses.

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void *__libc_valloc(size_t);
extern void *__libc_pvalloc(size_t);
extern void __libc_free(void *);

static atomic_bool overwrites;

int qc_overwrite_freed_memory(void) {
  // Large blocks, such as pictures, always have a mapping of their own, which returns to the system when they are freed.
  // Otherwise glibc would stop that for blocks of up to 32 MB with the first one that is freed.
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  // By itself glibc gives nearly each thread a heap of its own, and each of them keeps some memory that nobody uses.
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  mallopt(M_ARENA_MAX, processors < 2 ? 2 : (int)processors);
  atomic_store_explicit(&overwrites, 1, memory_order_relaxed);
  return 1;
}

// The word before a block has its size in multiples of 16 and three flags below (malloc/malloc.c, "malloc_chunk").
// Blocks of a mapping of their own have the second flag: their pages return to the system at once, which clears them.
static size_t head_of(void *block) { return ((size_t *)block)[-1]; }
static int is_mapped(void *block) { return (head_of(block) & 2) != 0; }
static size_t size_of(void *block) { return (head_of(block) & ~(size_t)7) - sizeof(size_t); }

static int is_overwritten(void *block) {
  return atomic_load_explicit(&overwrites, memory_order_relaxed) && !is_mapped(block);
}

void free(void *block) {
  if (block && is_overwritten(block)) explicit_bzero(block, size_of(block));
  __libc_free(block);
}

void *realloc(void *block, size_t size) {
  if (!block || !size || !is_overwritten(block)) return __libc_realloc(block, size);
  size_t before = size_of(block);
  if (size <= before) {
    explicit_bzero((char *)block + size, before - size);
    return __libc_realloc(block, size);
  }
  // glibc would free the old block by itself, as it is.
  void *larger = __libc_malloc(size);
  if (!larger) return NULL;
  memcpy(larger, block, before);
  free(block);
  return larger;
}

void *malloc(size_t size) { return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return __libc_calloc(count, size); }
void *memalign(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }
void *valloc(size_t size) { return __libc_valloc(size); }
void *pvalloc(size_t size) { return __libc_pvalloc(size); }
void cfree(void *block) { free(block); }

size_t malloc_usable_size(void *block) {
  if (!block) return 0;
  return size_of(block) - (is_mapped(block) ? sizeof(size_t) : 0);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  int before = errno;
  void *made = __libc_memalign(alignment, size);
  errno = before;
  if (!made) return ENOMEM;
  *block = made;
  return 0;
}

#else

int qc_overwrite_freed_memory(void) { return 0; }

#endif
