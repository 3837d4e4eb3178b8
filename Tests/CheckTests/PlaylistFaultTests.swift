import Media
import Playlist
import Testing

@testable import Check

/// A stream in which one thing is wrong, and the one finding that it must yield.
struct Fault: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let rule: Rule
  let severity: Rule.Severity
  let run: @Sendable () -> [Finding]

  init(
    _ text: String, _ rule: Rule, _ severity: Rule.Severity = .must, _ run: @escaping @Sendable () -> [Finding]
  ) {
    testDescription = text
    self.rule = rule
    self.severity = severity
    self.run = run
  }

  static let plain: [Fault] = [
    Fault("the target duration changes", .targetDuration) {
      LiveStream().check { if $0 >= 20 { $1.targetDuration = 3 } }
    },
    Fault("a segment rounds to more than the target duration", .targetDuration) {
      LiveStream(segmentDuration: { $0 == 20 ? .milliseconds(2_600) : .seconds(2) }).check()
    },
    Fault("no segment for four seconds", .pace) {
      LiveStream().check { number, playlist in
        if (20...22).contains(number) { playlist = LiveStream().version(19) }
      }
    },
    Fault("a listed segment gets another name", .appending) {
      LiveStream().check { if $0 >= 20, let index = $1.index(of: 30) { $1.segments[index].uri = "other.mp4" } }
    },
    Fault("a listed segment gets another duration", .appending) {
      LiveStream().check {
        if $0 >= 20, let index = $1.index(of: 30) { $1.segments[index].duration = .milliseconds(1900) }
      }
    },
    Fault("a listed segment gets another init segment", .appending) {
      LiveStream(breaks: [30]).check {
        if $0 >= 20, let index = $1.index(of: 30) {
          for later in index..<$1.segments.count { $1.segments[later].map = .init(uri: "other.mp4") }
        }
      }.filter { $0.place == "segment 30" }
    },
    Fault("the newest segment is taken back", .appending) {
      LiveStream().check { if $0 == 20 { $1.segments.removeLast(2) } }
    },
    Fault("a discontinuity is added later", .appending) {
      LiveStream().check(24) { if $0 >= 20, let index = $1.index(of: 30) { $1.segments[index].discontinuity = true } }
    },
    Fault("the sequence goes back", .mediaSequence) {
      LiveStream().check { if $0 >= 20 { $1.mediaSequence -= 5 } }
    },
    Fault("a segment leaves and the sequence stays", .mediaSequence) {
      LiveStream().check { if $0 >= 20 { $1.mediaSequence -= 1 } }
    },
    Fault("the sequence jumps over numbers", .mediaSequence) {
      LiveStream().check(21) { if $0 >= 20 { $1.mediaSequence += 100 } }
    },
    Fault("the window shrinks to two segments", .window) {
      LiveStream().check { if $0 >= 20 { $1.keepLast(2) } }
    },
    Fault("the window holds five segments only", .window, .should) { LiveStream(listed: 5).check() },
    Fault("a discontinuity leaves uncounted", .discontinuity) {
      LiveStream(breaks: [20]).check { $1.discontinuitySequence = 0 }
    },
    Fault("the discontinuity sequence rises for nothing", .discontinuity) {
      LiveStream().check { if $0 >= 20 { $1.discontinuitySequence = 1 } }
    },
    Fault("the discontinuity sequence goes back", .discontinuity) {
      LiveStream(breaks: [3]).check { if $0 >= 20 { $1.discontinuitySequence = 0 } }
    },
    Fault("a map changes without a discontinuity", .splice) {
      LiveStream(breaks: [40]).check(32) {
        for index in $1.segments.indices { $1.segments[index].discontinuity = false }
      }
    },
    Fault("there are no dates", .programDateTime, .should) {
      LiveStream().check { for index in $1.segments.indices { $1.segments[index].programDateTime = nil } }
    },
    Fault("a date changes", .programDateTime) {
      LiveStream().check {
        if $0 >= 20, let index = $1.index(of: 30) { $1.segments[index].programDateTime = LiveStream.start }
      }
    },
    Fault("the clock steps back", .programDateTime) {
      LiveStream().check {
        for index in $1.segments.indices where $1.mediaSequence + index >= 40 {
          $1.segments[index].programDateTime = $1.segments[index].programDateTime?.advanced(by: .seconds(-1))
        }
      }
    },
    Fault("no date after a discontinuity", .programDateTime, .should) {
      LiveStream(breaks: [40]).check { if let index = $1.index(of: 40) { $1.segments[index].programDateTime = nil } }
    },
    Fault("independence is not promised", .independence, .should) {
      LiveStream().check { $1.independentSegments = false }
    },
    Fault("the stream is a VOD", .liveness) { LiveStream(listed: 100).check(3) { $1.playlistType = .vod } },
    Fault("the stream is an EVENT", .liveness, .should) {
      LiveStream(listed: 100).check(3) { $1.playlistType = .event }
    },
    Fault("the stream ends", .liveness, .should) { LiveStream().check(20) { if $0 == 19 { $1.endList = true } } },
    Fault("a date range is used again", .dateRange) {
      LiveStream().check {
        $1.dateRanges = [.init(id: "a", startDate: LiveStream.start.advanced(by: $0 < 20 ? .zero : .seconds(9)))]
      }
    },
    Fault("a name is used again", .mediaCaching, .should) {
      LiveStream().check {
        for index in $1.segments.indices where $1.mediaSequence + index == 45 { $1.segments[index].uri = "s10.mp4" }
      }
    },
  ]

  static let lowLatency: [Fault] = [
    Fault("no part for a second", .pace) {
      LiveStream(hasParts: true).check { number, playlist in
        if (21...22).contains(number) { playlist = LiveStream(hasParts: true).version(20) }
      }
    },
    Fault("a part changes its name", .appending) {
      LiveStream(hasParts: true).check(23) {
        if $0 == 22, !$1.trailingParts.isEmpty { $1.trailingParts[0].uri = "other.mp4" }
      }
    },
    Fault("a part is longer than the target", .partDuration) {
      LiveStream(
        hasParts: true, segmentDuration: { $0 == 20 ? .milliseconds(2_100) : .seconds(2) },
        partDuration: { $0 == 20 && $1 == 1 ? .milliseconds(600) : .milliseconds(500) }
      ).check()
    },
    Fault("a part in the middle is short", .partDuration) {
      LiveStream(
        hasParts: true, segmentDuration: { $0 == 20 ? .milliseconds(1_800) : .seconds(2) },
        partDuration: { $0 == 20 && $1 == 1 ? .milliseconds(300) : .milliseconds(500) }
      ).check()
    },
    Fault("parts are not as long as their segment", .partDuration) {
      LiveStream(hasParts: true, segmentDuration: { $0 == 20 ? .milliseconds(1_900) : .seconds(2) }).check()
    },
    Fault("parts are listed for ever", .partDuration, .should) {
      LiveStream(hasParts: true).check { number, playlist in
        guard number >= 0, let index = playlist.index(of: playlist.end - 6) else { return }
        let name = playlist.end - 6
        playlist.segments[index].parts = (0..<4).map {
          .init(uri: "s\(name).\($0).mp4", duration: .milliseconds(500), independent: $0 == 0)
        }
      }
    },
    Fault("blocking reload is not promised", .serverControl) {
      LiveStream(hasParts: true).check { $1.serverControl?.canBlockReload = false }
    },
    Fault("HOLD-BACK is small", .serverControl) {
      LiveStream(hasParts: true).check { $1.serverControl?.holdBack = .seconds(5) }
    },
    Fault("PART-HOLD-BACK is missing", .serverControl) {
      LiveStream(hasParts: true).check { $1.serverControl?.partHoldBack = nil }
    },
    Fault("PART-HOLD-BACK is below two part targets", .serverControl) {
      LiveStream(hasParts: true).check { $1.serverControl?.partHoldBack = .milliseconds(900) }
    },
    Fault("PART-HOLD-BACK is two part targets", .serverControl, .should) {
      LiveStream(hasParts: true).check { $1.serverControl?.partHoldBack = .seconds(1) }
    },
    Fault("CAN-SKIP-UNTIL is small", .serverControl) {
      LiveStream(hasParts: true).check { $1.serverControl?.canSkipUntil = .seconds(11) }
    },
    Fault("there are no deltas", .serverControl, .should) {
      LiveStream(hasParts: true).check { $1.serverControl?.canSkipUntil = nil }
    },
    Fault("nothing is hinted at", .preloadHint, .should) { LiveStream(hasParts: true).check { $1.preloadHint = nil } },
    Fault("the hint was wrong", .preloadHint, .should) {
      LiveStream(hasParts: true).check { if $0 == 20 { $1.preloadHint?.uri = "other.mp4" } }
    },
  ]
}

