import Bucket

/// Whether a camera is copied to the bucket.
enum BucketCopy: String, CaseIterable, Sendable {
  /// Only if everyone can see it.
  case open
  /// Whoever can see it.
  case always
  /// In no case.
  case never
}

extension ValueType where Value == BucketPlace? {
  /// A bucket and what its objects' names begin with.
  static var bucket: ValueType {
    ValueType(
      "s3://NAME/PREFIX",
      accepted:
        "s3:// with a bucket's name of 3 to 63 small letters, digits, dots and hyphens, and perhaps a prefix of "
        + "letters, digits and -_./, such as s3://my-cameras/live",
      text: { $0.map(\.description) ?? "none" }
    ) { BucketPlace($0).map { .some($0) } }
  }
}

extension ValueType where Value == BucketEndpoint? {
  /// The address of a server with the S3 interface.
  static var bucketEndpoint: ValueType {
    ValueType(
      "URL",
      accepted: "https:// or http:// with a host and perhaps a port, without a path, such as https://s3.example.org",
      text: { $0.map(\.description) ?? "none" }
    ) { BucketEndpoint($0).map { .some($0) } }
  }
}

extension ValueType where Value == String {
  /// The name of a region.
  static var region: ValueType {
    ValueType("REGION", accepted: "1 to 40 small letters, digits and hyphens, such as eu-central-1", text: { $0 }) {
      text in
      (1...40).contains(text.utf8.count)
        && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 } ? text : nil
    }
  }

  /// An access key.
  static var accessKey: ValueType {
    ValueType(
      "ID:SECRET", accepted: "the access key's id, a colon and its secret", isSecret: true, text: { _ in "set" },
      parse: { AccessKey($0) == nil ? nil : $0 })
  }
}
