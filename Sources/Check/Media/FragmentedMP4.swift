import Media

/// One track of an init segment (ISO/IEC 14496-12, section 8).
struct MP4Track: Hashable, Sendable {
  var id: UInt32 = 0
  /// `vide`, `soun` or another.
  var handler = ""
  var timescale: UInt32 = 0
  /// The sample entry's four characters: `avc1`, `hvc1`, `mp4a`.
  var format = ""
  /// The size of the picture in the sample entry.
  var size: PictureSize?
  /// The codec in the form of CODECS, if it is H.264.
  var codec: String?
  var parameterSets: AVCParameterSets?
  /// The length of each NAL unit's length field, in bytes.
  var lengthSize = 4
  var defaultDuration: UInt32 = 0
}

/// One track's content of one segment or part: all its movie fragments together.
struct MP4Run: Sendable {
  let track: UInt32
  /// tfdt of the first fragment, in the track's timescale.
  let start: UInt64
  /// The sum of the sample durations, in the track's timescale.
  var duration: UInt64
  var samples: Int
  /// If a fragment's tfdt is not where the fragment before it ended: both, in the track's timescale.
  var firstGap: (expected: UInt64, found: UInt64)?
  /// The first sample of an H.264 track.
  let firstUnit: AVC.AccessUnit?
}

/// Reads fragmented MP4 as far as the check needs it. It never reads past the end and trusts no number.
enum FragmentedMP4 {
  /// One box: its type and its payload.
  struct Box {
    let type: String
    let payload: ArraySlice<UInt8>
    /// Where the box begins in its bytes.
    let start: Int
  }

  /// Consecutive boxes; stops at the first bytes that are not a box.
  static func boxes(_ bytes: ArraySlice<UInt8>) -> (boxes: [Box], isWhole: Bool) {
    var boxes: [Box] = []
    var reader = ByteReader(bytes)
    while reader.count > 0 {
      let start = reader.rest.startIndex
      guard let size32 = reader.number(4), let name = reader.take(4) else { return (boxes, false) }
      var size = Int(size32)
      var header = 8
      if size32 == 1 {
        guard let large = reader.number(8), let exact = Int(exactly: large) else { return (boxes, false) }
        (size, header) = (exact, 16)
      } else if size32 == 0 {
        size = header + reader.count
      }
      guard size >= header, let payload = reader.take(size - header) else { return (boxes, false) }
      boxes.append(Box(type: String(decoding: name, as: UTF8.self), payload: payload, start: start))
      guard boxes.count < 100_000 else { return (boxes, false) }
    }
    return (boxes, true)
  }

  private static func child(_ type: String, of payload: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    boxes(payload).boxes.first { $0.type == type }?.payload
  }

  // MARK: Init segment

  /// The tracks of an init segment; `nil` if there is no `moov`.
  static func tracks(init bytes: [UInt8]) -> [MP4Track]? {
    guard let moov = child("moov", of: bytes[...]) else { return nil }
    var tracks = boxes(moov).boxes.filter { $0.type == "trak" }.compactMap { track($0.payload) }
    for trex in child("mvex", of: moov).map({ boxes($0).boxes.filter { $0.type == "trex" } }) ?? [] {
      var reader = ByteReader(trex.payload)
      guard reader.skip(4) != nil, let id = reader.number(4), reader.skip(4) != nil, let duration = reader.number(4)
      else { continue }
      for index in tracks.indices where tracks[index].id == UInt32(id) {
        tracks[index].defaultDuration = UInt32(duration)
      }
    }
    return tracks
  }

  private static func track(_ trak: ArraySlice<UInt8>) -> MP4Track? {
    guard let tkhd = child("tkhd", of: trak), let mdia = child("mdia", of: trak), let mdhd = child("mdhd", of: mdia)
    else { return nil }
    var track = MP4Track()
    var reader = ByteReader(tkhd)
    guard let version = reader.byte(), reader.skip(version == 1 ? 19 : 11) != nil, let id = reader.number(4) else {
      return nil
    }
    track.id = UInt32(id)
    reader = ByteReader(mdhd)
    guard let version = reader.byte(), reader.skip(version == 1 ? 19 : 11) != nil, let scale = reader.number(4) else {
      return nil
    }
    track.timescale = UInt32(scale)
    if let hdlr = child("hdlr", of: mdia), hdlr.count >= 12 {
      track.handler = String(decoding: hdlr.dropFirst(8).prefix(4), as: UTF8.self)
    }
    if let minf = child("minf", of: mdia), let stbl = child("stbl", of: minf), let stsd = child("stsd", of: stbl),
      let entry = boxes(stsd.dropFirst(8)).boxes.first
    {
      track.format = entry.type
      if track.handler == "vide" { readPicture(entry.payload, into: &track) }
    }
    return track
  }

