import Access
import HTTPTypes
import Logging
import Media
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Packager
import Playlist
import Records
import TestSupport
import Testing

@testable import Origin
@testable import Station

/// A camera with two parts published, and the quick way to it.
final class QuickWorld {
  let camera: Camera
  let limits = AccessLimits(
    viewers: Connections.Limits(total: 100), cameras: Connections.Limits(total: 10),
    uploads: UploadMemory(limit: 1 << 20, cameras: 1))
  let records: Records
  private(set) var installed = 0
  private let door: QuickDoor

  init() throws {
    let settings = try CameraSettings.sample()
    camera = Camera(settings: settings, clock: .system())
    var hidden = CameraSettings(name: try #require(CameraName("hidden")), timeline: settings.timeline)
    hidden.picture = settings.picture
    var closed = DoorSettings(tokens: [])
    closed.access = .signed
    records = Records(
      folder: nil, readings: { [] }, wall: { .now },
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    door = QuickDoor(
      cameras: [camera, Camera(settings: hidden, clock: .system())],
      doors: [settings.name: DoorSettings(tokens: []), hidden.name: closed], site: SitePolicy(), limits: limits,
      records: records, proxies: .none)
    publish(parts: 2)
  }

  /// - Parameter whole: the segment, where it is complete; then the next one is hinted.
  func publish(parts count: Int, without removed: [String] = [], whole: String? = nil) {
    let name = SegmentName(number: 7)
    let hinted = PartPosition(sequence: whole == nil ? 7 : 8, part: whole == nil ? count : 0)
    let parts = (0..<count).map { MediaPlaylist.Part(uri: name.part($0), duration: .seconds(1), independent: true) }
    let media = MediaPlaylist(targetDuration: 4, mediaSequence: 7, trailingParts: parts)
    let snapshot = PlaylistSnapshot(
      position: PartPosition(sequence: 7, part: whole == nil ? count - 1 : count), hinted: hinted,
      hintedName: SegmentName(number: hinted.sequence).part(hinted.part), media: media, delta: nil,
      multivariant: EncodedText(ByteBuffer(string: "#EXTM3U\n"), etag: "m"))
    var files = (0..<count).map { (name: name.part($0), bytes: ByteBuffer(string: "part-\($0)")) }
    if let whole { files.append((name.file, ByteBuffer(string: whole))) }
    camera.edge.publish(snapshot, adding: files.filter { !removed.contains($0.name) }, removing: removed)
  }

  /// A connection by HTTP/2 with the quick handler.
  ///
  /// - Parameters:
  ///   - settings: those of the client.
  ///   - rules: the times of the connection.
  ///   - below: handlers between the protocol and the socket.
  func frames(
    settings: HTTP2Settings = [], rules: QuickHandler.Rules = .init(idle: .hours(2), patience: .seconds(10)),
    below: [any ChannelHandler] = []
  ) throws -> FramesConnection {
    try FramesConnection(settings: settings, below: below) { [door] streams in
      QuickFrameHandler(door: { door }, rules: rules, streams: streams)
    }
  }

  /// A connection with the quick handler, and behind it an HTTP parser as it is at the public door.
  ///
  /// - Parameter below: handlers between it and the socket.
  func connection(withParser: Bool = true, below: [any ChannelHandler] = []) throws -> Connection {
    let handler = QuickHandler(
      door: { [door] in door }, isSecure: false, rules: .init(idle: .seconds(60), patience: .seconds(10))
    ) { [self] channel in
      installed += 1
      return channel.eventLoop.makeCompletedFuture {
        guard withParser else { return }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        try pipeline.addHandler(
          ConnectionRulesInstaller(
            headerTime: .seconds(15), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
          ) { _, _ in })
      }
    }
    let connection = try Connection(below + [handler])
    try connection.begin()
    return connection
  }
}

/// The bytes of a request with a host and no other field.
func request(_ target: String) -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n" }
