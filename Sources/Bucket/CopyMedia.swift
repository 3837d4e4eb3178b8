import Media
import NIOCore
import Playlist

/// The segments of one camera that a bucket is to hold, with the bytes of those that it has not, and the playlist that
/// lists them there.
struct CopyMedia: Sendable {
  private(set) var line = CopyLine()
  private(set) var playlist = CopyDocument()
  /// The bytes of media that is not in the bucket, and of all init segments.
  private var bytes: [String: ByteBuffer] = [:]

  /// All init segments and segments of the line.
  var names: Set<String> { names(in: line.entries.indices) }

  /// Those that a later playlist can list.
  var needed: Set<String> { names(in: neededIndices) }

  /// How long an object stays that nothing needs: players may have an older playlist (rfc8216bis, section 6.2.2).
  var time: Ticks { .seconds(Int64(line.targetDuration * (line.most + 4))) }

  // MARK: What comes

  /// Takes what an earlier loop or process has left.
  mutating func restore(
    _ entries: [CopyLine.Entry], media left: [String: ByteBuffer], targetDuration: Int, _ objects: CopyObjects
  ) {
    line.restore(entries, targetDuration: targetDuration)
    take(left.map { ($0.key, $0.value) }, objects)
  }

  /// Takes a version of the playlist, with the media that is new in it.
  ///
  /// - Parameter most: how many segments it can list.
  /// - Returns: how many segments have left that were never written.
  mutating func publish(
    _ version: MediaPlaylist, adding: [(name: String, bytes: ByteBuffer)], most: Int, _ objects: CopyObjects
  ) -> Int {
    let before = names
    line.append(version, most: most)
    take(adding, objects)
    return before.subtracting(names).count { bytes.removeValue(forKey: $0) != nil && !objects.mayBeThere($0) }
  }

  private mutating func take(_ files: [(name: String, bytes: ByteBuffer)], _ objects: CopyObjects) {
    let wanted = names
    for file in files where wanted.contains(file.name) && (!objects.isThere(file.name) || CopyPlan.isInit(file.name)) {
      bytes[file.name] = file.bytes
    }
  }

  /// Drops all segments: what comes next begins behind a discontinuity.
  mutating func clear() {
    bytes.removeAll()
    line.clear()
  }

  /// Forgets the bytes of what is in the bucket; init segments are small and can be needed again.
  mutating func drop(_ name: String) { if !CopyPlan.isInit(name) { bytes[name] = nil } }

  /// Takes the playlist that an earlier process has left.
  ///
  /// - Parameters:
  ///   - text: the playlist; `nil` if there is none that can be gone on from.
  ///   - media: the media that was found.
  mutating func found(_ text: MediaPlaylist?, media: Set<String>) {
    playlist.found(
      mayList: media.union(text?.segments.map(\.uri).filter(CopyPlan.isOurs) ?? []),
      published: text?.segments.map(\.uri))
    line.anchor(to: text)
  }

  mutating func finishPlaylist(isDone: Bool) { playlist.finish(isDone: isDone) }

  // MARK: What is to be done

  /// The media that is to be written, in this order.
  func owed(_ objects: CopyObjects) -> [String] {
    var owed: [String] = []
    for index in neededIndices {
      for name in names(at: index) where !objects.isThere(name) && bytes[name] != nil && !owed.contains(name) {
        owed.append(name)
      }
    }
    return owed
  }

  /// Whether the playlist would list something else than the one in the bucket.
  func isPlaylistOwed(_ objects: CopyObjects) -> Bool {
    line.listable(objects.isThere).map { line.entries[$0].map(\.listed.uri) != playlist.published } ?? false
  }

  /// The first media that is owed and not on its way.
  func next(_ objects: CopyObjects, besides busy: Set<String>) -> CopyJob? {
    guard let name = owed(objects).first(where: { !busy.contains($0) }), let bytes = bytes[name] else { return nil }
    return CopyJob(name: name, work: .put(bytes))
  }

  /// The playlist, if it lists something else than the one in the bucket: once nothing of it is owed, or when it is
  /// three segments ahead.
  mutating func nextPlaylist(_ objects: CopyObjects, mustAdvance: Bool) -> CopyJob? {
    guard !playlist.isBusy, let range = line.listable(objects.isThere) else { return nil }
    let names = line.entries[range].map(\.listed.uri)
    guard names != playlist.published else { return nil }
    // How many segments it is ahead of the one in the bucket; what has nothing in common with that one waits to be whole.
    let ahead = playlist.published?.last.flatMap { names.firstIndex(of: $0) }.map { names.count - $0 - 1 }
    guard mustAdvance || owed(objects).isEmpty || ahead.map({ $0 >= 3 }) ?? (names.count == line.most) else {
      return nil
    }
    // What it needs besides the segments must not be removed either.
    playlist.begin(names, besides: maps(in: range))
    let text = line.playlist(range)
    return CopyJob(name: CopyPlan.playlistName, work: .put(text.render()), seconds: max(1, text.targetDuration / 2))
  }

  mutating func beginRemovalOfPlaylist() { playlist.begin(nil) }

  // MARK: What is needed

  /// The segments that a later playlist can list: those from the first on that the one in the bucket lists.
  private var neededIndices: Range<Int> {
    let first = playlist.published?.first.flatMap { first in line.entries.firstIndex { $0.listed.uri == first } }
    return (first ?? 0)..<line.entries.count
  }

  /// The init segment and the segment at an index, in the order in which they are written.
  private func names(at index: Int) -> [String] {
    let segment = line.entries[index].listed
    return [segment.map?.uri, segment.uri].compactMap { $0 }
  }

  private func names(in range: Range<Int>) -> Set<String> { Set(range.flatMap { names(at: $0) }) }

  private func maps(in range: Range<Int>) -> [String] {
    Array(Set(line.entries[range].compactMap { $0.listed.map?.uri })).sorted()
  }
}
