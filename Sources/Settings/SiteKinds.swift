import Media

// The ways in which other sites are named: for CORS one origin, for frames several; and pictures in a push.

extension ValueType where Value == String? {
  /// Who may load playlists and media by script: the value of Access-Control-Allow-Origin.
  static var allowedOrigin: ValueType {
    ValueType(
      "*|none|ORIGIN", accepted: "*, none, or one origin such as https://example.org", text: { $0 ?? "none" }
    ) { text in
      if text == "none" { return .some(nil) }
      return text == "*" || isOrigin(text) ? .some(text) : nil
    }
  }
}

extension ValueType where Value == String {
  /// Who may show pages in a frame: a source list of frame-ancestors.
  static var frameAncestors: ValueType {
    ValueType(
      "*|none|self|ORIGINS", accepted: "*, none, self, or origins such as \"https://example.org https://example.com\"",
      text: { $0.replacing("'", with: "") }
    ) { text in
      switch text {
      case "*": return text
      case "none", "self": return "'\(text)'"
      default:
        let origins = text.split(separator: " ")
        guard (1...50).contains(origins.count), origins.allSatisfy({ isOrigin($0) }) else { return nil }
        return origins.joined(separator: " ")
      }
    }
  }
}

extension ValueType where Value == StillChoice {
  /// Which picture of a push is shown.
  static var stillChoice: ValueType {
    ValueType(
      "CHOICE", accepted: "first, last, largest, or field:NAME with the name of a form's field or a JSON key",
      text: { $0.description }
    ) { StillChoice($0) }
  }
}

/// Whether a text is an origin: a scheme, a host and perhaps a port (RFC 6454, section 6.2).
private func isOrigin(_ text: some StringProtocol) -> Bool {
  for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
    let host = text.dropFirst(scheme.count)
    return ListenAddress(host) != nil || ListenAddress(host + ":443") != nil
  }
  return false
}
