import Camera
import Foundation
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct FolderSourceTests {
  /// The smallest thing that a header reader takes for a JPEG, told apart by its comment.
  static func jpeg(_ mark: UInt8) -> Data {
    Data(
      [0xFF, 0xD8, 0xFF, 0xFE, 0, 3, mark]
        + [0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        + [0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]
        + [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x55, 0xFF, 0xD9])
  }

  /// The marks of the next stills, `nil` at the end, -1 for nothing.
  private func marks(_ source: some StillSource, _ count: Int) async throws -> [Int?] {
    var marks: [Int?] = []
    for index in 0..<count {
      switch try await source.next(Beat(index: Int64(index), time: .seconds(Int64(index)))) {
      case .still(let buffer): marks.append(buffer.getInteger(at: 6, as: UInt8.self).map(Int.init))
      case .nothing: marks.append(-1)
      case .end: marks.append(nil)
      }
    }
    return marks
  }

  @Test func filesComeInTheOrderOfTheirPathsAtAnyDepth() async throws {
    let files = ["b.jpg": Self.jpeg(3), "a/2.JPEG": Self.jpeg(2), "a/1.jpg": Self.jpeg(1), "c/d/e.jpg": Self.jpeg(4)]
    try await withFolder(files: files) { path async throws in
      #expect(try await marks(FolderSource(path: path, loops: false), 6) == [1, 2, 3, 4, nil, nil])
    }
  }

  @Test func loopsAndSeesFilesThatCameMeanwhile() async throws {
    try await withFolder(files: ["a.jpg": Self.jpeg(1)]) { path async throws in
      let source = FolderSource(path: path, loops: true)
      #expect(try await marks(source, 2) == [1, 1])
      try Self.jpeg(2).write(to: URL(fileURLWithPath: path + "/b.jpg"))
      #expect(try await marks(source, 4) == [1, 2, 1, 2])
    }
  }

  @Test func passesOverUploadsUnderWayAndOtherFiles() async throws {
    let files = [
      ".a.jpg": Self.jpeg(9), "a.jpg": Self.jpeg(1).dropLast(2), "b.txt": Self.jpeg(9), "c.jpg": Data(),
      "d.jpg": Self.jpeg(2), ".hidden/e.jpg": Self.jpeg(9),
    ]
    try await withFolder(files: files) { path async throws in
      #expect(try await marks(FolderSource(path: path, loops: false), 2) == [2, nil])
    }
  }

  @Test func aLoopOverNothingUsableSaysWhyAndGoesOn() async throws {
    try await withFolder(files: ["a.jpg": Data("hello".utf8)]) { path async throws in
      let source = FolderSource(path: path, loops: true)
      guard case .nothing(let reason?) = try await source.next(Beat(index: 0, time: .zero)) else {
        Issue.record("a folder without a usable still has nothing")
        return
      }
      #expect(reason.contains("a.jpg"))
      try Self.jpeg(5).write(to: URL(fileURLWithPath: path + "/a.jpg"))
      #expect(try await marks(source, 1) == [5])
    }
  }

  @Test func paddingBehindThePictureIsCutOff() async throws {
    try await withFolder(files: ["a.jpg": Self.jpeg(1) + Data(count: 100)]) { path async throws in
      let source = FolderSource(path: path + "/a.jpg", loops: false)
      #expect(try await source.next(Beat(index: 0, time: .zero)) == .still(ByteBuffer(bytes: Self.jpeg(1))))
    }
  }

  @Test func anEmptyOrMissingFolderSaysWhatToDo() async throws {
    try await withFolder(files: ["a.txt": Data()]) { path async throws in
      await #expect(throws: PushError("no JPEG (.jpg, .jpeg) is in \(path) or below it; name a folder that has some")) {
        _ = try await PushSource.open(path, every: .seconds(2), loop: false, quality: 75)
      }
      await #expect(throws: PushError.self) {
        _ = try await PushSource.open(path + "/none", every: .seconds(2), loop: false, quality: 75)
      }
    }
  }

  @Test func aStoppedSourceEnds() async throws {
    try await withFolder(files: ["a.jpg": Self.jpeg(1)]) { path async throws in
      let source = FolderSource(path: path, loops: true)
      source.stop()
      #expect(try await marks(source, 1) == [nil])
    }
  }
}
