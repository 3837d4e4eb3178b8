import Foundation
import Ingest
import Media
import NIOCore
import Picture
import Synchronization

/// The JPEGs of a folder, or a single one, one for each beat.
///
/// The folder is read at any depth, in the order of the paths. Names that begin with a dot are left out, because they
/// are uploads in progress. Each file is read when it is due; one that is not a whole JPEG is skipped.
package actor FolderSource: StillSource {
  private let path: String
  private let loops: Bool
  private let executor = ThreadExecutor(name: "folder source")
  private let isStopped = Atomic<Bool>(false)
  private var names: [String]?
  private var turn = 0

  /// The largest file that counts as a still, in bytes.
  static let largestFile = 64 << 20

  /// The thread that the files are read on.
  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A source of the files below `path`, or of the file `path`; with `loops` it begins again after the last and reads
  /// the folder again.
  package init(path: String, loops: Bool) {
    self.path = path
    self.loops = loops
  }

  /// Checks that there is at least one still.
  ///
  /// - Throws: `PushError` if the folder cannot be read or has no JPEG in it.
  package func check() throws {
    if try list().isEmpty {
      throw PushError("no JPEG (.jpg, .jpeg) is in \(path) or below it; name a folder that has some")
    }
  }

  /// The next file that is a whole JPEG, up to its EOI.
  package func next(_ beat: Beat) async throws -> NextStill {
    var rounds = 0
    var passedOver: String?
    while !isStopped.load(ordering: .relaxed) {
      if names == nil {
        names = try list()
        turn = 0
        rounds += 1
      }
      guard let names, turn < names.count else {
        guard loops else { return .end }
        if rounds > 0 { return .nothing(passedOver ?? "no JPEG is in \(path) now") }
        names = nil
        continue
      }
      let name = names[turn]
      turn += 1
      do throws(StillRefusal) { return .still(try Self.read(name)) } catch { passedOver = "\(name): \(error.detail)" }
    }
    return .end
  }

  /// Ends the source at the next file.
  package nonisolated func stop() { isStopped.store(true, ordering: .relaxed) }

  private func list() throws -> [String] {
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    guard manager.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw PushError("no file or folder is at \(path); check the path")
    }
    guard isFolder.boolValue else { return [path] }
    guard let walk = manager.enumerator(atPath: path), manager.isReadableFile(atPath: path) else {
      throw PushError("cannot read the folder \(path); check its permissions")
    }
    var names: [String] = []
    for case let name as String in walk where Self.isJPEGName(name) { names.append(name) }
    names.sort()
    return names.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
  }

  /// Whether a path has the extension of a JPEG, is no upload in progress and has no hidden component.
  static func isJPEGName(_ name: String) -> Bool {
    let pieces = name.split(separator: "/")
    return pieces.last.map(StillName.isJPEG) ?? false
      && !pieces.dropLast().contains(where: StillName.isIgnoredDirectory)
  }

  private static func read(_ path: String) throws(StillRefusal) -> ByteBuffer {
    let file: StillFile
    do throws(StillFile.Trouble) { file = try StillFile(path, followsLinks: true) } catch {
      throw StillRefusal(.noPicture, "the file cannot be read; check its permissions")
    }
    let buffer = try file.read(maxBytes: largestFile)
    let header = try JPEGHeader(buffer, maxPixels: .max)
    return buffer.getSlice(at: buffer.readerIndex, length: header.length) ?? buffer
  }
}
