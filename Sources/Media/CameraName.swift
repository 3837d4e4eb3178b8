/// The name of a camera, used in its URLs and as the name of its folder.
///
/// One to forty of `a-z`, `0-9`, `-`; starts with a letter or digit. So it needs no escaping, cannot lead out of a
/// folder, and cannot collide with the server's own paths, which contain a dot or an underscore.
package struct CameraName: Hashable, Comparable, Sendable {
  /// The name.
  package let text: String

  /// Paths of the public address that a camera's name must not hide, and a file of the store that its folder must not.
  static let reserved: Set<String> = [
    "healthz", "readyz", "metrics", "status", "ingest", "cameras", "sample", "oembed", "operator-token",
  ]

  /// Takes a name that follows the rule; `nil` otherwise.
  package init?(_ text: some StringProtocol) {
    let bytes = text.utf8
    guard (1...40).contains(bytes.count), bytes.first != UInt8(ascii: "-"),
      bytes.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }),
      !Self.reserved.contains(String(text))
    else { return nil }
    self.text = String(text)
  }

  /// The camera that paints its own scene.
  package static let demo = CameraName(known: "demo")

  private init(known text: String) { self.text = text }

  /// The rule, for error messages.
  package static let rule =
    "1 to 40 of a-z, 0-9 and '-', not beginning with '-', and none of \(reserved.sorted().joined(separator: ", "))"

  /// Orders names as text.
  package static func < (left: CameraName, right: CameraName) -> Bool { left.text < right.text }
}

extension CameraName: CustomStringConvertible {
  /// The name itself.
  package var description: String { text }
}
