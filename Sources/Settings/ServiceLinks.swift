/// Variables that nobody wrote: Kubernetes and Docker make them for each service or container, by its name, and the name
/// is often `quietcam`.
///
/// `QUIETCAM_SERVICE_HOST`, `QUIETCAM_SERVICE_PORT_HTTP`, `QUIETCAM_PORT`, `QUIETCAM_PORT_8080_TCP_ADDR` and the like
/// (Kubernetes, "Discovering services"; Docker, "Legacy container links"). They are known by their values too, so a
/// setting that is misspelt is still told.
enum ServiceLinks {
  /// Whether a variable is one of these.
  ///
  /// - Parameter environment: all variables, since some are known only by their neighbours.
  static func made(_ variable: String, _ text: String, in environment: [String: String]) -> Bool {
    for end in variable.indices where variable[end] == "_" {
      let (service, rest) = (variable[..<end], variable[variable.index(after: end)...])
      guard service.hasPrefix("QUIETCAM") else { continue }
      if isMade(rest, text) || isOfLink(rest, String(service), text, environment) { return true }
    }
    return false
  }

  private static func isMade(_ rest: Substring, _ text: String) -> Bool {
    if rest == "SERVICE_HOST" { return !text.contains(" ") }
    if rest == "SERVICE_PORT" || rest.hasPrefix("SERVICE_PORT_") { return isPort(text) }
    if rest == "PORT" { return isAddress(text) }
    let pieces = rest.split(separator: "_", omittingEmptySubsequences: false)
    guard pieces.count >= 3, pieces[0] == "PORT", isPort(pieces[1]), protocols.contains(pieces[2].lowercased()) else {
      return false
    }
    switch pieces.dropFirst(3).joined(separator: "_") {
    case "", "START", "END": return isAddress(text)
    case "PROTO": return protocols.contains(text)
    case "ADDR": return !text.contains(" ")
    case "PORT", "PORT_START", "PORT_END": return isPort(text)
    default: return false
    }
  }

  /// A link of Docker's carries its own name, and the other container's environment.
  private static func isOfLink(
    _ rest: Substring, _ service: String, _ text: String, _ environment: [String: String]
  ) -> Bool {
    func isLinkName(_ text: String?) -> Bool {
      text.map { $0.hasPrefix("/") && $0.dropFirst().contains("/") } ?? false
    }
    if rest == "NAME" { return isLinkName(text) }
    return rest.hasPrefix("ENV_") && isLinkName(environment[service + "_NAME"])
  }

  private static let protocols: Set = ["tcp", "udp", "sctp"]

  private static func isAddress(_ text: String) -> Bool { protocols.contains { text.hasPrefix("\($0)://") } }

  private static func isPort(_ text: some StringProtocol) -> Bool {
    (1...5).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) }
  }
}
