import Glibc
import Media

/// Reads and writes the file of added tokens. Both block for the disk.
enum AddedTokenFile {
  private static let mostBytes = 1 << 20
  private static let head =
    "# The digests of tokens that were made on the operator's page. Quietcam writes this file.\n"

  /// The text of the file; `nil` if there is none.
  static func text(at path: String) throws(AddedTokenError) -> String? {
    guard access(path, F_OK) == 0 else { return nil }
    do { return try InputFile.text(at: path, most: mostBytes) } catch {
      throw AddedTokenError("\(path): the tokens cannot be read: \(error)")
    }
  }

  /// The tokens of a text.
  static func tokens(of text: String, path: String) throws(AddedTokenError) -> [AddedToken] {
    var tokens: [AddedToken] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      guard let token = AddedToken(line: line) else {
        throw AddedTokenError(
          "\(path):\(number + 1): this is no token; a line is ID, camera:NAME or operator, SECONDS, sha256:DIGEST, NOTE. "
            + "Remove the line, and make the token anew on the operator's page")
      }
      tokens.append(token)
    }
    return tokens
  }

  /// Writes all tokens in one step: a reader sees the old file or the new one, and nobody else can read it.
  static func write(_ tokens: [AddedToken], to path: String) throws(AddedTokenError) {
    let text = head + tokens.map { $0.line + "\n" }.joined()
    let next = path + ".new"
    let file = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw failure(path) }
    let isWritten = Array(text.utf8).withUnsafeBytes { bytes in
      var offset = 0
      while offset < bytes.count {
        let count = Glibc.write(file, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
        guard count > 0 else { return false }
        offset += count
      }
      return fsync(file) == 0
    }
    let code = errno
    close(file)
    guard isWritten, rename(next, path) == 0 else {
      if !isWritten { errno = code }
      let error = failure(path)
      unlink(next)
      throw error
    }
  }

  private static func failure(_ path: String) -> AddedTokenError {
    AddedTokenError("\(path): the tokens cannot be written: \(String(cString: strerror(errno)))")
  }
}
