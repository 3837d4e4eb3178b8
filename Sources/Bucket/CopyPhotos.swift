import Media
import Packager
import Station

/// The photos of one camera that are in the bucket or are owed to it, and their list.
struct CopyPhotos: Sendable {
  /// How far apart the versions of the list are.
  private static let pause = Ticks.seconds(1)

  /// Those that are kept, newest first.
  private(set) var kept: [(name: PhotoName, bytes: Int)] = []
  private(set) var list = CopyDocument()
  private var written = Ticks(Int64.min / 2)

  /// The names of those that are kept.
  var names: Set<String> { Set(kept.map { "\($0.name)" }) }

  /// How many bytes a photo has; 0 for one that is not kept.
  func bytes(of photo: PhotoName) -> Int { kept.first { $0.name == photo }?.bytes ?? 0 }

  /// How many requests are owed.
  func waiting(_ objects: CopyObjects) -> Int {
    kept.count { !objects.isThere("\($0.name)") } + (isListOwed(objects) ? 1 : 0)
  }

  /// When the list can be written, if it differs from the one in the bucket.
  func deadline(_ objects: CopyObjects) -> Ticks? {
    listable(objects) != list.published ? written + Self.pause : nil
  }

  // MARK: What comes

  mutating func keep(_ photos: [(name: PhotoName, bytes: Int)]) { kept = photos }

  mutating func remove(_ photo: PhotoName) { kept.removeAll { $0.name == photo } }

  mutating func clear() { kept.removeAll() }

  /// Takes what an earlier process may have written.
  mutating func found(_ names: Set<String>) { list.found(mayList: names, published: nil) }

  mutating func finishList(isDone: Bool) { list.finish(isDone: isDone) }

  // MARK: What is to be done

  /// The first photo that is owed and not on its way.
  func next(_ objects: CopyObjects, besides busy: Set<String>) -> PhotoName? {
    kept.first { !objects.isThere("\($0.name)") && !busy.contains("\($0.name)") }?.name
  }

  /// The list of the photos that are in the bucket, if it has to be written now.
  ///
  /// - Parameter now: `nil` does not wait.
  mutating func nextList(at now: Ticks?, _ objects: CopyObjects) -> CopyJob? {
    guard !list.isBusy, isListOwed(objects) else { return nil }
    if let now {
      let isComplete = kept.allSatisfy { objects.isThere("\($0.name)") }
      guard now >= written + Self.pause, isComplete || now >= written + Self.pause * 5 else { return nil }
      written = now
    }
    list.begin(listable(objects))
    let there = kept.filter { objects.isThere("\($0.name)") }
    return CopyJob(name: CopyPlan.photosName, work: .put(CameraPhotos.text(of: there)), seconds: 1)
  }

  mutating func beginRemovalOfList() { list.begin(nil) }

  private func listable(_ objects: CopyObjects) -> [String] {
    kept.map { "\($0.name)" }.filter(objects.isThere)
  }

  private func isListOwed(_ objects: CopyObjects) -> Bool {
    let names = listable(objects)
    return names != list.published && !(names.isEmpty && list.mayList.isEmpty)
  }
}
