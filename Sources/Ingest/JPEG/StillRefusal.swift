/// Why a still is refused, as a value that becomes an answer to the camera.
package struct StillRefusal: Error, Hashable, Sendable {
  /// The kinds of refusal; the raw value is in the JSON answer.
  package enum Reason: String, Sendable, CaseIterable {
    /// The bytes do not begin with a JPEG's SOI marker.
    case notJPEG
    /// The picture ends before its EOI marker.
    case truncated
    /// The markers are whole, but there is no frame or no scan between them.
    case noPicture
    /// A JPEG of a kind that Quietcam does not accept: CMYK, arithmetic, lossless, 12 bits.
    case unsupported
    /// More pixels than are allowed.
    case tooLarge
    /// The markers or the coded picture contradict themselves.
    case corrupt
    /// The form, stream or JSON around the picture cannot be read.
    case malformed
  }

  /// The kind of refusal.
  package let reason: Reason
  /// What was wrong, where, and what to do, as one sentence.
  package let detail: String

  /// A refusal for `reason`, with the sentence `detail`.
  package init(_ reason: Reason, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }
}

extension StillRefusal: CustomStringConvertible {
  /// The reason and the sentence.
  package var description: String { "\(reason.rawValue): \(detail)" }
}
