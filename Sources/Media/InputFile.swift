#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A file that is read to its end: a plain one, or a pipe such as `/dev/stdin` or what a shell makes of `<(COMMAND)`, whose
/// size nobody knows beforehand.
package enum InputFile {
  /// Why a file cannot be read, in the system's words.
  package struct Problem: Error, Hashable, CustomStringConvertible {
    /// One sentence without the path.
    package let description: String
  }

  /// The bytes of the file at a path.
  ///
  /// - Parameter most: files with more bytes are not read further than one byte beyond.
  /// - Throws: what the system says.
  package static func bytes(at path: String, most: Int) throws(Problem) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw problem() }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= most {
      let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw problem() }
      guard count > 0 else { break }
      bytes.append(contentsOf: piece[..<min(count, most + 1 - bytes.count)])
    }
    return bytes
  }

  /// The text of the file at a path.
  ///
  /// - Throws: what the system says, or that it is too long or no UTF-8.
  package static func text(at path: String, most: Int) throws(Problem) -> String {
    let bytes = try bytes(at: path, most: most)
    guard bytes.count <= most else { throw Problem(description: "more than \(most) bytes") }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Problem(description: "not UTF-8") }
    return text
  }

  /// Whether the file at a path, or what a link there leads to, can be read as often as one likes.
  package static func isPlain(at path: String) -> Bool {
    var file = stat()
    return stat(path, &file) == 0 && file.st_mode & S_IFMT == S_IFREG
  }

  private static func problem() -> Problem {
    let code = errno
    let isAdvised = code == EMFILE || code == ENFILE
    return Problem(description: isAdvised ? SystemAdvice.sentence(code) : String(cString: strerror(code)))
  }
}
