import Media
import NIOCore

extension MediaPlaylist {
  /// The lowest protocol version that the tags of this playlist allow (rfc8216bis, section 8).
  ///
  /// 9 in a delta, 6 with EXT-X-MAP, 4 with EXT-X-BYTERANGE, 3 with a duration that is not a whole number of seconds, else
  /// 1. The tags of low latency need no version.
  package var version: Int {
    if skipped != nil { return 9 }
    var version = trailingMap == nil ? 1 : 6
    for index in segments.indices {
      if segments[index].map != nil { return 6 }
      if segments[index].byteRange != nil { version = max(version, 4) }
      if !segments[index].duration.isMultiple(of: .seconds(1)) { version = max(version, 3) }
    }
    return version
  }

  /// The playlist as UTF-8 with LF line ends; equal values give equal bytes.
  ///
  /// Takes a few microseconds for 30 segments. No text can break out of its place: control characters, and spaces and
  /// double quotes where they are not allowed, are percent-encoded. The values are not checked: an empty address or a
  /// negative number is written as it is.
  package func render() -> ByteBuffer {
    var writer = PlaylistWriter(capacity: sizeEstimate)
    writer.line(.m3u)
    let version = version
    if version > 1 { writer.line(.version, version) }
    renderHeader(to: &writer)
    for range in dateRanges { range.write(to: &writer) }
    if let skipped {
      writer.begin(.skip)
      writer.attribute("SKIPPED-SEGMENTS", skipped)
      writer.end()
    }
    var map: Map?
    for index in segments.indices { renderSegment(at: index, after: &map, to: &writer) }
    renderLead(trailingDiscontinuity, trailingMap, trailingProgramDateTime, after: &map, to: &writer)
    for part in trailingParts { part.write(to: &writer) }
    preloadHint?.write(.part, to: &writer)
    mapPreloadHint?.write(.map, to: &writer)
    for report in renditionReports { report.write(to: &writer) }
    if endList { writer.line(.endList) }
    return writer.buffer
  }

  private func renderHeader(to writer: inout PlaylistWriter) {
    if independentSegments { writer.line(.independentSegments) }
    writer.line(.targetDuration, targetDuration)
    if let serverControl, !serverControl.isEmpty { serverControl.write(to: &writer) }
    if let partTarget {
      writer.begin(.partInf)
      writer.attribute("PART-TARGET", partTarget)
      writer.end()
    }
    writer.line(.mediaSequence, mediaSequence)
    writer.line(.discontinuitySequence, discontinuitySequence)
    if let playlistType {
      writer.begin(.playlistType)
      writer.text(playlistType.rawValue, in: .uri)
      writer.end()
    }
  }

  private func renderSegment(at index: Int, after map: inout Map?, to writer: inout PlaylistWriter) {
    renderLead(
      segments[index].discontinuity, segments[index].map, segments[index].programDateTime, after: &map, to: &writer)
    for part in segments[index].parts { part.write(to: &writer) }
    if segments[index].gap { writer.line(.gap) }
    if let byteRange = segments[index].byteRange {
      writer.begin(.byteRange)
      writer.byteRange(byteRange)
      writer.end()
    }
    writer.begin(.inf)
    writer.seconds(segments[index].duration)
    writer.byte(",")
    if let title = segments[index].title { writer.text(title, in: .title) }
    writer.end()
    writer.uriLine(segments[index].uri)
  }

  /// The tags that must come before a segment's first part, in the order that players expect.
  private func renderLead(
    _ discontinuity: Bool, _ own: Map?, _ date: WallTime?, after map: inout Map?, to writer: inout PlaylistWriter
  ) {
    if discontinuity {
      writer.line(.discontinuity)
      // A map stays in force over a discontinuity, but players that restart their decoder there look for the tag.
      if let own { map = own }
      map?.write(to: &writer)
    } else if let own, own != map {
      own.write(to: &writer)
      map = own
    }
    if let date {
      writer.begin(.programDateTime)
      writer.date(date)
      writer.end()
    }
  }

  private var sizeEstimate: Int {
    var parts = trailingParts.count
    for index in segments.indices { parts += segments[index].parts.count }
    return 512 + segments.count * 128 + parts * 64 + (renditionReports.count + dateRanges.count) * 128
  }
}
