import Media
import Playlist
import TestSupport

extension SeededGenerator {
  /// True once in `times`.
  mutating func once(in times: Int) -> Bool { Int.random(in: 0..<times, using: &self) == 0 }

  /// A value once in two times.
  mutating func maybe<Value>(_ value: (inout Self) -> Value) -> Value? { once(in: 2) ? value(&self) : nil }

  /// As many values as the range allows.
  mutating func several<Value>(_ range: ClosedRange<Int>, _ value: (inout Self) -> Value) -> [Value] {
    (0..<Int.random(in: range, using: &self)).map { _ in value(&self) }
  }

  mutating func number() -> Int {
    let limit = [9, 1_000, 1_000_000, 1 << 61].randomElement(using: &self) ?? 9
    return Int.random(in: 0...limit, using: &self)
  }

  mutating func ticks() -> Ticks {
    switch Int.random(in: 0..<3, using: &self) {
    case 0: .seconds(Int64.random(in: 0...30, using: &self))
    case 1: .milliseconds(Int64.random(in: 0...20_000, using: &self))
    default: Ticks(Int64.random(in: 0...9_000_000_000_000, using: &self))
    }
  }

  mutating func date() -> WallTime {
    // From the year 0 to the end of 9999.
    WallTime(milliseconds: Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &self))
  }

  mutating func uri() -> String {
    let pieces = [
      "init", "p", "0", "17", "/", "../", "-", "_", ".mp4", ".m4s", "?a=1&b=2", "%20", "ü", "日本", "#x", ",",
    ]
    return "s" + several(1...6) { pieces.randomElement(using: &$0) ?? "" }.joined()
  }

  mutating func label() -> String {
    let pieces = ["a", "B", "7", " ", "=", ",", "#", "é", "🐈", "'", ":", "YES"]
    return several(0...8) { pieces.randomElement(using: &$0) ?? "" }.joined()
  }
}

extension MediaPlaylist {
  /// A playlist that says all sorts of things, sensible ones and others, but nothing that the format cannot say.
  static func random(using generator: inout SeededGenerator) -> MediaPlaylist {
    var playlist = MediaPlaylist(
      targetDuration: 1 + generator.number() % 100_000_000,
      mediaSequence: generator.number(),
      discontinuitySequence: generator.number(),
      independentSegments: generator.once(in: 2),
      partTarget: generator.ticks(),
      skipped: generator.once(in: 4) ? generator.number() : nil,
      renditionReports: generator.several(0...2) { generator in
        RenditionReport(
          uri: generator.uri(), lastMediaSequence: generator.maybe { $0.number() },
          lastPart: generator.maybe { $0.number() })
      },
      dateRanges: generator.several(0...2) { .random(using: &$0) },
      endList: generator.once(in: 4),
      playlistType: generator.maybe { PlaylistType.allCases.randomElement(using: &$0) ?? .vod })
    if generator.once(in: 2) {
      playlist.serverControl = ServerControl(
        canBlockReload: true, canSkipUntil: generator.ticks(), holdBack: generator.maybe { $0.ticks() },
        partHoldBack: generator.maybe { $0.ticks() }, canSkipDateRanges: generator.once(in: 2))
    }
    if !playlist.endList {
      playlist.preloadHint = generator.maybe { PreloadHint(uri: $0.uri()) }
      playlist.mapPreloadHint = generator.maybe {
        PreloadHint(uri: $0.uri(), byteRangeStart: $0.number(), byteRangeLength: $0.number())
      }
    }
    var map = generator.maybe { Map.random(using: &$0) }
    playlist.segments = generator.several(0...8) { generator in
      if generator.once(in: 4) { map = .random(using: &generator) }
      return .random(map: map, using: &generator)
    }
    if generator.once(in: 2) {
      playlist.trailingDiscontinuity = generator.once(in: 2)
      playlist.trailingProgramDateTime = generator.maybe { $0.date() }
      playlist.trailingParts = generator.several(1...3) { .random(using: &$0) }
      playlist.trailingMap = map
    }
    return playlist
  }
}

extension MediaPlaylist.Segment {
  static func random(map: MediaPlaylist.Map?, using generator: inout SeededGenerator) -> Self {
    let title = generator.maybe { "t" + $0.label() + "\"" }
    return Self(
      uri: generator.uri(), duration: generator.ticks(), programDateTime: generator.maybe { $0.date() },
      discontinuity: generator.once(in: 4), map: map,
      parts: generator.several(0...3) { .random(using: &$0) }, gap: generator.once(in: 8),
      byteRange: generator.maybe { .random(using: &$0) }, title: title)
  }
}

extension MediaPlaylist.Part {
  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      uri: generator.uri(), duration: generator.ticks(), independent: generator.once(in: 2),
      gap: generator.once(in: 8), byteRange: generator.maybe { .random(using: &$0) })
  }
}

extension MediaPlaylist.Map {
  static func random(using generator: inout SeededGenerator) -> Self {
    Self(uri: generator.uri(), byteRange: generator.maybe { .random(using: &$0) })
  }
}

extension MediaPlaylist.ByteRange {
  static func random(using generator: inout SeededGenerator) -> Self {
    Self(length: generator.number(), offset: generator.number())
  }
}

extension MediaPlaylist.DateRange {
  static func random(using generator: inout SeededGenerator) -> Self {
    let start = generator.date()
    var range = Self(
      id: generator.label(), startDate: start, classification: generator.label(),
      plannedDuration: generator.maybe { $0.ticks() }, endOnNext: generator.once(in: 4),
      clientAttributes: [
        .init(name: "X-COM-EXAMPLE-A", value: .quoted(generator.label())),
        .init(name: "X-B", value: .bare(["-1.5", "0x0AF", "7"].randomElement(using: &generator) ?? "7")),
      ])
    if !range.endOnNext {
      range.endDate = generator.maybe { _ in start }
      range.duration = generator.maybe { $0.ticks() }
    }
    return range
  }
}

extension MultivariantPlaylist {
  /// A multivariant playlist that says all sorts of things.
  static func random(using generator: inout SeededGenerator) -> MultivariantPlaylist {
    MultivariantPlaylist(
      independentSegments: generator.once(in: 2),
      variants: generator.several(0...4) { generator in
        Variant(
          uri: generator.uri(), bandwidth: generator.number(), averageBandwidth: generator.maybe { $0.number() },
          codecs: generator.maybe { $0.label() },
          resolution: generator.maybe {
            PictureSize(width: Int.random(in: 1...99_999, using: &$0), height: Int.random(in: 1...99_999, using: &$0))
          },
          frameRate: generator.maybe { FrameRate(thousandths: Int.random(in: 0...240_000, using: &$0)) },
          videoRange: generator.maybe { VideoRange.allCases.randomElement(using: &$0) ?? .sdr },
          noClosedCaptions: generator.once(in: 2))
      })
  }
}
