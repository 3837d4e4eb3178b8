import Camera
import Foundation
import Ingest
import Logging
import Media
import Packager
import Picture
import Settings
import Station

/// One loop to be made: its source, its camera, its length.
struct LoopOrder: Sendable {
  /// The source.
  enum Task: Sendable {
    case stills(String)
    case video(String)
    case recording(RecordingFetch)
  }

  /// The longest loop if no length is given.
  private static let longest = Ticks.seconds(3600)

  let camera: CameraSettings
  let folder: String
  let every: Ticks?
  let length: Ticks?
  let task: Task
  let logger: Logger
  /// Whether no progress is shown.
  var isSilent = false

  /// Makes it.
  ///
  /// - Returns: what was made, for people.
  func carryOut() async throws -> String {
    var line = ProgressLine(isSilent: isSilent)
    defer { line.clear() }
    switch task {
    case .stills(let path): return try await makeOfStills(path, &line)
    case .video(let path): return try makeOfVideo(path, &line)
    case .recording(let fetch): return try await makeOfRecording(fetch, &line)
    }
  }

  /// The longest loop: the given length, up to whole segments.
  private var limit: Ticks {
    let (wanted, segment) = (length ?? Self.longest, camera.timeline.segment)
    return segment * (wanted - Ticks(1) + segment).floorDivided(by: segment)
  }

  private func makeOfStills(_ path: String, _ line: inout ProgressLine) async throws -> String {
    let every = every ?? max(camera.interval, camera.timeline.step)
    let source = FolderSource(path: path, loops: false)
    try await source.check()
    var maker = try LoopMaker.open(folder: folder, settings: camera, logger: logger)
    var (beat, leftOut) = (Int64(0), 0)
    var refusal: StillRefusal?
    while every * beat < limit, case .still(let jpeg) = try await source.next(Beat(index: beat, time: every * beat)) {
      if maker.hasPicture { try maker.hold(until: every * beat) }
      do { try maker.append(jpeg) } catch let error as StillRefusal {
        (leftOut, refusal) = (leftOut + 1, error)
        continue
      }
      beat += 1
      try step(maker.length, &line)
    }
    guard maker.hasPicture else {
      throw LoopError(
        description: "no picture in \(path) decodes\(refusal.map { "; the last one: \($0.detail)" } ?? "")")
    }
    try maker.hold(until: min(limit, every * beat))
    return try finish(
      maker, LoopSource(kind: .stills, path: path, every: self.every, length: length), leftOut: leftOut, &line)
  }

  private func makeOfVideo(_ path: String, _ line: inout ProgressLine) throws -> String {
    var maker = try LoopMaker.open(folder: folder, settings: camera, logger: logger)
    let leftOut: Int
    do {
      leftOut = try maker.append(
        video: MediaLocation("file:" + path), every: every ?? camera.timeline.step, limit: limit,
        interrupt: MediaInterrupt(), progress: { try step($0, &line) })
    } catch let error as FFmpegError {
      throw LoopError(description: "cannot read \(path): \(error.reason); it is not a video that FFmpeg can read")
    }
    guard maker.hasPicture else {
      throw LoopError(description: "no picture of \(path) decodes; check it with `ffprobe \(path)`")
    }
    return try finish(
      maker, LoopSource(kind: .video, path: path, every: every, length: length), leftOut: leftOut, &line)
  }

  private func makeOfRecording(_ fetch: RecordingFetch, _ line: inout ProgressLine) async throws -> String {
    let answer = try await fetch.fetch { line.show("\($0 / 1000) kB of the recording came") }
    let recording = try LoopRecording(answer.bytes)
    let (ours, theirs) = (LoopSettings(camera), answer.settings.flatMap { LoopSettings(json: $0) })
    let differences = theirs?.differencesOfPicture(from: ours) ?? []
    guard differences.isEmpty else {
      throw LoopError(
        description:
          "the server was started with other picture settings (\(differences.joined(separator: ", "))); "
          + "start it again with those of this command, then record")
    }
    var maker = try LoopMaker.open(folder: folder, settings: camera, isProcessed: true, logger: logger)
    let isAsItWas = try maker.append(
      recording, mayReuse: theirs.map { $0 == ours } ?? true, limit: limit,
      progress: { try step($0, &line) })
    let text = try finish(maker, LoopSource(kind: .recording, length: length), leftOut: 0, &line)
    return isAsItWas ? text : text + "\nThe recording was made with other settings and was encoded again."
  }

  /// Says how far the work is, unless it was cancelled.
  private func step(_ made: Ticks, _ line: inout ProgressLine) throws {
    try Swift.Task<Never, Never>.checkCancellation()
    line.show(
      "loop of \(camera.name): \(clockText(made)) of \(length == nil ? "at most " : "")\(clockText(limit)) made")
  }

  private func finish(
    _ maker: consuming LoopMaker, _ source: LoopSource, leftOut: Int, _ line: inout ProgressLine
  ) throws -> String {
    let isCut = maker.length >= limit && source.kind != .recording
    let made = try maker.finish(source: source, made: .now)
    line.clear()
    var text =
      "\(made.path): \(clockText(made.length)) in \(made.segments) segments with \(made.pictures) pictures, "
      + "\(made.mediaBytes / 1000) kB"
    if made.filled > .zero { text += "; the last picture stays \(made.filled) longer, until its segment is full" }
    if isCut { text += "; the rest of the source was left out\(length == nil ? ": --length 2h takes two hours" : "")" }
    if leftOut > 0 { text += "; \(leftOut) that do not decode were left out" }
    return text
  }

  private func clockText(_ time: Ticks) -> String {
    let seconds = time.count / Ticks.perSecond
    return seconds < 60 ? "\(time.secondsText) s" : "\(seconds / 60) min \(seconds % 60) s"
  }
}
