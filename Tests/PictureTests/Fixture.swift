import Foundation
import Media
import Testing

/// One entry of `fixtures/jpeg/manifest.json`; `fixtures/make.py` says what the fields mean.
struct Fixture: Decodable, CustomTestStringConvertible, Sendable {
  struct Patch: Decodable {
    let x: Int
    let y: Int
    let width: Int
    let height: Int
    let rgb: [Int]
  }

  let file: String
  let accepted: Bool
  let reason: String?
  let stage: String?
  let width: Int?
  let height: Int?
  let length: Int?
  let orientation: UInt16?
  let components: Int?
  let progressive: Bool?
  let patches: [Patch]?
  let tolerance: Int?
  let silent: Bool?

  var testDescription: String { file }

  /// As shown, after the orientation.
  var size: PictureSize? {
    guard let width, let height else { return nil }
    return PictureSize(width: width, height: height)
  }

  func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent(file))) }

  /// All entries, in the manifest's order; none where it cannot be read, which a test of its own notices.
  static let all: [Fixture] = {
    guard let data = try? Data(contentsOf: folder.appendingPathComponent("manifest.json")) else { return [] }
    return (try? JSONDecoder().decode([Fixture].self, from: data)) ?? []
  }()

  static let good = all.filter(\.accepted)

  static func bytes(of file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))
  }

  /// The folder `fixtures/jpeg` beside or above this file.
  private static let folder: URL = {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let candidate = folder.appendingPathComponent("fixtures/jpeg")
      if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
    }
    return folder
  }()
}
