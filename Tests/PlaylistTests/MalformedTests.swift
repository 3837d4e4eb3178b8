import Media
import NIOCore
import Playlist
import Testing

/// A playlist and what is wrong with it.
struct MalformedCase: Sendable, CustomTestStringConvertible {
  let text: String
  let line: Int
  let tag: String
  let reason: String
  let section: String

  init(_ text: String, _ line: Int, _ tag: String, _ reason: String, _ section: String) {
    (self.text, self.line, self.tag, self.reason, self.section) = (text, line, tag, reason, section)
  }

  /// A media playlist whose faulty part begins on line 4.
  static func body(_ text: String, _ line: Int, _ tag: String, _ reason: String, _ section: String) -> MalformedCase {
    MalformedCase("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:4\n" + text, line, tag, reason, section)
  }

  var testDescription: String { "\(tag) \(reason)" }
}

@Suite("Malformed playlists are refused with line, tag and reason")
struct MalformedTests {
  static let form: [MalformedCase] = [
    MalformedCase("", 1, "EXTM3U", "the first line must be #EXTM3U", "4.4.1.1"),
    MalformedCase("\n#EXTM3U\n", 1, "EXTM3U", "the first line must be #EXTM3U", "4.4.1.1"),
    MalformedCase("#EXTM3U8\n", 1, "EXTM3U", "the first line must be #EXTM3U", "4.4.1.1"),
    MalformedCase("#EXTM3U url-tvg=x\n", 1, "EXTM3U", "nothing else", "4.4.1.1"),
    MalformedCase("\u{FEFF}#EXTM3U\n", 1, "", "byte order mark", "4.1"),
    .body("#EXTM3U\n", 4, "EXTM3U", "is on line 1 too", "4.4.1.1"),
    .body("# a\tb\n", 4, "", "the control character U+0009", "4.1"),
    .body("#\u{7F}\n", 4, "", "the control character U+007F", "4.1"),
    .body("\n#é\u{9F}\n", 5, "", "the control character U+009F", "4.1"),
    .body("#EXT-X-GAP\r#EXT-X-GAP\n", 4, "", "the control character U+000D", "4.1"),
    .body("# ok\r", 4, "", "the control character U+000D", "4.1"),
    .body("#\u{0}", 4, "", "the control character U+0000", "4.1"),
    .body("# " + String(repeating: "x", count: 16_383) + "\n", 4, "", "16385 bytes, more than the 16384", ""),
    MalformedCase("#EXTM3U\n" + String(repeating: "#\n", count: 1 << 19), 0, "", "more than the 1048576", ""),
    MalformedCase("#EXTM3U\n#EXT-X-VERSION:x\n", 2, "EXT-X-VERSION", "\"x\" is not a whole number", "4.4.1.2"),
    MalformedCase("#EXTM3U\n#EXT-X-VERSION:0\n", 2, "EXT-X-VERSION", "1 or more", "4.4.1.2"),
    MalformedCase("#EXTM3U\n#EXT-X-VERSION\n", 2, "EXT-X-VERSION", "needs a value after a colon", "4.4.1.2"),
    .body("#EXT-X-VERSION:9\n", 4, "EXT-X-VERSION", "is on line 2 too", "4.4.1.2"),
    .body("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n", 4, "EXT-X-DEFINE", "variables are not read", "4.4.2.3"),
    .body("#EXT-X-GAP:\n", 4, "EXT-X-GAP", "nothing may follow", "4.4.4.7"),
    .body("#EXT-X-GAP:YES\n", 4, "EXT-X-GAP", "nothing may follow", "4.4.4.7"),
    .body("#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", 4, "EXT-X-STREAM-INF", "belongs in a multivariant", "4.4.6.2"),
    .body("#EXT-X-MEDIA:TYPE=VIDEO\n", 4, "EXT-X-MEDIA", "belongs in a multivariant", "4.4.6.1"),
    .body("#EXT-X-KEY:METHOD\n", 4, "EXT-X-KEY", "\"METHOD\" has no value", "4.2"),
  ]

