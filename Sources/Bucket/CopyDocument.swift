import NIOCore

/// An object that is replaced and lists others: what it may list at this moment, whatever became of the requests that
/// wrote it.
struct CopyDocument: Sendable {
  /// Whether a request that writes or removes it is on its way.
  private(set) var isBusy = false
  /// The files that it may list: those of each version that may be in the bucket.
  private(set) var mayList: Set<String> = []
  /// What it is known to list; `nil` if that is not known, or if it is not there.
  private(set) var published: [String]?
  private var coming: [String]?

  /// What it needs besides the files that it lists.
  private var comingBesides: [String] = []

  /// Takes what an earlier process may have written.
  ///
  /// - Parameters:
  ///   - names: the files that it may list.
  ///   - published: what it lists, if that is known.
  mutating func found(mayList names: Set<String>, published: [String]?) {
    (mayList, self.published) = (names, published)
  }

  /// Notes that a version that lists these files is being written; `nil` for none, as it is being removed.
  ///
  /// - Parameter besides: files that it needs and that are not counted as listed.
  mutating func begin(_ names: [String]?, besides: [String] = []) {
    (isBusy, coming, comingBesides) = (true, names, besides)
    mayList.formUnion((names ?? []) + besides)
  }

  /// Notes what became of it. A version whose writing failed may be there all the same.
  mutating func finish(isDone: Bool) {
    isBusy = false
    published = isDone ? coming : nil
    if isDone { mayList = Set((coming ?? []) + comingBesides) }
  }
}
