/// What one camera's copying has counted since the process began.
struct CopyCounters: Hashable, Sendable {
  var written: Int64 = 0
  var writtenBytes: Int64 = 0
  var removed: Int64 = 0
  var failures: Int64 = 0
  /// Segments that were never written, because their time was over before the bucket took them.
  var skipped: Int64 = 0
}