  static let header: [MalformedCase] = [
    MalformedCase("#EXTM3U\n", 0, "EXT-X-TARGETDURATION", "the tag is missing", "4.4.3.1"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-TARGETDURATION:4.5\n", 2, "EXT-X-TARGETDURATION", "\"4.5\" is not a whole number", "4.4.3.1"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-TARGETDURATION: 4\n", 2, "EXT-X-TARGETDURATION", "\" 4\" is not a whole number", "4.4.3.1"),
    MalformedCase("#EXTM3U\n#EXT-X-TARGETDURATION:0\n", 2, "EXT-X-TARGETDURATION", "must be 1 or more", "4.4.3.1"),
    MalformedCase("#EXTM3U\n#EXT-X-TARGETDURATION:\n", 2, "EXT-X-TARGETDURATION", "needs a value", "4.4.3.1"),
    MalformedCase("#EXTM3U\n#EXT-X-TARGETDURATION:100000001\n", 2, "EXT-X-TARGETDURATION", "0 to 100000000", "4.4.3.1"),
    .body("#EXT-X-TARGETDURATION:4\n", 4, "EXT-X-TARGETDURATION", "is on line 3 too", "4.4.3.1"),
    .body("#EXT-X-MEDIA-SEQUENCE:-1\n", 4, "EXT-X-MEDIA-SEQUENCE", "\"-1\" is not a whole number", "4.4.3.2"),
    .body("#EXT-X-MEDIA-SEQUENCE:9223372036854775807\n", 4, "EXT-X-MEDIA-SEQUENCE", "from 0 to 2^61", "4.4.3.2"),
    .body("#EXTINF:1,\na\n#EXT-X-MEDIA-SEQUENCE:1\n", 6, "EXT-X-MEDIA-SEQUENCE", "before the first segment", "4.4.3.2"),
    .body(
      "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n", 5, "EXT-X-DISCONTINUITY-SEQUENCE",
      "before the first segment and its tags", "4.4.3.3"),
    .body("#EXT-X-ENDLIST\n#EXT-X-ENDLIST\n", 5, "EXT-X-ENDLIST", "is on line 4 too", "4.4.3.4"),
    .body("#EXT-X-PLAYLIST-TYPE:LIVE\n", 4, "EXT-X-PLAYLIST-TYPE", "\"LIVE\" is neither EVENT nor VOD", "4.4.3.5"),
    .body("#EXT-X-PART-INF:PART=1\n", 4, "EXT-X-PART-INF", "the attribute PART-TARGET is missing", "4.4.3.7"),
    .body("#EXT-X-PART-INF:PART-TARGET=\"1\"\n", 4, "EXT-X-PART-INF", "must not be in quotes", "4.4.3.7"),
    .body("#EXT-X-PART-INF:PART-TARGET=1s\n", 4, "EXT-X-PART-INF", "not a decimal number of seconds", "4.4.3.7"),
    .body(
      "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=yes\n", 4, "EXT-X-SERVER-CONTROL",
      "\"yes\" of CAN-BLOCK-RELOAD is neither",
      "4.4.3.8"),
    .body(
      "#EXT-X-SERVER-CONTROL:CAN-SKIP-DATERANGES=YES\n", 4, "EXT-X-SERVER-CONTROL", "needs CAN-SKIP-UNTIL", "4.4.3.8"),
    .body("#EXT-X-SKIP:SKIPPED=1\n", 4, "EXT-X-SKIP", "the attribute SKIPPED-SEGMENTS is missing", "4.4.5.2"),
    .body("#EXT-X-SKIP:SKIPPED-SEGMENTS=1.5\n", 4, "EXT-X-SKIP", "not a whole number", "4.4.5.2"),
    .body("#EXTINF:1,\na\n#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n", 6, "EXT-X-SKIP", "before the first segment", "4.4.5.2"),
    .body(
      "#EXT-X-SKIP:SKIPPED-SEGMENTS=1,RECENTLY-REMOVED-DATERANGES=\"\"\n", 4, "EXT-X-SKIP", "_HLS_skip=YES", "4.4.5.2"),
  ]

