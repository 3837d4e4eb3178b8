import CFFmpeg

/// The error of one of FFmpeg's functions.
///
/// `code` is FFmpeg's own negative number. Compare it with the named codes by `~=`.
package struct FFmpegError: Error, Hashable, Sendable {
  /// FFmpeg's error number, always negative.
  package let code: Int32
  /// The function that failed, with what it was working on if that helps.
  package let call: String

  /// An error `code` of `call`.
  package init(code: Int32, call: String) {
    self.code = code
    self.call = call
  }

  /// Data that is invalid for the codec or container.
  package static let invalidData = qc_error_invalid_data()
  /// A feature of the codec that FFmpeg does not have.
  package static let unsupported = qc_error_unsupported()
  /// No memory was left.
  package static let noMemory = qc_error_no_memory()
  /// The end of a stream.
  package static let endOfFile = qc_error_eof()
  /// The call was interrupted by its owner.
  package static let exit = qc_error_exit()
  /// More input is needed before there is output; never leaves this target as an error.
  static let again = qc_error_again()

  /// Matches an error by its code: `catch let error where FFmpegError.invalidData ~= error`.
  package static func ~= (code: Int32, error: FFmpegError) -> Bool { error.code == code }
}

extension FFmpegError: CustomStringConvertible {
  /// FFmpeg's own message for the code, with the failing call.
  package var description: String {
    var text = [CChar](repeating: 0, count: 128)
    av_strerror(code, &text, text.count)
    let end = text.firstIndex(of: 0) ?? text.endIndex
    return "\(call): \(String(decoding: text[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self)) (\(code))"
  }
}

/// Returns a result of zero or more and throws anything below.
@discardableResult
func checked(_ answer: Int32, _ call: @autoclosure () -> String) throws(FFmpegError) -> Int32 {
  guard answer >= 0 else { throw FFmpegError(code: answer, call: call()) }
  return answer
}

/// The pointer, or an out-of-memory error if it is null.
func allocated<Pointee>(
  _ pointer: UnsafeMutablePointer<Pointee>?, _ call: String
) throws(FFmpegError) -> UnsafeMutablePointer<Pointee> {
  guard let pointer else { throw FFmpegError(code: FFmpegError.noMemory, call: call) }
  return pointer
}
