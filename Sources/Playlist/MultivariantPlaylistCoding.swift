import NIOCore

extension MultivariantPlaylist {
  /// The lowest protocol version that the tags of this playlist allow (rfc8216bis, section 8): always 1.
  package var version: Int { 1 }

  /// The playlist as UTF-8 with LF line ends; equal values give equal bytes. No text can break out of its place, as in
  /// `MediaPlaylist.render()`.
  package func render() -> ByteBuffer {
    var writer = PlaylistWriter(capacity: 64 + variants.count * 256)
    writer.line(.m3u)
    if independentSegments { writer.line(.independentSegments) }
    for variant in variants { variant.write(to: &writer) }
    return writer.buffer
  }

  /// Reads a multivariant playlist; see `parse(_:warnings:)`.
  package static func parse(_ bytes: ByteBuffer) throws(PlaylistError) -> MultivariantPlaylist {
    var warnings: [PlaylistError] = []
    return try parse(bytes, warnings: &warnings)
  }

  /// Reads a multivariant playlist; see `parse(_:warnings:)`.
  package static func parse(_ text: some StringProtocol) throws(PlaylistError) -> MultivariantPlaylist {
    try parse(ByteBuffer(substring: Substring(text)))
  }

  /// Reads a multivariant playlist as strictly as `MediaPlaylist.parse(_:warnings:)` and adds to `warnings` what was
  /// ignored or is unusual.
  package static func parse(
    _ bytes: ByteBuffer, warnings: inout [PlaylistError]
  ) throws(PlaylistError) -> MultivariantPlaylist {
    var reader = try PlaylistReader(Array(bytes.readableBytesView), home: .multivariant)
    var playlist = MultivariantPlaylist()
    var open: (list: AttributeList, line: Int)?
    while let item = try reader.next() {
      switch (item, open) {
      case (.tag(.streamInf, let content), nil):
        open = (try reader.attributes(content, of: .streamInf), reader.line)
        if open?.list.attributes.contains(where: { $0.name.hasPrefix("REQ-") }) == true {
          reader.need(version: 12, for: .streamInf, "an attribute that begins with REQ-")
        }
      case (.tag(.independentSegments, _), nil): playlist.independentSegments = true
      case (.tag(let tag, _), nil): preconditionFailure("\(tag.rawValue) is modelled here but never read")
      case (.tag, .some(let open)):
        throw reader.fail(.streamInf, line: open.line, "the next line must be the variant's address, not a tag")
      case (.uri(let uri), .some(let variant)):
        playlist.variants.append(try Variant(variant.list, uri: uri))
        open = nil
      case (.uri(let uri), nil):
        throw reader.fail(.streamInf, "the address \(uri.brief) has no EXT-X-STREAM-INF before it")
      }
    }
    if let open { throw reader.fail(.streamInf, line: open.line, "no variant's address follows the tag") }
    try reader.checkVersion()
    warnings += reader.warnings
    return playlist
  }
}