@Suite struct PlaylistFaultTests {
  @Test("A broken sequence of playlists yields its own finding and no other", arguments: Fault.plain + Fault.lowLatency)
  func yieldsItsFinding(_ fault: Fault) {
    let findings = fault.run()
    #expect(findings.map(\.rule) == [fault.rule], "\(findings.map { "\($0.rule.rawValue) \($0.place) \($0.message)" })")
    #expect(findings.first?.severity == fault.severity)
  }

  @Test("A good stream yields nothing", arguments: [false, true])
  func goodStream(hasParts: Bool) {
    #expect(LiveStream(hasParts: hasParts).check(200) == [])
    #expect(LiveStream(hasParts: hasParts, breaks: [16, 20, 21]).check(200) == [])
  }

  @Test("Answers that come late because the check is late say nothing about the server")
  func lateCheckFindsNothing() {
    #expect(LiveStream().check(late: .seconds(30)) == [])
    #expect(LiveStream(hasParts: true).check(late: .seconds(30)) == [])
  }

  @Test("A check that asks seldom finds no lateness")
  func seldomAsked() {
    var history = PlaylistHistory(url: "")
    for number in stride(from: 0, to: 60, by: 5) {
      let time = Ticks.seconds(Int64(2 * number))
      let findings = history.take(LiveStream().version(number), asked: time, arrived: time + .seconds(4)).findings
      #expect(findings == [])
    }
  }

