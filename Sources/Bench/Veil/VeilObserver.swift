import AsyncHTTPClient
import Foundation
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import Packager
import Playlist

/// Looks at a camera's public addresses as viewers do, all at once: parts by blocking reloads, segments while they are
/// made, events and `latest.jpg`.
package struct VeilObserver: Sendable {
  /// The clock of all sightings: microseconds, civil time at its start, and never set again.
  package struct Clock: Sendable {
    private let start = ContinuousClock.now
    private let wall = Int64(Date().timeIntervalSince1970 * 1_000_000)

    package init() {}

    /// Now.
    package var now: Int64 { wall + Int64((ContinuousClock.now - start) / .microseconds(1)) }
  }

  private let camera: URL
  private let clock: Clock
  private let state: NIOLockedValueBox<VeilSightings>
  /// The length of a part, in microseconds.
  package let part: Int64

  /// An observer of the camera at an address such as `http://HOST/desk/`, whose stream exists.
  ///
  /// - Throws: `BenchFailure` where it has no playlist with parts.
  package init(camera: URL, clock: Clock) async throws {
    self.camera = camera.appendingPathComponent("")
    self.clock = clock
    let playlist = try MediaPlaylist.parse(try await Self.fetch(self.camera, "live.m3u8").body)
    guard let target = playlist.partTarget else {
      throw BenchFailure("\(camera)live.m3u8 has no parts; name a camera of Quietcam, such as http://HOST/desk/")
    }
    part = target.count * 100 / 9
    state = NIOLockedValueBox(VeilSightings(part: part))
  }

  /// All that was seen so far.
  package var seen: VeilSightings {
    var seen = state.withLockedValue { $0 }
    seen.sort()
    return seen
  }

  /// Looks until it is cancelled.
  ///
  /// - Throws: `BenchFailure` where an address does not answer as it must.
  package func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await follow() }
      group.addTask { try await chain() }
      group.addTask { try await listen() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  // MARK: Parts

  private func follow() async throws {
    var playlist = try MediaPlaylist.parse(try await Self.fetch(camera, "live.m3u8").body)
    var (known, isFirst) = (Set<String>(), true)
    var syntax: (map: String, syntax: SliceSyntax?)?
    var (listed, lines) = (clock.now, 0)
    while true {
      for (uri, begins) in Self.parts(playlist) where known.insert(uri).inserted && !isFirst {
        let body = try await Self.fetch(camera, uri).body
        let came = clock.now
        if let map = playlist.trailingMap?.uri ?? playlist.segments.last?.map?.uri, map != syntax?.map {
          let sets = ParameterSets(initSegment: try await Self.fetch(camera, map).body)
          syntax = (map, sets.flatMap(SliceSyntax.init))
        }
        var part = VeilSightings.Part(
          listed: listed, came: came, begins: begins, bytes: body.readableBytes, lines: lines)
        Self.read(body, syntax?.syntax, into: &part)
        state.withLockedValue { $0.parts.append(part) }
      }
      if known.count > 5000 { known = Set(Self.parts(playlist).map(\.uri)) }
      isFirst = false
      let open = playlist.mediaSequence + playlist.segments.count
      let text = try await Self.fetch(
        camera, "live.m3u8?_HLS_msn=\(open)&_HLS_part=\(playlist.trailingParts.count)"
      ).body
      listed = clock.now
      lines = text.readableBytesView.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
      playlist = try MediaPlaylist.parse(text)
    }
  }

  /// The parts that a playlist lists, with the date at which each begins.
  static func parts(_ playlist: MediaPlaylist) -> [(uri: String, begins: Int64)] {
    var found: [(String, Int64)] = []
    func add(_ parts: [MediaPlaylist.Part], from date: WallTime?) {
      guard let date else { return }
      var offset = Ticks.zero
      for part in parts {
        found.append((part.uri, date.milliseconds * 1000 + offset.count * 100 / 9))
        offset = offset + part.duration
      }
    }
    for segment in playlist.segments.suffix(2) { add(segment.parts, from: segment.programDateTime) }
    let end = playlist.segments.last.flatMap { last in
      last.programDateTime.map { $0.advanced(by: last.duration) }
    }
    add(playlist.trailingParts, from: playlist.trailingProgramDateTime ?? end)
    return found
  }

  /// Reads what the boxes and slices of a part say.
  static func read(_ bytes: ByteBuffer, _ syntax: SliceSyntax?, into part: inout VeilSightings.Part) {
    guard let fragments = try? Packager.FragmentReader.parts(in: bytes), let fragment = fragments.first else { return }
    part.pictures = fragment.pictures.map { $0.bytes.readableBytes }
    part.counters["tfdt"] = Int(fragment.start.count)
    // A movie fragment begins with its number (ISO/IEC 14496-12, section 8.8.5).
    part.counters["mfhd"] = bytes.getInteger(at: bytes.readerIndex + 20, as: UInt32.self).map { Int($0) }
    part.fields["trun flags"] = bytes.getInteger(at: bytes.readerIndex + 76, as: UInt32.self).map { Double($0) }
    guard let syntax else { return }
    var sums: [String: (sum: Double, count: Double)] = [:]
    for header in fragment.pictures.flatMap({ syntax.headers(of: $0) }) {
      if let id = header.idrPictureID { part.counters["idr_pic_id"] = id }
      // -1 is what a header does not say, but of a quantizer it is a value.
      for (name, value) in header.fields where value != -1 || name == "slice_qp_delta" {
        let sum = sums["\(header.isIDR ? "IDR" : "P") \(name)", default: (0, 0)]
        sums["\(header.isIDR ? "IDR" : "P") \(name)"] = (sum.sum + Double(value), sum.count + 1)
      }
    }
    part.fields.merge(sums.mapValues { $0.sum / $0.count }) { $1 }
  }

  // MARK: Segments while they are made

  private func chain() async throws {
    while !Task.isCancelled {
      let playlist = try MediaPlaylist.parse(try await Self.fetch(camera, "live.m3u8").body)
      if var name = playlist.preloadHint.map({ Self.segment(of: $0.uri) }) {
        var isWhole = false
        while let next = try await piece(name, notes: isWhole) {
          // Of the first, what was there before came at once.
          (name, isWhole) = (next, true)
        }
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Takes one segment; returns the name of the next, `nil` where the chain breaks.
  private func piece(_ name: String, notes: Bool) async throws -> String? {
    let answer = try await HTTPClient.shared.execute(
      HTTPClientRequest(url: camera.absoluteString + name), timeout: .seconds(120))
    guard answer.status == .ok else { return nil }
    var last: Int64?
    do {
      for try await chunk in answer.body {
        let now = clock.now
        let isRest = last.map { now - $0 < part / 4 } ?? false
        last = now
        guard notes else { continue }
        state.withLockedValue { seen in
          // What comes shortly after is of the same part.
          if isRest, !seen.pieces.isEmpty {
            seen.pieces[seen.pieces.count - 1].bytes += chunk.readableBytes
          } else {
            seen.pieces.append(VeilSightings.Piece(came: now, bytes: chunk.readableBytes))
          }
        }
      }
    } catch  where !Task.isCancelled { return nil }
    let link = answer.headers.first(name: "Link") ?? ""
    guard link.contains("rel=\"next\""), let begin = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">") else {
      return nil
    }
    return String(link[link.index(after: begin)..<end])
  }

  /// The name of the segment that a part belongs to: `12.3.mp4` is of `12.mp4`.
  static func segment(of part: String) -> String {
    let pieces = part.split(separator: ".")
    return pieces.count < 3 ? part : pieces.dropLast(2).joined(separator: ".") + "." + (pieces.last ?? "mp4")
  }

  // MARK: Events

  private struct Told: Decodable {
    let time: String
    let bytes: Int
  }

  private func listen() async throws {
    while !Task.isCancelled {
      let answer = try await HTTPClient.shared.execute(
        HTTPClientRequest(url: camera.absoluteString + "events"), deadline: .distantFuture)
      guard answer.status == .ok else { throw BenchFailure("\(camera)events answers \(answer.status.code)") }
      var text = ""
      do {
        for try await chunk in answer.body {
          let came = clock.now
          text += String(buffer: chunk)
          while let end = text.range(of: "\n\n") {
            let block = text[..<end.lowerBound]
            text = String(text[end.upperBound...])
            if let told = Self.told(String(block)) { try await look(told, came: came) }
          }
        }
      } catch  where !Task.isCancelled { try await Task.sleep(for: .milliseconds(200)) }
    }
  }

  /// What an event of a picture tells; `nil` for other blocks.
  private static func told(_ block: String) -> Told? {
    let lines = block.split(separator: "\n")
    guard lines.contains("event: still"), let data = lines.first(where: { $0.hasPrefix("data: ") }) else { return nil }
    return try? JSONDecoder().decode(Told.self, from: Data(data.dropFirst(6).utf8))
  }

  private func look(_ told: Told, came: Int64) async throws {
    let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let time = try? format.parse(told.time) else { return }
    let picture = try await Self.fetch(camera, "latest.jpg")
    let event = VeilSightings.Event(
      came: came, time: Int64((time.timeIntervalSince1970 * 1_000_000).rounded()), bytes: told.bytes,
      pictureCame: clock.now, pictureBytes: picture.body.readableBytes)
    state.withLockedValue { $0.events.append(event) }
  }

  static func fetch(_ camera: URL, _ name: String) async throws -> (head: HTTPHeaders, body: ByteBuffer) {
    let url = name.contains("://") ? name : camera.absoluteString + name
    let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
    let body = try await answer.body.collect(upTo: 1 << 24)
    guard answer.status == .ok else { throw BenchFailure("\(url) answers \(answer.status.code)") }
    return (answer.headers, body)
  }
}
