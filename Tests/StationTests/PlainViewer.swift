import NIOCore
import Packager
import Picture
import Playlist
import Testing

@testable import Station

/// A viewer of the playlist without parts, who decodes what is new in it.
struct PlainViewer: ~Copyable {
  private var decoder: StreamDecoder
  private var newest = 0
  private let measure: (borrowing Frame) -> Double
  /// What was measured of each picture that came after the first playlist.
  private(set) var shown: [Double] = []

  /// A viewer who notes this of each picture.
  init(measure: @escaping (borrowing Frame) -> Double) throws {
    decoder = try StreamDecoder()
    self.measure = measure
  }

  /// Asks for the playlist and takes what is new.
  mutating func look(at camera: Camera) async throws {
    let asking = Task { await camera.plainPlaylist(deadline: .now, isWanted: { false }) }
    asking.cancel()
    guard let text = await asking.value else { return }
    let playlist = try MediaPlaylist.parse(text.plain)
    let isFirst = newest == 0
    for (index, segment) in playlist.segments.enumerated() where playlist.mediaSequence + index > newest {
      newest = playlist.mediaSequence + index
      for part in try FragmentReader.parts(in: try #require(camera.edge.media(named: segment.uri))) {
        for picture in part.pictures {
          let value = measure(try decoder.decode(picture))
          if !isFirst { shown.append(value) }
        }
      }
    }
  }
}