  static let segments: [MalformedCase] = [
    .body("a.ts\n", 4, "EXTINF", "the segment \"a.ts\" has no EXTINF before it", "4.4.4.1"),
    .body("#EXTINF:4,\na\nb\n", 6, "EXTINF", "the segment \"b\" has no EXTINF", "4.4.4.1"),
    .body("#EXTINF:4,\n", 4, "EXTINF", "no segment's address follows", "4.4.4.1"),
    .body("#EXTINF:4\na\n", 4, "EXTINF", "a comma must follow", "4.4.4.1"),
    .body("#EXTINF:,\na\n", 4, "EXTINF", "the duration \"\" is not a decimal number", "4.4.4.1"),
    .body("#EXTINF:-1,\na\n", 4, "EXTINF", "the duration \"-1\" is not a decimal number", "4.4.4.1"),
    .body("#EXTINF:4,\n#EXTINF:4,\na\n", 5, "EXTINF", "is on line 4 too, for the same segment", "4.4.4.1"),
    .body("#EXTINF:4,\na b\n", 5, "", "the address \"a b\" has a space", "4.1"),
    .body("#EXTINF:4,\n \n", 5, "", "has a space", "4.1"),
    .body("#EXTINF:4,\na\"b\n", 5, "", "or a quote", "4.1"),
    .body("#EXT-X-GAP\n", 4, "EXT-X-GAP", "no segment's address follows", "4.4.4.7"),
    .body("#EXT-X-BYTERANGE:1@\n", 4, "EXT-X-BYTERANGE", "\"1@\" is not a byte range", "4.4.4.2"),
    .body("#EXT-X-BYTERANGE:1@2@3\n", 4, "EXT-X-BYTERANGE", "is not a byte range", "4.4.4.2"),
    .body("#EXT-X-BYTERANGE:1\n#EXTINF:4,\na\n", 4, "EXT-X-BYTERANGE", "without an offset", "4.4.4.2"),
    .body(
      "#EXTINF:4,\n#EXT-X-BYTERANGE:1@0\na\n#EXTINF:4,\n#EXT-X-BYTERANGE:1\nb\n", 8, "EXT-X-BYTERANGE",
      "without an offset", "4.4.4.2"),
    .body(
      "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n", 5, "EXT-X-DISCONTINUITY", "is on line 4 too", "4.4.4.3"),
    .body("#EXT-X-MAP:BYTERANGE=\"1@0\"\n", 4, "EXT-X-MAP", "the attribute URI is missing", "4.4.4.5"),
    .body("#EXT-X-MAP:URI=i.mp4\n", 4, "EXT-X-MAP", "\"i.mp4\" of URI must be in double quotes", "4.4.4.5"),
    .body("#EXT-X-MAP:URI=\"a b\"\n", 4, "EXT-X-MAP", "\"a b\" in URI has a space", "4.4.4.5"),
    .body("#EXT-X-MAP:URI=\"\"\n", 4, "EXT-X-MAP", "the attribute URI is empty", "4.4.4.5"),
    .body("#EXT-X-MAP:URI=\"i\",BYTERANGE=\"720\"\n", 4, "EXT-X-MAP", "needs its offset", "4.4.4.5"),
    .body("#EXT-X-MAP:URI=\"i\",BYTERANGE=\"x@0\"\n", 4, "EXT-X-MAP", "\"x@0\" of BYTERANGE", "4.4.4.5"),
    .body(
      "#EXT-X-PROGRAM-DATE-TIME:2026-02-30T00:00:00Z\n", 4, "EXT-X-PROGRAM-DATE-TIME", "is not a date such as",
      "4.4.4.6"),
    .body("#EXT-X-PART:URI=\"p\",DURATION=1\n", 4, "EXT-X-PART", "parts need EXT-X-PART-INF", "4.4.4.9"),
    .body("#EXT-X-PART:URI=\"p\"\n", 4, "EXT-X-PART", "the attribute DURATION is missing", "4.4.4.9"),
    .body(
      "#EXT-X-PART:URI=\"p\",DURATION=1\n#EXT-X-MAP:URI=\"i\"\n", 5, "EXT-X-MAP", "before the first EXT-X-PART",
      "4.4.4.5"),
    .body(
      "#EXT-X-PART:URI=\"p\",DURATION=1\n#EXT-X-DISCONTINUITY\n", 5, "EXT-X-DISCONTINUITY",
      "before the first EXT-X-PART", "4.4.4.3"),
    .body("#EXT-X-PRELOAD-HINT:URI=\"p\"\n", 4, "EXT-X-PRELOAD-HINT", "the attribute TYPE is missing", "4.4.5.3"),
    .body(
      "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\"\n#EXT-X-ENDLIST\n", 4, "EXT-X-PRELOAD-HINT", "must not have a hint",
      "4.4.5.3"),
    .body("#EXT-X-RENDITION-REPORT:LAST-MSN=1\n", 4, "EXT-X-RENDITION-REPORT", "URI is missing", "4.4.5.4"),
    .body("#EXT-X-DATERANGE:START-DATE=\"2026-11-21T09:30:00Z\"\n", 4, "EXT-X-DATERANGE", "ID is missing", "4.4.5.1"),
    .body("#EXT-X-DATERANGE:ID=\"a\"\n", 4, "EXT-X-DATERANGE", "START-DATE is missing", "4.4.5.1"),
    .body(
      "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"today\"\n", 4, "EXT-X-DATERANGE", "\"today\" of START-DATE", "4.4.5.1"),
    .body(
      "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-11-21T09:30:00Z\",END-DATE=\"2026-11-21T09:29:00Z\"\n", 4,
      "EXT-X-DATERANGE", "END-DATE lies before", "4.4.5.1"),
    .body("#EXT-X-DATERANGE:ID=\"a\",END-ON-NEXT=YES\n", 4, "EXT-X-DATERANGE", "needs CLASS", "4.4.5.1"),
    .body(
      "#EXT-X-DATERANGE:ID=\"a\",CLASS=\"b\",DURATION=1,END-ON-NEXT=YES\n", 4, "EXT-X-DATERANGE", "excludes", "4.4.5.1"),
    .body("#EXT-X-DATERANGE:ID=\"a\",X-A=TEXT\n", 4, "EXT-X-DATERANGE", "\"TEXT\" of X-A is not a number", "4.4.5.1"),
  ]

