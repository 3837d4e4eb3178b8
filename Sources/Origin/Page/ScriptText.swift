/// The form in which our own scripts are sent: their code without comment lines, which are a third of the bytes.
enum ScriptText {
  /// A script without its comment lines: those that begin with `//`, and blocks that begin a line with `/**`.
  ///
  /// Comments after code stay, so that no string is ever read as one. Text within backquotes must not have a line that
  /// begins like a comment.
  static func withoutCommentLines(_ text: String) -> String {
    var lines: [Substring] = []
    var isInBlock = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let code = line.drop { $0 == " " }
      if !isInBlock, !code.hasPrefix("/**") {
        if !code.hasPrefix("//") { lines.append(line) }
      } else {
        isInBlock = !code.hasSuffix("*/")
      }
    }
    return lines.joined(separator: "\n")
  }
}