  @Test("Of two requests under way at once the older answer may come later")
  func crossedAnswers() {
    var history = PlaylistHistory(url: "")
    _ = history.take(LiveStream().version(6), asked: .seconds(10), arrived: .seconds(12))
    #expect(history.take(LiveStream().version(5), asked: .seconds(10), arrived: .seconds(13)).findings == [])
    #expect(
      history.take(LiveStream().version(5), asked: .seconds(12), arrived: .seconds(13)).findings.first?.rule
        == .mediaSequence)
  }

  @Test("A check that stalled for longer than parts are listed does not take the hint for wrong")
  func stalledCheck() {
    let stream = LiveStream(hasParts: true)
    for first in 20..<24 {
      var history = PlaylistHistory(url: "")
      _ = history.take(stream.version(first), asked: .seconds(10), arrived: .seconds(10))
      #expect(history.take(stream.version(first + 17), asked: .seconds(10), arrived: .seconds(19)).findings == [])
    }
  }

  @Test("What holds is judged, what does not concern the stream is not")
  func judgement() {
    var history = PlaylistHistory(url: "")
    var judged: Set<Rule> = []
    for number in 0..<10 {
      let time = Ticks.seconds(Int64(2 * number))
      judged.formUnion(history.take(LiveStream().version(number), asked: time, arrived: time).judged)
    }
    #expect(judged.isSuperset(of: [.targetDuration, .pace, .appending, .mediaSequence, .window, .programDateTime]))
    #expect(judged.isDisjoint(with: [.partDuration, .serverControl, .preloadHint, .dateRange, .splice]))
  }
}

extension MediaPlaylist {
  func index(of number: Int) -> Int? {
    segments.indices.contains(number - mediaSequence) ? number - mediaSequence : nil
  }

  mutating func keepLast(_ count: Int) {
    mediaSequence += segments.count - count
    segments = segments.suffix(count)
  }
}
