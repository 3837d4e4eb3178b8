/// What the name of a file says about whether it is a finished still.
///
/// Cameras and upload programs give a file that is not whole yet a name of its own and rename it at the end.
package enum StillName {
  /// Whether a file of this name, without its folder, may be a finished still: it ends as JPEGs do or has no ending at
  /// all, and is no upload under way.
  package static func isStill(_ name: some StringProtocol) -> Bool {
    guard !isUnderWay(name) else { return false }
    guard let ending = ending(of: name) else { return true }
    return ["jpg", "jpeg", "jpe", "jfif"].contains(ending)
  }

  /// Whether a file of this name ends as JPEGs do and is no upload under way.
  package static func isJPEG(_ name: some StringProtocol) -> Bool { ending(of: name) != nil && isStill(name) }

  /// Whether a file of this name is an upload under way: a dotfile, or one that is called temporary or partial.
  package static func isUnderWay(_ name: some StringProtocol) -> Bool {
    let stem = name.lowercased().split(separator: ".", omittingEmptySubsequences: false)
    return name.isEmpty || name.hasPrefix(".") || name.hasSuffix("~")
      || stem.contains { $0.hasSuffix("_tmp") || $0.hasSuffix("-tmp") }
      || stem.dropFirst().contains { ["tmp", "temp", "part", "partial", "filepart", "upload"].contains($0) }
  }

  /// Whether a directory of this name is left out with all below it: hidden ones, and those in which storage boxes keep
  /// previews of their own making.
  package static func isIgnoredDirectory(_ name: some StringProtocol) -> Bool {
    name.hasPrefix(".") || name == "@eaDir" || name == "lost+found"
  }

  private static func ending(of name: some StringProtocol) -> String? {
    name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
  }
}
