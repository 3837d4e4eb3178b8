import Foundation
import Media
import NIOCore
import Picture

/// Finds out what kind of source a text names, and opens it.
package struct PushSource: StillSource {
  private let base: any StillSource

  private init(_ base: some StillSource) { self.base = base }

  /// The next still of the source.
  package func next(_ beat: Beat) async throws -> NextStill { try await base.next(beat) }

  /// Ends the source.
  package func stop() { base.stop() }

  /// Opens the source that `text` names: a folder of JPEGs or a single one, a video file, `/dev/videoN`,
  /// `lavfi:GRAPH`, or a URL that answers a snapshot, Motion JPEG or any video.
  ///
  /// - Parameters:
  ///   - every: the time between stills.
  ///   - loop: whether a source that has an end begins again.
  ///   - quality: the JPEG quality of pictures that are not JPEGs yet, 1 to 100 on libjpeg's scale.
  ///   - login: the user and password of a camera, instead of those in its address.
  ///   - authority: a PEM file with the certificate that the camera's is checked against, instead of the system's.
  ///   - follows: whether redirects and playlists of an address can lead to other hosts.
  /// - Throws: `PushError`; credentials never come into it.
  package static func open(
    _ text: String, every: Ticks, loop: Bool, quality: Int, login: (user: String, password: String)? = nil,
    authority: String? = nil, follows: Bool = false
  ) async throws -> PushSource {
    var location = MediaLocation(text)
    if let login {
      guard location.isRemote, var parts = URLComponents(string: text) else {
        throw PushError("a user and password are for cameras with an address, such as http://CAMERA/snapshot.jpg")
      }
      (parts.user, parts.password) = (login.user, login.password)
      location = MediaLocation(parts.string ?? text)
    }
    location.authority = authority
    location.followsOtherHosts = follows
    do {
      switch location.kind {
      case .videoDevice: return PushSource(try await LiveSource(location, every: every, quality: quality))
      case .filterGraph: break
      case .url where location.isRemote:
        let place = location
        return PushSource(
          try await openRemote(place) { try await Self.remote(place, every: every, loop: loop, quality: quality) })
      case .url:
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: text, isDirectory: &isFolder)
        if isThere, isFolder.boolValue || FolderSource.isJPEGName(text) || Self.beginsAsJPEG(text) {
          let folder = FolderSource(path: text, loops: loop)
          try await folder.check()
          return PushSource(folder)
        }
        if isThere { location = MediaLocation("file:" + text) }  // A colon in its name is no protocol.
      }
      return PushSource(try await film(location, every: every, loop: loop, quality: quality))
    } catch let error as FFmpegError {
      if Task.isCancelled { throw CancellationError() }
      throw explain(error, location)
    }
  }

  /// A camera at an address: where it is not there yet it is tried again and again.
  private static func openRemote(
    _ location: MediaLocation, _ open: @escaping RetryingSource.Open
  ) async throws -> any StillSource {
    let attempt: RetryingSource.Open = {
      do { return try await open() } catch let trouble as CameraTrouble where trouble.isLasting {
        throw PushError("cannot open \(location): \(trouble.words); \(trouble.advice)")
      }
    }
    do { return try await attempt() } catch let trouble as CameraTrouble {
      return RetryingSource(after: trouble, open: attempt)
    }
  }

  /// What stands at an address: snapshots, pictures without end, or a video.
  ///
  /// - Throws: `CameraTrouble`, or `PushError` where the address itself is none.
  private static func remote(
    _ location: MediaLocation, every: Ticks, loop: Bool, quality: Int
  ) async throws -> any StillSource {
    var location = location
    if location.url.hasPrefix("http:") || location.url.hasPrefix("https:") {
      let client = try CameraClient(location)
      do {
        let source = try await withTaskCancellationHandler {
          try await pictures(client, every: every)
        } onCancel: {
          client.stop()
        }
        if let source { return source }
        location = await client.place
      } catch {
        client.stop()
        throw error
      }
      client.stop()
    }
    do { return try await film(location, every: every, loop: loop, quality: quality) } catch let error as FFmpegError {
      if Task.isCancelled { throw CancellationError() }
      throw CameraTrouble(error)
    }
  }

  /// The pictures that a camera answers; `nil` where it answers what may be a video.
  private static func pictures(_ client: CameraClient, every: Ticks) async throws -> (any StillSource)? {
    do throws(CameraTrouble) {
      var pictures = CameraPictures(try await client.get())
      switch try await pictures.next() {
      case .picture(let first):
        guard !pictures.isInParts else { return PictureStream(client, first: first, rest: pictures, every: every) }
        // A picture behind the first makes a stream of it, whatever the label says.
        if let second = await pictures.following() {
          return PictureStream(client, first: second, rest: pictures, every: every)
        }
        await client.giveBack(pictures.answer)
        return SnapshotSource(client, first: first)
      case .end: throw .passing("the answer is empty")
      case .other(let words):
        guard pictures.beginning.readableBytes > 0 else { throw .passing(words) }
        if pictures.mayBeVideo { return nil }
        throw .lasting(words, "give the address of a snapshot, of Motion JPEG or of a video")
      }
    } catch {
      if Task.isCancelled { throw CancellationError() }
      throw error
    }
  }

  /// The pictures of whatever FFmpeg opens, which has an end or runs at its own pace.
  private static func film(
    _ location: MediaLocation, every: Ticks, loop: Bool, quality: Int
  ) async throws -> any StillSource {
    let recorded = RecordedSource(location, loops: loop, quality: quality)
    let isRecorded = try await withTaskCancellationHandler {
      try await recorded.open()
    } onCancel: {
      recorded.stop()
    }
    return isRecorded ? recorded : try await LiveSource(location, every: every, quality: quality)
  }

  private static func beginsAsJPEG(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: 3)) == Data([0xFF, 0xD8, 0xFF])
  }

  /// The error as a sentence with advice.
  static func explain(_ error: FFmpegError, _ location: MediaLocation) -> PushError {
    let advice =
      switch error.code {
      case FFmpegError.unauthorized:
        "check the user and password: --user and --password-file, or scheme://user:password@camera/… as the address"
      case FFmpegError.forbidden, FFmpegError.notFound: "check the path of the address in the camera's manual"
      case FFmpegError.invalidData where location.isRemote: "it answers neither a JPEG nor a video that FFmpeg reads"
      case FFmpegError.invalidData: "it is neither a JPEG nor a video that FFmpeg reads"
      case -EACCES, -EPERM:
        location.kind == .videoDevice
          ? "let this user open the device, as a rule by the group video" : "check its permissions"
      case -EBUSY: "another program has the camera open; end it first"
      case -ENOENT, -ENODEV, -ENXIO:
        location.kind == .videoDevice
          ? "check that the camera is plugged in (ls /dev/video*)"
          : "check the path; addresses begin with rtsp:// or http://"
      default: location.isRemote ? "check the address and that the camera is on" : "check that FFmpeg can read it"
      }
    let name = location.redacted.hasPrefix("file:") ? String(location.redacted.dropFirst(5)) : location.redacted
    return PushError("cannot open \(name): \(error.reason); \(advice)")
  }
}
