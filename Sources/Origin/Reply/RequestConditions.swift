import HTTPTypes

/// The conditions of a request that decide whether and how much of a resource is sent (RFC 9110, sections 13 and 14).
enum RequestConditions {
  /// The fields of a request that the answer to a request for a playlist or for media can depend on, besides its method
  /// and its target. Two requests in which these are the same get the same answer.
  static let fieldNames: [HTTPField.Name] = [
    .acceptEncoding, .availableDictionary, .ifNoneMatch, .range, .ifRange,
  ]

  /// Whether `If-None-Match` names one of these entity tags; compared weakly, `*` names all.
  static func matches(_ fields: HTTPFields, anyOf etags: [String]) -> Bool {
    guard let header = fields[.ifNoneMatch] else { return false }
    return header.split(separator: ",").contains { item in
      let item = trimmed(item)
      return item == "*" || etags.contains { $0 == (item.hasPrefix("W/") ? item.dropFirst(2) : item) }
    }
  }

  /// The request of a `Range` header.
  enum Range: Hashable {
    /// All of it: there is no such header, or one that is ignored (several ranges, another unit, invalid).
    case whole
    /// These bytes.
    case bytes(Swift.Range<Int>)
    /// Bytes that do not exist.
    case unsatisfiable
  }

  /// The requested bytes of a resource of `length` bytes whose entity tag is `etag`.
  static func range(_ fields: HTTPFields, length: Int, etag: String) -> Range {
    // The unit has no case either (section 14.1).
    guard let header = fields[.range], header.prefix(6).lowercased() == "bytes=", !header.contains(",") else {
      return .whole
    }
    if let condition = fields[.ifRange], condition != etag { return .whole }
    let ends = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
    guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } && $0.utf8.count <= 18 })
    else {
      return .whole
    }
    switch (Int(ends[0]), Int(ends[1])) {
    case (nil, nil): return .whole
    case (nil, let suffix?):
      return suffix == 0 || length == 0 ? .unsatisfiable : .bytes(max(0, length - suffix)..<length)
    case (let first?, nil): return first < length ? .bytes(first..<length) : .unsatisfiable
    case (let first?, let last?):
      guard first <= last else { return .whole }
      return first < length ? .bytes(first..<min(last, length - 1) + 1) : .unsatisfiable
    }
  }
}

private func trimmed(_ text: Substring) -> Substring {
  var text = text
  while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
  while let last = text.last, last == " " || last == "\t" { text.removeLast() }
  return text
}
