import NIOCore
import Testing

@testable import Playlist

@Suite("The table of tags")
struct TagTests {
  @Test(
    "every tag of the table is read, ignored or refused in both kinds of playlist", arguments: Playlist.Tag.allCases)
  func everyTag(_ tag: Playlist.Tag) {
    let content =
      switch tag.rule.content {
      case .nothing: ""
      case .text: ":1"
      case .attributes: ":A=1"
      }
    let body = "#EXTM3U\n#\(tag.rawValue)\(content)\n"
    let attempts: [(Playlist.Tag.Home, () throws -> Void)] = [
      (.media, { _ = try MediaPlaylist.parse(body + (tag == .targetDuration ? "" : "#EXT-X-TARGETDURATION:1\n")) }),
      (.multivariant, { _ = try MultivariantPlaylist.parse(body) }),
    ]
    for (home, attempt) in attempts {
      let isForeign = tag.rule.home != .any && tag.rule.home != home
      do {
        try attempt()
        #expect(!isForeign)
      } catch let error as PlaylistError {
        #expect(error.reason.contains("belongs in") == isForeign, "\(error)")
      } catch {
        Issue.record("\(error)")
      }
    }
  }

  @Test("no two tags share a section")
  func sections() {
    #expect(Set(Playlist.Tag.allCases.map(\.rule.section)).count == Playlist.Tag.allCases.count)
  }
}
