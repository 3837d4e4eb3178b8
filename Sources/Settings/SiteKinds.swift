import Media

// How other sites are named: one origin for CORS, several for frames; and a picture in a push.

extension ValueType where Value == String? {
  /// The sites whose scripts can load playlists and media: the value of Access-Control-Allow-Origin.
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
  /// The sites that can show pages in a frame: a source list of frame-ancestors.
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

extension ValueType where Value == [String] {
  /// Host names without ports.
  static var hostNames: ValueType {
    ValueType(
      "NAMES", accepted: "host names without a port, such as cam.example.org or \"cam.local quietcam\"",
      text: { $0.isEmpty ? "none" : $0.joined(separator: " ") }
    ) { text in
      let names = text.split { $0 == " " || $0 == "," }.map { $0.lowercased() }
      guard (1...50).contains(names.count), names.allSatisfy(isHostName) else { return nil }
      return names
    }
  }

  /// Letters, digits, hyphens, and the underscores of container names, between dots; the last label is no number, so
  /// that it is no IPv4 address.
  private static func isHostName(_ name: String) -> Bool {
    let name = name.hasSuffix(".") ? name.dropLast() : name[...]
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    return name.utf8.count <= 253
      && labels.allSatisfy { label in
        (1...63).contains(label.utf8.count)
          && label.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || "-_".utf8.contains($0) }
      } && !(labels.last?.utf8.allSatisfy { (48...57).contains($0) } ?? true)
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

extension ValueType where Value == String {
  /// What people call something.
  static var title: ValueType {
    ValueType("TEXT", accepted: "1 to 100 characters in one line", text: { $0 }) { text in
      (1...100).contains(text.count) && text.utf8.count <= 400
        && !text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
        ? text : nil
    }
  }

  /// An absolute address with a slash at its end.
  static var baseURL: ValueType {
    ValueType(
      "URL", accepted: "http:// or https://, a host and perhaps a folder, such as https://example.org/cam/",
      text: { $0 }
    ) { text in
      guard text.utf8.count <= 500, let end = text.firstRange(of: "://")?.upperBound else { return nil }
      let slash = text[end...].firstIndex(of: "/") ?? text.endIndex
      guard isOrigin(text[..<slash]), isFolder(text[slash...]) else { return nil }
      return text.hasSuffix("/") ? text : text + "/"
    }
  }

  private static func isFolder(_ text: Substring) -> Bool {
    text.split(separator: "/", omittingEmptySubsequences: true).allSatisfy { piece in
      !piece.allSatisfy { $0 == "." }
        && piece.utf8.allSatisfy {
          (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || Array("-._~".utf8).contains($0)
        }
    } && !text.contains("//")
  }
}

/// Whether a text is an origin: a scheme, a host and possibly a port (RFC 6454, section 6.2).
private func isOrigin(_ text: some StringProtocol) -> Bool {
  for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
    let host = text.dropFirst(scheme.count)
    return ListenAddress(host) != nil || ListenAddress(host + ":443") != nil
  }
  return false
}
