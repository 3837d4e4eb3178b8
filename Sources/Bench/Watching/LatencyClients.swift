import AsyncHTTPClient
import Foundation
import Ingest
import Media
import NIOCore
import NIOHTTP1
import Picture
import Playlist

/// Viewers without a screen: each requests pictures in one way, reads the time in them and reports it to the board.
package struct LatencyClients: Sendable {
  private let camera: URL
  private var follower: PartFollower { PartFollower(camera: camera) }
  private let board: LatencyBoard

  /// Viewers of the camera whose multivariant playlist is at `stream`.
  ///
  /// - Throws: if that is not an address.
  package init(stream: String, board: LatencyBoard) throws {
    guard let url = URL(string: stream), url.scheme?.hasPrefix("http") == true else {
      throw LatencyError("\(stream) is no address of a stream; name one such as http://127.0.0.1:8080/desk/index.m3u8")
    }
    camera = url.deletingLastPathComponent()
    self.board = board
  }

  /// Follows all ways until it is cancelled.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await patiently { try await followParts() } }
      group.addTask { await patiently { try await poll(every: .seconds(2)) } }
      group.addTask { await patiently { try await listen() } }
    }
  }

  /// Starts again if a server is not ready yet or restarts.
  private func patiently(_ body: () async throws -> Void) async {
    while !Task.isCancelled {
      try? await body()
      try? await Task.sleep(for: .milliseconds(500))
    }
  }

  private func look(at jpeg: ByteBuffer, way: String) throws {
    let picture = try StillDecoder().decode(jpeg, header: try JPEGHeader(jpeg, maxPixels: 1 << 24))
    if let time = TimePattern.read(picture) { board.saw(time, way: way) }
  }

  private func poll(every: Duration) async throws {
    while true {
      try look(at: try await follower.fetch("latest.jpg?\(LatencyBoard.now())"), way: "client: polling every 2 s")
      try await Task.sleep(for: every)
    }
  }

  private func listen() async throws {
    let events = HTTPClientRequest(url: camera.appendingPathComponent("events").absoluteString)
    let answer = try await HTTPClient.shared.execute(events, deadline: .distantFuture)
    for try await chunk in answer.body where String(buffer: chunk).contains("event: still") {
      try look(at: try await follower.fetch("latest.jpg?\(LatencyBoard.now())"), way: "client: events and JPEG")
    }
  }

  private func followParts() async throws {
    try await follower.follow { frame in
      if let time = TimePattern.read(frame) { board.saw(time, way: "client: LL-HLS") }
    }
  }
}

/// The coded pictures of a part, for streams with one slice in each picture.
enum FragmentReader {
  /// Reads every `mdat` box as NAL units after their lengths; an access unit ends with its slice.
  static func pictures(_ part: ByteBuffer) -> [CodedPicture] {
    var part = part
    var pictures: [CodedPicture] = []
    while let size: UInt32 = part.readInteger(), let kind = part.readString(length: 4), size >= 8,
      var body = part.readSlice(length: Int(size) - 8)
    {
      guard kind == "mdat" else { continue }
      var unit = ByteBuffer()
      while let nal = body.readLengthPrefixedSlice(as: UInt32.self) {
        unit.writeInteger(UInt32(nal.readableBytes))
        unit.writeImmutableBuffer(nal)
        let type = (nal.getInteger(at: nal.readerIndex, as: UInt8.self) ?? 0) & 0x1F
        if type == 1 || type == 5 {
          pictures.append(CodedPicture(bytes: unit, isIDR: type == 5))
          unit = ByteBuffer()
        }
      }
    }
    return pictures
  }
}