  static let attributeLists: [MalformedCase] = [
    .body("#EXT-X-PART:\n", 4, "EXT-X-PART", "needs a value after a colon", "4.4.4.9"),
    .body("#EXT-X-PART:,URI=\"p\"\n", 4, "EXT-X-PART", "an attribute is missing", "4.2"),
    .body("#EXT-X-PART:URI=\"p\",\n", 4, "EXT-X-PART", "an attribute is missing", "4.2"),
    .body("#EXT-X-PART:URI=\"p\",,GAP=YES\n", 4, "EXT-X-PART", "an attribute is missing", "4.2"),
    .body("#EXT-X-PART:URI=\"p\",GAP\n", 4, "EXT-X-PART", "the attribute \"GAP\" has no value", "4.2"),
    .body("#EXT-X-PART:URI=\"p\",GAP=\n", 4, "EXT-X-PART", "the value of GAP is empty", "4.2"),
    .body("#EXT-X-PART:uri=\"p\"\n", 4, "EXT-X-PART", "the attribute name \"uri\"", "4.2"),
    .body("#EXT-X-PART:URI=\"p\", GAP=YES\n", 4, "EXT-X-PART", "the attribute name \" GAP\"", "4.2"),
    .body("#EXT-X-PART:=\"p\"\n", 4, "EXT-X-PART", "the attribute name \"\"", "4.2"),
    .body("#EXT-X-PART:URI=\"p\n", 4, "EXT-X-PART", "the value of URI has no closing quote", "4.2"),
    .body("#EXT-X-PART:URI=\"p\"x,GAP=YES\n", 4, "EXT-X-PART", "between the closing quote of URI", "4.2"),
    .body("#EXT-X-PART:URI=a\"p\"\n", 4, "EXT-X-PART", "has a space or a quote in it", "4.2"),
    .body("#EXT-X-PART:GAP=YES ,URI=\"p\"\n", 4, "EXT-X-PART", "has a space or a quote in it", "4.2"),
    .body("#EXT-X-PART:URI=\"p\",GAP=YES,URI=\"q\"\n", 4, "EXT-X-PART", "the attribute URI is given twice", "4.2"),
    .body("#EXT-X-PART:A=1,A=1,URI=\"p\"\n", 4, "EXT-X-PART", "the attribute A is given twice", "4.2"),
    .body(
      "#EXT-X-PART:URI=" + String(repeating: "x", count: 90) + "\n", 4, "EXT-X-PART",
      "\"\(String(repeating: "x", count: 40))…\"", "4.4.4.9"),
  ]

