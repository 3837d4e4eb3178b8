import Foundation
import NIOCore

@testable import Ingest

/// Bytes that walk like a JPEG, as short as can be.
enum Pictures {
  /// A picture whose coded data is `coded`.
  static func tiny(_ coded: [UInt8] = [1, 2, 3]) -> [UInt8] {
    [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 7, 7, 0xFF, 0xDA, 0, 2] + coded + [0xFF, 0xD9]
  }

  /// Pictures with what makes it hard to find their end: an EOI in metadata, stuffed bytes, restart markers, fill bytes.
  static let hard: [[UInt8]] = [
    tiny(), tiny([]), tiny([0xFF, 0x00, 0x0D, 0x0A, 0xFF, 0xD0, 0x0A]),
    [0xFF, 0xD8, 0xFF, 0xE1, 0, 8, 0xFF, 0xD8, 0xFF, 0xD9, 0, 0] + tiny([5]).dropFirst(2),
    [0xFF, 0xD8, 0xFF, 0xFF, 0xDB, 0, 2] + tiny([0xFF, 0xFF, 0x00, 9]).dropFirst(2),
  ]

  /// The pictures of `fixtures/jpeg/good` by name.
  static func good() throws -> [(name: String, bytes: [UInt8])] {
    var folder = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: folder.appendingPathComponent("fixtures/jpeg/good").path) {
      folder.deleteLastPathComponent()
    }
    folder.appendPathComponent("fixtures/jpeg/good")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
      ($0, [UInt8](try Data(contentsOf: folder.appendingPathComponent($0))))
    }
  }
}

/// Reads a whole body in pieces that end where `cuts` say.
func findings(
  in bytes: [UInt8], type: String? = nil, isOpenEnded: Bool = false, limit: Int = 10_000, cuts: [Int] = []
) -> (findings: [BodyItem], summary: String) {
  var reader = BodyReader(label: BodyLabel(contentType: type, isOpenEnded: isOpenEnded), maxStillBytes: limit)
  var found: [BodyItem] = []
  var start = 0
  for end in cuts + [bytes.count] {
    found += reader.read(ByteBuffer(bytes: bytes[start..<end]))
    start = end
  }
  found += reader.finish()
  return (found, reader.summary)
}

/// A finding of these bytes.
func picture(_ bytes: [UInt8]) -> BodyItem { .picture(ByteBuffer(bytes: bytes)) }
