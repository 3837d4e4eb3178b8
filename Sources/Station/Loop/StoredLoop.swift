import Media
import NIOCore
import Packager
import Picture

/// A loop in a camera's folder, read segment by segment; only its manifest is in memory.
struct StoredLoop: Sendable {
  private let path: String
  private let manifest: LoopManifest
  private let stepsPerSegment: Int
  /// For loops that an earlier version made; `nil` where IDR pictures are adjacent and must differ.
  private let syntax: SliceSyntax?

  /// The loop in `path`. Its first segment is checked now, the others when they are played.
  ///
  /// - Throws: `LoopError` with what to do, if it is damaged or was made with other settings.
  init(path: String, settings: CameraSettings, parameterSets: ParameterSets) throws {
    self.path = path
    let timeline = settings.timeline
    stepsPerSegment = timeline.stepsPerPart * timeline.partsPerSegment
    syntax = stepsPerSegment > 1 ? SliceSyntax(parameterSets) : nil
    do {
      manifest = try LoopManifest(
        try LoopFolder.read("\(path)/\(LoopManifest.fileName)", mostBytes: LoopManifest.mostBytes))
    } catch {
      throw LoopError(
        description: "\(error); make it again with `quietcam loop SOURCE --camera \(settings.name)`")
    }
    let command = manifest.source.command(camera: settings.name)
    let differences = LoopSettings(values: manifest.settings).differences(from: LoopSettings(settings))
    guard differences.isEmpty else {
      throw LoopError(
        description: "it was made with other settings (\(differences)); make it again with `\(command)`")
    }
    do {
      let initSegment = InitSegment(parameterSets: parameterSets, size: settings.picture.size, step: timeline.step)
      guard try file(LoopManifest.initName, manifest.initSegment) == initSegment.bytes else {
        throw LoopError(description: "its parameter sets differ from the camera's encoder, which was updated")
      }
      _ = try segment(0)
    } catch {
      throw LoopError(description: "\(error); make it again with `\(command)`")
    }
  }

  /// How many segments it has.
  var count: Int { manifest.segments.count }

  /// Whether a new picture shows at the start of a segment.
  func beginsWithNewPicture(_ index: Int) -> Bool { manifest.segments[index].beginsAnew }

  /// When the pictures of a segment begin to show.
  func times(_ index: Int) -> [LoopTime] {
    let entry = manifest.segments[index]
    return entry.pictures.dropFirst(entry.beginsAnew ? 0 : 1).map {
      LoopTime(step: $0.step, slotOffset: $0.slotOffset)
    }
  }

  /// Reads a segment, blocking.
  ///
  /// - Throws: `LoopError` if its files are not what they were when the loop was made.
  func segment(_ index: Int) throws -> LoopSegment {
    let entry = manifest.segments[index]
    let name = LoopManifest.mediaName(index)
    let media = try file(name, entry.media)
    var pictures: [CodedPicture] = []
    do {
      for part in try FragmentReader.parts(in: media) { pictures += part.pictures }
    } catch {
      throw LoopError(description: "\(path)/\(name) is damaged: \(error)")
    }
    let isWhole =
      pictures.count == stepsPerSegment && pictures[0].isIDR && !pictures.dropFirst().contains(where: \.isIDR)
    guard isWhole, entry.pictures.allSatisfy({ $0.step < stepsPerSegment }) else {
      throw LoopError(
        description:
          "\(path)/\(name) has \(pictures.count) pictures of which one, the first, should be an IDR picture; "
          + "a segment has \(stepsPerSegment)")
    }
    // The encoder writes the same identifier into each, so one that differs would tell of a veil.
    if let syntax { pictures[0] = syntax.writing(idrPictureID: 0, in: pictures[0]) }
    var jpegs = try file(LoopManifest.jpegsName(index), entry.jpegs)
    let changes = entry.pictures.compactMap { $0.picture(from: &jpegs) }
    guard changes.count == entry.pictures.count else {
      throw LoopError(description: "\(path)/\(LoopManifest.jpegsName(index)) is shorter than its pictures")
    }
    return LoopSegment(
      pictures: pictures, changes: entry.beginsAnew ? changes : Array(changes.dropFirst()), opening: changes[0].jpeg)
  }

  private func file(_ name: String, _ expected: LoopManifest.File) throws -> ByteBuffer {
    let content = try LoopFolder.read("\(path)/\(name)", mostBytes: expected.bytes)
    guard LoopManifest.File(content) == expected else {
      throw LoopError(
        description: "\(path)/\(name) has changed since the loop was made: it was changed or damaged")
    }
    return content
  }
}
