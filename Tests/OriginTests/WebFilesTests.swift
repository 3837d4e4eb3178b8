import Foundation
import NIOCore
import Testing
import WebFiles

@testable import Origin

/// The program carries its web files within it: none is left out, and each is the file that lies in its folder.
@Suite struct WebFilesTests {
  private static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
    .standardizedFileURL

  @Test(arguments: ["Origin", "Bench"])
  func everyFileOfTheFolderIsCarried(target: String) throws {
    let folder = Self.sources.appending(path: "\(target)/Web")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }
    let carried = WebFiles.of(target)
    #expect(!names.isEmpty)
    #expect(
      Set(carried.keys) == Set(names), "Sources/CWebFiles/web_files.c needs an entry for each file of \(folder.path)")
    for name in names {
      let bytes = ByteBuffer(bytes: try Data(contentsOf: folder.appending(path: name)))
      #expect(carried[name] == bytes, "\(name) was changed after the build")
    }
  }

  @Test func aMissingPageIsOneSentence() {
    do {
      _ = try WebAssets(files: [:])
      Issue.record("pages were made of nothing")
    } catch {
      #expect("\(error)".contains("player.html") && "\(error)".contains("make build"))
    }
  }
}
