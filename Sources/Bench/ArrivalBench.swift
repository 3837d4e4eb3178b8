import AsyncHTTPClient
import Foundation
import Ingest
import Media
import NIOConcurrencyHelpers
import NIOCore
import Picture

/// Measures the time from the last byte of a photo's file in a watched folder until viewers have the photo: by the
/// event and `latest.jpg`, and by the parts of the stream.
package struct ArrivalBench: Sendable {
  /// The times of some photos, in milliseconds.
  package struct Result: Sendable {
    /// The part target.
    package let part: String
    /// Until the event of a new still arrived.
    package fileprivate(set) var events: [Int] = []
    /// Until `latest.jpg` arrived, requested upon the event.
    package fileprivate(set) var latest: [Int] = []
    /// Until the part that shows it had arrived and was decoded, requested by blocking reloads.
    package fileprivate(set) var parts: [Int] = []
    /// The most memory of the server before the first photo and at the end, in KiB.
    package fileprivate(set) var memory: (before: Int?, after: Int?)
  }

  /// A picture that is shown: a photo, or a plain picture between two photos.
  private struct Judge: Sendable {
    let photo: [UInt8]
    let plain: [UInt8]

    func isPhoto(_ frame: borrowing Frame) -> Bool {
      let seen = luma(frame)
      guard seen.count == photo.count else { return false }
      func distance(_ other: [UInt8]) -> Int { zip(seen, other).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) } }
      return distance(photo) < distance(plain)
    }
  }

  /// The moments at which the newest photo was first seen.
  private final class Sightings: Sendable {
    private let state = NIOLockedValueBox<
      (seen: [String: (isPhoto: Bool, at: ContinuousClock.Instant)], failure: String?)
    >(
      ([:], nil))

    func saw(_ way: String, isPhoto: Bool, at now: ContinuousClock.Instant = .now) {
      state.withLockedValue { if $0.seen[way]?.isPhoto != isPhoto { $0.seen[way] = (isPhoto, now) } }
    }

    func fail(_ error: any Error) { state.withLockedValue { $0.failure = "\(error)" } }

    /// When each way began to show the expected picture; `nil` if one does not yet.
    func all(_ ways: [String], isPhoto: Bool) throws -> [ContinuousClock.Instant]? {
      try state.withLockedValue { state in
        if let failure = state.failure { throw BenchFailure(failure) }
        let seen = ways.compactMap { way in state.seen[way].flatMap { $0.isPhoto == isPhoto ? $0.at : nil } }
        return seen.count == ways.count ? seen : nil
      }
    }
  }

  private let program: URL
  private let size: PictureSize

  /// A bench of the server in the file `program`.
  package init(program: URL, size: PictureSize) {
    self.program = program
    self.size = size
  }

  /// Puts the photo into the folder of a server of its own several times, at different moments of a part.
  ///
  /// - Parameter part: the server's part target, in seconds.
  /// - Throws: `BenchFailure` if the server does not start, or the photo is not seen in time.
  package func run(_ jpeg: ByteBuffer, part: String, rounds: Int) async throws -> Result {
    let (judge, plain) = try judge(jpeg)
    return try await withBenchFolder { folder in
      let settings =
        ["--folder", folder.path, "--part", part, "--size", size.description, "--hold", "forever"]
        + ["--max-still-bytes", "\(max(16 << 20, jpeg.readableBytes))", "--max-pixels", "400000000"]
      return try await ServerProcess.running(program, settings: settings) { server in
        try await measure(jpeg, part: part, rounds: rounds, folder: folder, server: server, judge, plain)
      }
    }
  }

  private func measure(
    _ jpeg: ByteBuffer, part: String, rounds: Int, folder: URL, server: ServerProcess, _ judge: Judge,
    _ plain: ByteBuffer
  ) async throws -> Result {
    guard let camera = URL(string: "http://127.0.0.1:\(server.publicPort)/\(ServerProcess.camera)/") else {
      throw BenchFailure("no address")
    }
    var result = Result(part: part)
    let sightings = Sightings()
    let follower = PartFollower(camera: camera)
    // Its listeners are open before there is anything to see.
    for attempt in 0... {
      do { _ = try await follower.fetch("latest.jpg") } catch  where attempt < 200 {
        try await Task.sleep(for: .milliseconds(50))
        continue
      }
      break
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          try await follower.follow { sightings.saw("part", isPhoto: judge.isPhoto($0)) }
        } catch { if !Task.isCancelled { sightings.fail(error) } }
      }
      group.addTask {
        do { try await listen(follower, judge, sightings) } catch { if !Task.isCancelled { sightings.fail(error) } }
      }
      defer { group.cancelAll() }
      let ways = ["event", "latest", "part"]
      for round in 0..<rounds {
        _ = try await put(plain, "plain-\(round).jpg", in: folder, sightings, ["latest", "part"], isPhoto: false)
        if round == 0 { result.memory.before = server.peakKiB }
        try await Task.sleep(for: .milliseconds(Int.random(in: 700..<3000)))
        let times = try await put(jpeg, "photo-\(round).jpg", in: folder, sightings, ways, isPhoto: true)
        result.events.append(times[0])
        result.latest.append(times[1])
        result.parts.append(times[2])
        try await Task.sleep(for: .milliseconds(700))
      }
    }
    result.memory.after = server.peakKiB
    return result
  }

  /// How the photo and the plain picture look in the stream, and the plain picture's JPEG.
  private func judge(_ jpeg: ByteBuffer) throws -> (Judge, ByteBuffer) {
    func shown(_ jpeg: ByteBuffer) throws -> [UInt8] {
      let header = try JPEGHeader(jpeg, maxPixels: .max)
      var filter = PictureFilter(settings: PictureSettings(size: size, denoise: 0, maxPixels: .max))
      let reduction = filter.reduction(of: header)
      let frame = try StillDecoder().decode(jpeg, header: header, reduction: reduction)
      return luma(try filter.process(frame, orientation: header.orientation, reduction: reduction))
    }
    let photo = try shown(jpeg)
    let isDark = photo.reduce(0) { $0 + Int($1) } < 128 * photo.count
    let canvas = [UInt8](repeating: isDark ? 240 : 15, count: 3 * size.pixels)
    var encoder = JPEGEncoder(quality: 75)
    let plain = try encoder.encode(try Frame.rgb(canvas, size: size))
    return (Judge(photo: photo, plain: try shown(plain)), plain)
  }

  /// Writes a file and waits until all ways show it.
  ///
  /// - Returns: the time of each from the moment before the file was closed, in milliseconds.
  private func put(
    _ jpeg: ByteBuffer, _ name: String, in folder: URL, _ sightings: Sightings, _ ways: [String], isPhoto: Bool
  ) async throws -> [Int] {
    let path = folder.appending(path: name)
    guard FileManager.default.createFile(atPath: path.path, contents: nil) else {
      throw BenchFailure("\(path.path) cannot be written; check the temporary folder")
    }
    let file = try FileHandle(forWritingTo: path)
    try file.write(contentsOf: Data(jpeg.readableBytesView))
    let closed = ContinuousClock.now
    try file.close()
    while ContinuousClock.now - closed < .seconds(30) {
      if let seen = try sightings.all(ways, isPhoto: isPhoto) {
        return seen.map { Int(($0 - closed) / .milliseconds(1)) }
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    throw BenchFailure("\(name) was not shown within 30 s")
  }

  /// Fetches `latest.jpg` upon each event, as a page does.
  private func listen(_ follower: PartFollower, _ judge: Judge, _ sightings: Sightings) async throws {
    func look() async throws -> Bool {
      let jpeg = try await follower.fetch("latest.jpg?\(UInt64.random(in: 0 ... .max))")
      return judge.isPhoto(try StillDecoder().decode(jpeg, header: try JPEGHeader(jpeg, maxPixels: 1 << 24)))
    }
    let request = HTTPClientRequest(url: follower.camera.appendingPathComponent("events").absoluteString)
    let answer = try await HTTPClient.shared.execute(request, deadline: .distantFuture)
    for try await chunk in answer.body where String(buffer: chunk).contains("event: still") {
      let came = ContinuousClock.now
      let isPhoto = try await look()
      sightings.saw("event", isPhoto: isPhoto, at: came)
      sightings.saw("latest", isPhoto: isPhoto)
    }
  }
}

/// Every eighth sample of the luma in both directions.
private func luma(_ frame: borrowing Frame) -> [UInt8] {
  frame.withPlane(0) { plane in
    stride(from: 0, to: plane.height, by: 8).flatMap { row in
      let samples = plane.row(row)
      return stride(from: 0, to: plane.width, by: 8).map { samples[$0] }
    }
  }
}

extension ArrivalBench.Result: CustomStringConvertible {
  /// One line of the table that `quietcam bench still` prints.
  package var description: String {
    func seconds(_ values: [Int]) -> String {
      guard let most = values.max() else { return "-" }
      func text(_ value: Int) -> String { String(format: "%.2f", Double(value) / 1000) }
      return "\(text(values.sorted()[values.count / 2])) s (\(text(most)) at most)"
    }
    var line =
      "  parts of \(part) s: event after \(seconds(events)), latest.jpg \(seconds(latest)), in the stream \(seconds(parts))"
    if let before = memory.before, let after = memory.after { line += ", \((after - before) / 1024) MiB more at most" }
    return line
  }
}
