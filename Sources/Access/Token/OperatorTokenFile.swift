import Glibc
import Media

/// The operator's token that the server makes where the settings give none: a file of the store that only the server's
/// user can read, so that commands on the same machine find it.
package struct OperatorTokenFile: Sendable {
  /// Why there is no token, in one sentence with what to do.
  package struct Problem: Error, Hashable, CustomStringConvertible {
    /// The sentence.
    package let description: String
    /// Whether the file is not there and cannot be written: the process can go on with a token of its own.
    package let isOfWriting: Bool
  }

  /// The file's name in the store's folder.
  package static let name = "operator-token"
  private static let mostBytes = 1024

  /// Where the file is.
  package let path: String
  private let folder: String

  /// The file of a store, which need not be there.
  package init(store: String) {
    folder = store
    path = "\(store)/\(Self.name)"
  }

  /// The token in the file, or its digest if somebody put that there.
  ///
  /// - Returns: `nil` if there is no file.
  /// - Throws: if it cannot be read, or has no token.
  package func read() throws(Problem) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    if file < 0, errno == ENOENT || errno == ENOTDIR { return nil }
    guard file >= 0 else {
      throw problem("cannot be read: \(SystemAdvice.sentence(errno)); give operator-token in the settings instead")
    }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: Self.mostBytes + 1)
    let count = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
    guard count >= 0 else {
      throw problem("cannot be read: \(SystemAdvice.sentence(errno)); give operator-token in the settings instead")
    }
    let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    guard (8...256).contains(line.count), line.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw problem("has no token of 8 to 256 signs on its first line; remove it, and `quietcam serve` makes another")
    }
    let text = String(decoding: line, as: UTF8.self)
    guard !text.hasPrefix(TokenDigest.prefix) || TokenDigest(text) != nil else {
      throw problem("has a damaged digest; remove it, and `quietcam serve` makes another")
    }
    return text
  }

  /// The token in the file. Where there is none, one is made and written, whole or not at all.
  ///
  /// - Returns: the token or its digest, and whether it was made now.
  /// - Throws: if it cannot be read or written, or the file has no token.
  package func readOrMake() throws(Problem) -> (text: String, isNew: Bool) {
    if let text = try read() { return (text, false) }
    let token = AccessToken()
    guard try write(token.text + "\n") else {
      // Another process has made one in between.
      guard let text = try read() else { throw problem("was removed while it was read; start again") }
      return (text, false)
    }
    return (token.text, true)
  }

  /// Whether other users of the machine can read the file.
  package var isReadableByOthers: Bool {
    var file = stat()
    return lstat(path, &file) == 0 && file.st_mode & 0o007 != 0
  }

  /// Writes the file beside its place and gives it its name, unless a file has that name.
  ///
  /// - Returns: `false` if a file has it.
  private func write(_ text: String) throws(Problem) -> Bool {
    let temporary = "\(folder)/.\(Self.name)-\(getpid())"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw cannotBeWritten(errno) }
    defer { unlink(temporary) }
    let isWritten =
      Array(text.utf8).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) == $0.count }
      && fsync(file) == 0
    let code = errno
    close(file)
    guard isWritten else { throw cannotBeWritten(code) }
    if link(temporary, path) == 0 { return true }
    if errno == EEXIST { return false }
    // A file system without links.
    guard rename(temporary, path) == 0 else { throw cannotBeWritten(errno) }
    return true
  }

  private func cannotBeWritten(_ code: CInt) -> Problem {
    Problem(
      description: "the operator's token in \(path) cannot be written: \(SystemAdvice.sentence(code))",
      isOfWriting: true)
  }

  private func problem(_ text: String) -> Problem {
    Problem(description: "the operator's token in \(path) \(text)", isOfWriting: false)
  }
}
