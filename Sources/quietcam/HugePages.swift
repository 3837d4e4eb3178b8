import CProcess

/// Huge pages: memory that the system gives 2 MiB at a time.
enum HugePages {
  /// Forbids them. libx264 asks for them for each of its pictures, and the rest of the last one is never used: a third of
  /// a MiB a camera at 640x480. Where the system gives them to all who do not ask, it is more.
  static func forbid() { _ = qc_forbid_huge_pages() }
}
