import Media
import NIOCore

/// Why a request to the bucket did not do what it should, with words for the operator: what was wrong, where, and what
/// to do.
package struct BucketFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// What the copier does about it.
  package enum Kind: Hashable, Sendable {
    /// The server cannot be reached, or says that it cannot answer now.
    case away
    /// The server refuses it: the settings, the key or the bucket's own rules have to change.
    case refused
    /// There is no such object.
    case missing
  }

  /// What the copier does about it.
  package let kind: Kind
  /// The server's word for it, such as `NoSuchBucket`; empty where there was no answer.
  package let code: String
  /// The sentence.
  package let description: String

  /// A fault without an answer of the server.
  package static func unreachable(_ words: String, at settings: BucketSettings) -> BucketFault {
    BucketFault(kind: .away, code: "", description: "\(settings.endpoint) (bucket-endpoint): \(words)")
  }

  /// What an answer means that is no success.
  ///
  /// - Parameters:
  ///   - region: the field `x-amz-bucket-region`.
  ///   - serverTime: the field `Date`.
  ///   - now: this machine's clock.
  package static func answer(
    _ status: Int, body: ByteBuffer, region field: String? = nil, serverTime: String? = nil,
    settings: BucketSettings, now: WallTime
  ) -> BucketFault {
    let answer = BucketAnswer(body)
    let code = String((answer.first("Code") ?? "").prefix(100))
    let region = printable(answer.first("Region") ?? field ?? "")
    let message = printable(answer.first("Message") ?? "")
    let said =
      "the storage answers \(status)" + (code.isEmpty ? "" : " \(printable(code))")
      + (message.isEmpty ? "" : " (\(message))")
    let advice = advice(status, code, region: region, serverTime: serverTime, settings, now)
    let isMissing = status == 404 && code != "NoSuchBucket"
    let isAway = status >= 500 || status == 429 || status == 408
    return BucketFault(
      kind: isMissing ? .missing : isAway ? .away : .refused, code: code, description: "\(said): \(advice)")
  }

  private static func advice(
    _ status: Int, _ code: String, region: String, serverTime: String?, _ settings: BucketSettings, _ now: WallTime
  ) -> String {
    switch code {
    case "SignatureDoesNotMatch":
      return
        "the secret half of bucket-key is not that of \(settings.key.id), or a proxy changes the request; give the "
        + "right key, and in bucket-endpoint the host that the storage itself has"
    case "InvalidAccessKeyId":
      return "the storage does not know the key \(settings.key.id); give another one in bucket-key or bucket-key-file"
    case "RequestTimeTooSkewed", "RequestExpired", "RequestNotYetValid":
      let theirs = serverTime.map { "the storage's is \(printable($0)), " } ?? ""
      return "the clocks differ too much: \(theirs)this machine's is \(now); set this machine's clock"
    case "NoSuchBucket":
      return "there is no bucket \(settings.place.name) at \(settings.endpoint); make it, or change bucket"
    case "AccessDenied", "AllAccessDisabled", "AccountProblem":
      return "the key \(settings.key.id) may not do this in \(settings.place); allow it s3:PutObject, s3:GetObject, "
        + "s3:DeleteObject and s3:ListBucket"
    case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
      return leading(region, settings)
    case "SlowDown", "RequestLimitExceeded": return "the storage is asked too often; it is tried again, more slowly"
    case "InvalidBucketName": return "the storage does not accept this name of a bucket; change bucket or bucket-style"
    case "EntityTooLarge", "QuotaExceeded", "InsufficientStorage":
      return "the storage has no room for it; make space or raise its limit"
    default: break
    }
    switch status {
    case 300..<400: return leading(region, settings)
    case 401, 403:
      return "the key \(settings.key.id) is not accepted; look at bucket-key, bucket-region and bucket-style"
    case 404: return "there is no such object"
    case 500...: return "it is tried again"
    default: return "look at bucket, bucket-endpoint, bucket-region and bucket-style"
    }
  }

  private static func leading(_ region: String, _ settings: BucketSettings) -> String {
    region.isEmpty || region == settings.region
      ? "the bucket is at another address; change bucket-endpoint or bucket-style"
      : "the bucket is in the region \(region), not \(settings.region); set bucket-region: \(region)"
  }

  /// A server's words in one line of moderate length.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.prefix(200).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
  }
}
