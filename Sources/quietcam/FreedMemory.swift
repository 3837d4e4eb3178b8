import CMemory

/// The memory that this process frees.
enum FreedMemory {
  /// From now on it is overwritten at once, so that nothing of a withdrawn picture stays there until the memory is used
  /// again.
  ///
  /// - Returns: `false` where that is not possible: with another C library than glibc, or under a sanitizer.
  @discardableResult static func overwrite() -> Bool { qc_overwrite_freed_memory() != 0 }
}
