/// What the name of a file says about whether the file is a finished still.
///
/// Cameras and upload programs give an unfinished file a name of its own and rename it at the end.
package enum StillName {
  /// Whether a file with this name (without its folder) can be a finished still: it has the extension of a JPEG or
  /// none, and is not an upload in progress.
  package static func isStill(_ name: some StringProtocol) -> Bool {
    guard !isUnderWay(name) else { return false }
    guard let ending = ending(of: name) else { return true }
    return ["jpg", "jpeg", "jpe", "jfif"].contains(ending)
  }

  /// Whether a file with this name has the extension of a JPEG and is not an upload in progress.
  package static func isJPEG(_ name: some StringProtocol) -> Bool { ending(of: name) != nil && isStill(name) }

  /// Whether a file with this name is an upload in progress: a dotfile, or one that is called temporary or partial.
  package static func isUnderWay(_ name: some StringProtocol) -> Bool {
    let stem = name.lowercased().split(separator: ".", omittingEmptySubsequences: false)
    return name.isEmpty || name.hasPrefix(".") || name.hasSuffix("~")
      || stem.contains { $0.hasSuffix("_tmp") || $0.hasSuffix("-tmp") }
      || stem.dropFirst().contains { ["tmp", "temp", "part", "partial", "filepart", "upload"].contains($0) }
  }

  /// Whether a directory with this name is skipped with everything below it: hidden ones, and those in which storage
  /// systems keep previews that they made.
  package static func isIgnoredDirectory(_ name: some StringProtocol) -> Bool {
    name.hasPrefix(".") || name == "@eaDir" || name == "lost+found"
  }

  private static func ending(of name: some StringProtocol) -> String? {
    name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
  }
}
