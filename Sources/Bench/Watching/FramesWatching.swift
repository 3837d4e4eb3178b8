import Foundation
import HTTPTypes
import Media
import NIOConcurrencyHelpers
import NIOCore
import Playlist

/// Plays a stream as Quietcam's element does by frames: one playlist, then one open-ended answer for each segment, each
/// of which names the next one by a link. Where an answer names none, as those of a loop whose names come again, the
/// playlist is loaded again when the segment has played.
struct FramesWatching: Watching {
  /// The path of the media playlist.
  let path: String

  func watch(_ tab: Tab) async throws {
    var initPath: String?
    while true {
      let playlist = try await tab.playlist(path)
      guard let hint = playlist.preloadHint, let open = Self.segment(ofPart: hint.uri), let part = playlist.partTarget,
        let map = playlist.trailingMap ?? playlist.segments.last?.map
      else { throw WireError.unreadable("it hints no part", path: path) }
      let mapPath = resolve(map.uri, from: path)
      if mapPath != initPath {
        let loaded = try await tab.load(mapPath, .media)
        if loaded.isNew { tab.log?.add(initialization: loaded.body) }
        initPath = mapPath
      }
      let length = Ticks.seconds(Int64(playlist.targetDuration))
      var date = playlist.trailingProgramDateTime ?? playlist.segments.last?.programDateTime?.advanced(by: length)
      let begun = part * Int64(playlist.trailingParts.count)
      let asked = ContinuousClock.now
      var next: String? = resolve(open, from: path)
      while let name = next {
        next = try await read(name, tab, begins: date, part: part).map { resolve($0, from: name) }
        date = date?.advanced(by: length)
      }
      // A segment from the cache is there at once, and plays for as long as any other. A little later the playlist has
      // the first part of what follows.
      try await Task.sleep(until: asked + (length - begun + .milliseconds(300)).duration, clock: .continuous)
    }
  }

  /// Reads a segment and notes when each of its parts was there.
  ///
  /// - Returns: the name of the next one, if the answer tells it.
  private func read(_ path: String, _ tab: Tab, begins: WallTime?, part: Ticks) async throws -> String? {
    if await tab.isFresh(path) { return nil }
    let cutter = NIOLockedValueBox(FragmentCutter())
    let count = NIOLockedValueBox<Int64>(0)
    let answer = try await tab.client.get(path, .media, by: .script) { bytes in
      for fragment in cutter.withLockedValue({ $0.take(bytes) }) {
        let index = count.withLockedValue { index in
          defer { index += 1 }
          return index
        }
        guard let begins else { continue }
        tab.log?.add(
          ViewLog.Piece(bytes: fragment, begins: .date(begins.advanced(by: part * index)), duration: part, ended: .now))
      }
    }
    guard answer.status == 200 else { throw WireError.status(answer.status, path: path) }
    await tab.keep(path, answer)
    let link = answer.fields[HTTPField.Name("Link")!] ?? ""
    guard link.hasSuffix("rel=\"next\""), let end = link.firstIndex(of: ">") else { return nil }
    return String(link[link.index(after: link.startIndex)..<end])
  }

  /// The file name of the segment that a part belongs to.
  private static func segment(ofPart name: String) -> String? {
    let pieces = name.split(separator: ".")
    return pieces.count == 3 ? "\(pieces[0]).\(pieces[2])" : nil
  }
}

/// Cuts a growing segment into its fragments, each a `moof` and an `mdat` box (ISO/IEC 14496-12, section 8.8).
struct FragmentCutter: Sendable {
  private var rest = ByteBuffer()

  /// Takes the next bytes, and hands out the fragments that they complete.
  mutating func take(_ bytes: ByteBuffer) -> [ByteBuffer] {
    rest.writeImmutableBuffer(bytes)
    var fragments: [ByteBuffer] = []
    while let length = length(), let fragment = rest.readSlice(length: length) { fragments.append(fragment) }
    return fragments
  }

  /// The bytes up to the end of the next `mdat`; `nil` where it is not all there.
  private func length() -> Int? {
    var offset = 0
    while let size = rest.getInteger(at: rest.readerIndex + offset, as: UInt32.self),
      let kind = rest.getString(at: rest.readerIndex + offset + 4, length: 4), size >= 8
    {
      offset += Int(size)
      if kind == "mdat" { return offset <= rest.readableBytes ? offset : nil }
    }
    return nil
  }
}
