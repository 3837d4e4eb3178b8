import NIOCore
import Packager
import Playlist
import Station

@testable import Bucket

/// A bucket that carries out requests, whatever their senders hear of it, and finds what must not be.
struct FakeBucket {
  private(set) var objects: [String: ByteBuffer] = [:]
  private(set) var problems: [String] = []
  /// The sequence number that each segment was listed with.
  private var numbers: [String: Int] = [:]
  private var newest = (sequence: Int.min, discontinuities: Int.min)

  var playlist: MediaPlaylist? {
    objects[CopyPlan.playlistName].flatMap { try? MediaPlaylist.parse($0) }
  }

  var listed: Set<String> {
    Set((playlist?.segments ?? []).flatMap { [$0.uri, $0.map?.uri].compactMap { $0 } }).union(listedPhotos)
  }

  private var listedPhotos: [String] {
    let text = objects[CopyPlan.photosName].map { String(buffer: $0) } ?? ""
    return text.split(separator: "\"").map(String.init).filter { PhotoName($0) != nil }
  }

  mutating func carryOut(_ job: CopyJob, photos: [PhotoName]) {
    switch job.work {
    case .look: break
    case .put(let bytes):
      objects[job.name] = bytes
      if job.name == CopyPlan.playlistName { check() }
    case .putPhoto: objects[job.name] = ByteBuffer(string: "a photo")
    case .delete:
      if listed.contains(job.name) { problems.append("\(job.name) is removed and listed") }
      objects[job.name] = nil
      // Who has lost the playlist begins anew.
      if job.name == CopyPlan.playlistName { (numbers, newest) = ([:], (.min, .min)) }
    }
    for name in listed where objects[name] == nil { problems.append("\(name) is listed and not there: \(job.name)") }
  }

  /// Puts an object there that another process or program wrote.
  mutating func plant(_ name: String) { objects[name] = ByteBuffer(string: "of another") }

  private mutating func check() {
    guard let playlist else { return problems.append("the playlist cannot be read") }
    if playlist.mediaSequence < newest.sequence { problems.append("the media sequence falls") }
    if playlist.discontinuitySequence < newest.discontinuities { problems.append("the discontinuity sequence falls") }
    newest = (playlist.mediaSequence, playlist.discontinuitySequence)
    var discontinuities = playlist.discontinuitySequence
    for (index, segment) in playlist.segments.enumerated() {
      let number = playlist.mediaSequence + index
      if let known = numbers[segment.uri], known != number {
        problems.append("\(segment.uri) had the number \(known) and has \(number)")
      }
      numbers[segment.uri] = number
      discontinuities += segment.discontinuity ? 1 : 0
    }
    for (one, next) in zip(playlist.segments, playlist.segments.dropFirst()) {
      let isSame = SegmentName.number(inFile: one.uri).map { $0 + 1 } == SegmentName.number(inFile: next.uri)
      if !isSame, !next.discontinuity { problems.append("no discontinuity between \(one.uri) and \(next.uri)") }
    }
  }
}
