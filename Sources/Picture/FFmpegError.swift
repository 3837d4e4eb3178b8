import CFFmpeg

/// What one of FFmpeg's functions answered instead of doing its work.
///
/// `code` is FFmpeg's own negative number and stays open: compare it with `~=` against the named codes.
package struct FFmpegError: Error, Hashable, Sendable {
  /// FFmpeg's error number, always negative.
  package let code: Int32
  /// The function that answered it, with what it was working on where that helps.
  package let call: String

  /// An error `code` that `call` answered.
  package init(code: Int32, call: String) {
    self.code = code
    self.call = call
  }

  /// Data that the codec or container does not allow.
  package static let invalidData = qc_error_invalid_data()
  /// A feature of the codec that FFmpeg does not have.
  package static let unsupported = qc_error_unsupported()
  /// No memory was left.
  package static let noMemory = qc_error_no_memory()
  /// The end of a stream.
  package static let endOfFile = qc_error_eof()
  /// The call was interrupted by its owner.
  package static let exit = qc_error_exit()
  /// More input is wanted before there is output; never leaves this target as an error.
  static let again = qc_error_again()

  /// Matches an error by its code: `catch let error where FFmpegError.invalidData ~= error`.
  package static func ~= (code: Int32, error: FFmpegError) -> Bool { error.code == code }
}

extension FFmpegError: CustomStringConvertible {
  /// FFmpeg's own words for the code, with the failing call.
  package var description: String {
    var text = [CChar](repeating: 0, count: 128)
    av_strerror(code, &text, text.count)
    let end = text.firstIndex(of: 0) ?? text.endIndex
    return "\(call): \(String(decoding: text[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self)) (\(code))"
  }
}

/// Passes an answer of zero or more through and throws anything below.
@discardableResult
func checked(_ answer: Int32, _ call: @autoclosure () -> String) throws(FFmpegError) -> Int32 {
  guard answer >= 0 else { throw FFmpegError(code: answer, call: call()) }
  return answer
}

/// The pointer, or the out-of-memory error that a null pointer of FFmpeg's allocators means.
func allocated<Pointee>(
  _ pointer: UnsafeMutablePointer<Pointee>?, _ call: String
) throws(FFmpegError) -> UnsafeMutablePointer<Pointee> {
  guard let pointer else { throw FFmpegError(code: FFmpegError.noMemory, call: call) }
  return pointer
}
