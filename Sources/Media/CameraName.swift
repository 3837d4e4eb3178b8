/// The name of a camera: what stands in its URLs and is the name of its folder.
///
/// One to forty of `a-z`, `0-9`, `-`; begins with a letter or digit. So it needs no escaping anywhere and can never
/// climb out of a folder or collide with the origin's own paths, which have a dot or an underscore in them.
package struct CameraName: Hashable, Comparable, Sendable {
  /// The name as text.
  package let text: String

  /// Paths of the public door that a camera must not hide.
  static let reserved: Set<String> = ["healthz", "readyz", "metrics", "status", "ingest", "cameras"]

  /// Takes a name that keeps the rule; `nil` otherwise.
  package init?(_ text: some StringProtocol) {
    let bytes = text.utf8
    guard (1...40).contains(bytes.count), bytes.first != UInt8(ascii: "-"),
      bytes.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }),
      !Self.reserved.contains(String(text))
    else { return nil }
    self.text = String(text)
  }

  /// What a name must look like, for error messages.
  package static let rule =
    "1 to 40 of a-z, 0-9 and '-', not beginning with '-', and none of \(reserved.sorted().joined(separator: ", "))"

  /// Orders names as text.
  package static func < (left: CameraName, right: CameraName) -> Bool { left.text < right.text }
}

extension CameraName: CustomStringConvertible {
  /// The name itself.
  package var description: String { text }
}
