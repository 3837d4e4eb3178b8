import CFFmpeg
import NIOConcurrencyHelpers
import NIOCore

/// Which samplings of a JPEG's components FFmpeg's decoder knows, asked of the decoder itself.
///
/// JPEG allows more (ITU-T T.81, section A.1.1) than any decoder takes, and a camera is to hear of it at once and not
/// when its picture is decoded.
enum SamplingSupport {
  private static let known = NIOLockedValueBox<[Question: Bool]>([:])

  private struct Question: Hashable {
    let samplings: [UInt8]
    let isRGB: Bool
  }

  /// Whether pictures of one or three components with these sampling factors (horizontal in the upper half) decode.
  static func decodes(_ samplings: [UInt8], isRGB: Bool) -> Bool {
    let question = Question(samplings: samplings, isRGB: isRGB)
    if let answer = known.withLockedValue({ $0[question] }) { return answer }
    let answer = ask(question)
    known.withLockedValue { $0[question] = answer }
    return answer
  }

  /// Gives the decoder a frame header without a picture: it looks at the sampling first.
  private static func ask(_ question: Question) -> Bool {
    var jpeg: [UInt8] = [0xFF, 0xD8]
    if question.isRGB { jpeg += [0xFF, 0xEE, 0, 14] + Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 0] }
    let count = UInt8(question.samplings.count)
    jpeg += [0xFF, 0xC0, 0, 8 + 3 * count, 8, 0, 64, 0, 64, count]
    for (index, sampling) in question.samplings.enumerated() { jpeg += [UInt8(index + 1), sampling, 0] }
    jpeg += [0xFF, 0xD9]
    do throws(FFmpegError) {
      let context = try StillDecoder.open(reduction: 0)
      try context.send(try Packet.copy(of: ByteBuffer(bytes: jpeg)))
      _ = try context.receiveFrame()
    } catch {
      // Anything else it says is about the picture, which is not there.
      return !(FFmpegError.unsupported ~= error)
    }
    return true
  }
}
