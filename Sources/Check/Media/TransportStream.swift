import Media

/// The content of an MPEG-2 transport stream segment (ISO/IEC 13818-1): tables, and the times and the first picture of
/// its video.
struct TransportStream: Hashable, Sendable {
  /// The kinds of elementary stream that matter here.
  enum Kind: Hashable, Sendable { case avc, hevc, audio, other }

  /// Whether a program association table came before any media.
  var hasTables = false
  /// Video if there is any, else the first audio: the times are taken from this stream.
  var kind: Kind?
  /// Decode time stamps (presentation time stamps if there are none) in order, 33 bits, 90 kHz.
  var times: [UInt64] = []
  /// The earliest presentation time stamp.
  var firstPresentation: UInt64?
  var firstUnit: AVC.AccessUnit?
  /// Packets without the sync byte.
  var lostPackets = 0

  static let packetSize = 188
  private static let mask: UInt64 = (1 << 33) - 1

  /// Whether the bytes look like a transport stream.
  static func isLikely(_ bytes: [UInt8]) -> Bool {
    bytes.first == 0x47 && (bytes.count <= packetSize || bytes[packetSize] == 0x47)
  }

  /// Reads a segment. It never fails; it leaves out what it cannot read.
  init(_ bytes: [UInt8]) {
    var mapPID: Int?
    var mediaPID: Int?
    var unit: [UInt8] = []
    var isReadingUnit = false
    var start = 0
    while bytes.count - start >= Self.packetSize {
      let packet = bytes[start..<start + Self.packetSize]
      start += Self.packetSize
      guard packet.first == 0x47 else {
        lostPackets += 1
        continue
      }
      let base = packet.startIndex
      let begins = packet[base + 1] & 0x40 != 0
      let pid = Int(packet[base + 1] & 0x1F) << 8 | Int(packet[base + 2])
      guard let payload = Self.payload(packet) else { continue }
      if pid == 0, begins, mapPID == nil {
        mapPID = Self.mapPID(payload)
      } else if pid == mapPID, begins, mediaPID == nil {
        (mediaPID, kind) = Self.media(payload)
        hasTables = mediaPID != nil
      } else if pid == mediaPID {
        if begins {
          isReadingUnit = times.isEmpty
          if let content = readHeader(payload), isReadingUnit { unit += content }
        } else if isReadingUnit, unit.count < 1 << 22 {
          unit += payload
        }
      }
    }
    if kind == .avc { firstUnit = AVC.accessUnit(annexB: unit) }
  }

  /// The payload after header and adaptation field.
  private static func payload(_ packet: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var reader = ByteReader(packet.dropFirst(3))
    guard let control = reader.byte(), control & 0x10 != 0 else { return nil }
    if control & 0x20 != 0 {
      guard let length = reader.byte(), reader.skip(Int(length)) != nil else { return nil }
    }
    return reader.rest
  }

  /// The body of a table that fits into one packet, as in HLS.
  private static func table(_ payload: ArraySlice<UInt8>, id: UInt8) -> ByteReader? {
    var reader = ByteReader(payload)
    guard let pointer = reader.byte(), reader.skip(Int(pointer)) != nil, reader.byte() == id,
      let length = reader.number(2), let body = reader.take(Int(length & 0xFFF)), body.count >= 9
    else { return nil }
    return ByteReader(body.dropLast(4).dropFirst(5))
  }

  private static func mapPID(_ payload: ArraySlice<UInt8>) -> Int? {
    guard var reader = table(payload, id: 0) else { return nil }
    while let program = reader.number(2), let pid = reader.number(2) {
      if program != 0 { return Int(pid & 0x1FFF) }
    }
    return nil
  }

  private static func media(_ payload: ArraySlice<UInt8>) -> (Int?, Kind?) {
    guard var reader = table(payload, id: 2), reader.skip(2) != nil, let length = reader.number(2),
      reader.skip(Int(length & 0xFFF)) != nil
    else { return (nil, nil) }
    var found: [(pid: Int, kind: Kind)] = []
    while let type = reader.byte(), let pid = reader.number(2), let length = reader.number(2),
      reader.skip(Int(length & 0xFFF)) != nil
    {
      let kind: Kind =
        switch type {
        case 0x1B: .avc
        case 0x24: .hevc
        case 0x03, 0x04, 0x0F, 0x11, 0x81, 0x87: .audio
        default: .other
        }
      found.append((Int(pid & 0x1FFF), kind))
    }
    let choice =
      found.first { $0.kind == .avc || $0.kind == .hevc } ?? found.first { $0.kind == .audio } ?? found.first
    return (choice?.pid, choice?.kind)
  }

  /// Notes the times of a PES packet and returns what follows its header.
  private mutating func readHeader(_ payload: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var reader = ByteReader(payload)
    guard reader.number(3) == 1, reader.skip(4) != nil, let flags = reader.byte(), let length = reader.byte(),
      let header = reader.take(Int(length))
    else { return nil }
    var fields = ByteReader(header)
    guard flags & 0x80 != 0, let presentation = Self.stamp(&fields) else { return reader.rest }
    let decode = flags & 0x40 != 0 ? Self.stamp(&fields) : nil
    times.append(decode ?? presentation)
    if firstPresentation.map({ Self.difference(presentation, $0) < 0 }) ?? true { firstPresentation = presentation }
    return reader.rest
  }

  private static func stamp(_ reader: inout ByteReader) -> UInt64? {
    guard let a = reader.byte(), let b = reader.number(2), let c = reader.number(2) else { return nil }
    return (UInt64(a) >> 1 & 7) << 30 | (b >> 1) << 15 | c >> 1
  }

  /// `left - right` on the clock of 33 bits that wraps every 26.5 hours.
  static func difference(_ left: UInt64, _ right: UInt64) -> Int64 {
    let difference = Int64((left &- right) & mask)
    return difference > 1 << 32 ? difference - 1 << 33 : difference
  }

  /// The usual step between two pictures, the median; `nil` with fewer than two.
  var step: Ticks? {
    guard times.count >= 2 else { return nil }
    let steps = zip(times.dropFirst(), times).map { Self.difference($0, $1) }.sorted()
    return Ticks(steps[steps.count / 2])
  }
}