  static let versions: [MalformedCase] = [
    MalformedCase(
      "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:3,\na\n#EXTINF:3.5,\nb\n", 5, "EXTINF",
      "a duration that is not a whole number needs version 3, but there is no EXT-X-VERSION", "8"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-BYTERANGE:1@0\n#EXTINF:4,\na\n", 4, "EXT-X-BYTERANGE",
      "the tag needs version 4, but EXT-X-VERSION says 3", "8"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"i\"\n", 4, "EXT-X-MAP",
      "needs version 6, but EXT-X-VERSION says 5", "8"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n#EXT-X-VERSION:8\n", 3, "EXT-X-SKIP",
      "needs version 9, but EXT-X-VERSION says 8", "8"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n", 3, "EXT-X-KEY",
      "the attribute IV needs version 2", "8"),
  ]

  @Test("media playlists", arguments: form + header + segments + attributeLists + versions)
  func media(_ example: MalformedCase) {
    let error = #expect(throws: PlaylistError.self) { try MediaPlaylist.parse(example.text) }
    #expect(error?.line == example.line)
    #expect(error?.tag == example.tag)
    #expect(error?.reason.contains(example.reason) == true, "\(error?.reason ?? "")")
    #expect(error?.section == example.section)
  }

  static let multivariantForm: [MalformedCase] = [
    MalformedCase("#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", 1, "EXTM3U", "the first line must be #EXTM3U", "4.4.1.1"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-TARGETDURATION:4\n", 2, "EXT-X-TARGETDURATION", "belongs in a media playlist", "4.4.3.1"),
    MalformedCase("#EXTM3U\n#EXTINF:4,\n", 2, "EXTINF", "belongs in a media playlist", "4.4.4.1"),
    MalformedCase("#EXTM3U\na\n", 2, "EXT-X-STREAM-INF", "the address \"a\" has no EXT-X-STREAM-INF", "4.4.6.2"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", 2, "EXT-X-STREAM-INF", "no variant's address follows", "4.4.6.2"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-INDEPENDENT-SEGMENTS\na\n", 2, "EXT-X-STREAM-INF",
      "the next line must be", "4.4.6.2"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\"\nb\n", 2, "EXT-X-STREAM-INF", "BANDWIDTH is missing", "4.4.6.2"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1k\nb\n", 2, "EXT-X-STREAM-INF", "not a whole number", "4.4.6.2"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640X480\nb\n", 2, "EXT-X-STREAM-INF", "not a size such as",
      "4.4.6.2"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=fast\nb\n", 2, "EXT-X-STREAM-INF", "FRAME-RATE", "4.4.6.2"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO-RANGE=HDR\nb\n", 2, "EXT-X-STREAM-INF", "none of SDR", "4.4.6.2"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,REQ-VIDEO-LAYOUT=\"CH-MONO\"\nb\n", 2, "EXT-X-STREAM-INF",
      "needs version 12", "8"),
    MalformedCase(
      "#EXTM3U\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,INSTREAM-ID=\"SERVICE1\"\n", 2, "EXT-X-MEDIA", "needs version 7", "8"),
  ]

  @Test("multivariant playlists", arguments: multivariantForm)
  func multivariant(_ example: MalformedCase) {
    let error = #expect(throws: PlaylistError.self) { try MultivariantPlaylist.parse(example.text) }
    #expect(error?.line == example.line)
    #expect(error?.tag == example.tag)
    #expect(error?.reason.contains(example.reason) == true, "\(error?.reason ?? "")")
    #expect(error?.section == example.section)
  }

  @Test("bytes that are no UTF-8")
  func notUTF8() {
    let bytes = ByteBuffer(bytes: Array("#EXTM3U\n#EXT-X-TARGETDURATION:4\n# ".utf8) + [0xC3, 0x28])
    let error = #expect(throws: PlaylistError.self) { try MediaPlaylist.parse(bytes) }
    #expect(error?.description == "line 3: the line is not UTF-8; save the playlist as UTF-8 (rfc8216bis, section 4.1)")
  }

  @Test("messages name line, tag, fault and section")
  func message() {
    let error = #expect(throws: PlaylistError.self) {
      try MediaPlaylist.parse("#EXTM3U\n#EXT-X-PART:DURATION=1\n")
    }
    #expect(
      error?.description == "line 2, EXT-X-PART: the attribute URI is missing (rfc8216bis, section 4.4.4.9)")
  }
}
