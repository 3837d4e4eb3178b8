import NIOCore
import Packager
import Playlist
import Testing

@testable import Station

@Suite struct RecentTextsTests {
  private func snapshot(_ part: Int, earlier: [TextDictionary]) -> PlaylistSnapshot {
    let playlist = MediaPlaylist(targetDuration: 4, mediaSequence: part)
    return PlaylistSnapshot(
      position: PartPosition(sequence: 1, part: part), hinted: PartPosition(sequence: 1, part: part + 1),
      hintedName: "1.\(part + 1).mp4", media: playlist, delta: playlist,
      multivariant: EncodedText(ByteBuffer(string: "#EXTM3U\n"), etag: "m"), earlier: earlier)
  }

  @Test func theLastPublicationsAreKnownByTheirDigests() throws {
    var recent = RecentTexts()
    var names: [String] = []
    for part in 0..<40 {
      let now = snapshot(part, earlier: recent.dictionaries)
      // The whole playlist and its delta are dictionaries for one another's later versions.
      for (index, name) in names.reversed().enumerated() {
        #expect((now.media.compressed(withDictionary: name) != nil) == (index < 6))
        #expect((now.delta?.compressed(withDictionary: name) != nil) == (index < 6))
      }
      let name = try #require(now.media.dictionary).name
      #expect(now.media.compressed(withDictionary: name) == nil)
      // With a state that is published ahead, as many publications are known as without.
      recent.add(part.isMultiple(of: 3) ? [snapshot(part + 1000, earlier: []), now] : [now])
      names.append(name)
    }
    #expect(recent.dictionaries.count <= 24)
    recent.removeAll()
    #expect(recent.dictionaries.isEmpty)
  }

  @Test func whatIsNoDictionaryHasNone() {
    let text = EncodedText(ByteBuffer(string: "page"), etag: "p")
    #expect(text.dictionary == nil && text.earlier.isEmpty)
    #expect(text.compressed(withDictionary: ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:") == nil)
  }

  @Test func formsAreMadeOnceAndTheSameForAll() async {
    let text = EncodedText(ByteBuffer(string: String(repeating: "segment\n", count: 500)), etag: "s")
    let forms = await withTaskGroup(of: [ByteBuffer].self) { group in
      for _ in 0..<50 { group.addTask { [text.gzipped, text.brotlied] } }
      return await group.reduce(into: Set<[ByteBuffer]>()) { $0.insert($1) }
    }
    #expect(forms.count == 1)
    #expect(EncodedText(text.plain, etag: "s", brotlied: ByteBuffer(string: "x")).brotlied == ByteBuffer(string: "x"))
  }
}
