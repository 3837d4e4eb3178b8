import RawStructuredFieldValues

/// The request field by which a client names the text that it has as a dictionary (RFC 9842, section 2.2).
enum AvailableDictionary {
  /// A SHA-256 in base64, with its padding.
  private static let digestLength = 44

  /// The name in the form of `TextDictionary.name`; `nil` if the value is no byte sequence of 32 bytes (RFC 9651,
  /// section 3.3.5).
  static func name(in value: String) -> String? {
    // Longer ones have parameters that mean nothing here, or are no names.
    guard value.utf8.count <= 200 else { return nil }
    var parser = StructuredFieldValueParser(Array(value.utf8))
    guard let item = try? parser.parseItemFieldValue(),
      case .undecodedByteSequence(let text) = item.rfc9651BareItem
    else { return nil }
    switch text.utf8.count {
    case digestLength where text.hasSuffix("=") && !text.hasSuffix("=="): return ":\(text):"
    // Padding can be left out (RFC 9651, section 4.2.7).
    case digestLength - 1 where !text.hasSuffix("="): return ":\(text)=:"
    default: return nil
    }
  }
}