  private static func readPicture(_ entry: ArraySlice<UInt8>, into track: inout MP4Track) {
    var reader = ByteReader(entry)
    guard reader.skip(24) != nil, let width = reader.number(2), let height = reader.number(2), reader.skip(50) != nil
    else { return }
    track.size = PictureSize(width: Int(width), height: Int(height))
    guard let avcC = child("avcC", of: reader.rest) else { return }
    reader = ByteReader(avcC)
    guard reader.skip(1) != nil, let profile = reader.take(3), let lengths = reader.byte(), let count = reader.byte()
    else { return }
    track.codec = AVC.codec(profile)
    track.lengthSize = Int(lengths & 3) + 1
    if count & 0x1F > 0, let length = reader.number(2), let unit = reader.take(Int(length)) {
      track.parameterSets = AVCParameterSets(sequence: unit)
    }
  }

  // MARK: Fragments

  /// The content of a segment or part, by track; `nil` if it is not a sequence of whole movie fragments.
  static func runs(segment bytes: [UInt8], tracks: [MP4Track]) -> [MP4Run]? {
    let (boxes, isWhole) = boxes(bytes[...])
    guard isWhole, boxes.contains(where: { $0.type == "moof" }) else { return nil }
    var runs: [MP4Run] = []
    for moof in boxes where moof.type == "moof" {
      for traf in Self.boxes(moof.payload).boxes where traf.type == "traf" {
        guard let run = run(traf.payload, moof: moof.start, in: bytes, tracks: tracks) else { return nil }
        if let index = runs.firstIndex(where: { $0.track == run.track }) {
          let (expected, _) = runs[index].start.addingReportingOverflow(runs[index].duration)
          if expected != run.start, runs[index].firstGap == nil { runs[index].firstGap = (expected, run.start) }
          runs[index].duration = runs[index].duration.addingReportingOverflow(run.duration).partialValue
          runs[index].samples += run.samples
        } else {
          runs.append(run)
        }
      }
    }
    return runs
  }

  private static func run(_ traf: ArraySlice<UInt8>, moof: Int, in bytes: [UInt8], tracks: [MP4Track]) -> MP4Run? {
    guard let tfhd = child("tfhd", of: traf), let tfdt = child("tfdt", of: traf) else { return nil }
    var reader = ByteReader(tfhd)
    guard let head = reader.number(4), let id = reader.number(4) else { return nil }
    let track = tracks.first { $0.id == UInt32(id) }
    var base = moof
    if head & 1 != 0 {
      guard let offset = reader.number(8), let exact = Int(exactly: offset) else { return nil }
      base = exact
    }
    if head & 2 != 0, reader.skip(4) == nil { return nil }
    var sampleDuration = UInt64(track?.defaultDuration ?? 0)
    if head & 8 != 0 {
      guard let number = reader.number(4) else { return nil }
      sampleDuration = number
    }
    reader = ByteReader(tfdt)
    guard let version = reader.byte(), reader.skip(3) != nil, let start = reader.number(version == 1 ? 8 : 4) else {
      return nil
    }
    var (duration, samples) = (UInt64(0), 0)
    var first: AVC.AccessUnit?
    for trun in boxes(traf).boxes where trun.type == "trun" {
      var reader = ByteReader(trun.payload)
      guard let flags = reader.number(4), let count = reader.number(4) else { return nil }
      var offset = 0
      if flags & 1 != 0 {
        guard let number = reader.number(4) else { return nil }
        offset = Int(Int32(truncatingIfNeeded: number))
      }
      if flags & 4 != 0, reader.skip(4) == nil { return nil }
      let fields = [0x100, 0x200, 0x400, 0x800].filter { flags & $0 != 0 }.count
      // A run whose samples have no fields can claim any number of them.
      guard count <= 1_000_000, reader.count >= Int(count) * fields * 4 else { return nil }
      for _ in 0..<count {
        duration =
          duration.addingReportingOverflow(flags & 0x100 != 0 ? reader.number(4) ?? 0 : sampleDuration).partialValue
        let rest = fields - (flags & 0x100 != 0 ? 1 : 0)
        if rest > 0, reader.skip(rest * 4) == nil { return nil }
      }
      let (begin, overflow) = base.addingReportingOverflow(offset)
      if first == nil, count > 0, let track, track.format.hasPrefix("avc"), !overflow, begin >= 0, begin < bytes.count {
        first = AVC.accessUnit(lengthPrefixed: bytes[begin...], lengthSize: track.lengthSize)
      }
      samples += Int(count)
    }
    return MP4Run(track: UInt32(id), start: start, duration: duration, samples: samples, firstUnit: first)
  }
}
