import Media
import Testing

@testable import Notify

@Suite struct NoticeWatchTests {
  /// A watch with a clock: each step is a second.
  private struct Watched {
    var watch = NoticeWatch()
    var observation = Observation()
    var now = Ticks.seconds(1000)

    init() { observation.cameras = [.init(name: "desk", title: "My desk")] }

    mutating func seconds(_ count: Int) -> [Notice] {
      var found: [Notice] = []
      for _ in 0..<count {
        now = now + .seconds(1)
        found += watch.notices(
          in: observation, at: now, wall: WallTime(milliseconds: now.milliseconds), link: { _ in nil })
      }
      return found
    }
  }

  @Test func aCameraThatFallsSilentIsToldOnceAndSoIsItsReturn() {
    var watched = Watched()
    #expect(watched.seconds(100) == [])
    watched.observation.cameras[0].isOn = false
    watched.observation.cameras[0].lastStill = WallTime(milliseconds: 1_790_000_000_000)
    let off = watched.seconds(100)
    #expect(off.map(\.event) == [.cameraOff] && off[0].since == WallTime(milliseconds: 1_790_000_000_000))
    #expect(
      off[0].text == "My desk has sent no picture since 2026-09-21T14:13:20.000Z." && off[0].camera?.camera == "desk")
    watched.observation.cameras[0].isOn = true
    #expect(watched.seconds(100).map(\.event) == [.cameraBack])
  }

  @Test func afterAStartACameraHasTimeToComeBack() {
    var watched = Watched()
    watched.observation.cameras[0].isOn = false
    #expect(watched.seconds(25) == [])
    watched.observation.cameras[0].isOn = true
    #expect(watched.seconds(100) == [], "nobody was told that it was off")
    var silent = Watched()
    silent.observation.cameras[0].isOn = false
    #expect(silent.seconds(100).map(\.event) == [.cameraOff])
    var late = Watched()
    late.observation.cameras[0].hasBegun = false
    late.observation.cameras[0].isOn = false
    #expect(late.seconds(100) == [], "a camera that has published nothing is not known yet")
  }

  @Test func wavesAreGathered() {
    var watched = Watched()
    _ = watched.seconds(1)
    var told: [Notice] = []
    for _ in 0..<120 {
      watched.observation.cameras[0].waves += 3
      told += watched.seconds(1)
    }
    #expect(told.count == 2 && told.allSatisfy { $0.event == .waves })
    #expect(told[0].count == 33 && told[1].count == 180)
    let last = watched.seconds(120)
    #expect(last.compactMap(\.count) == [147] && last[0].text == "My desk: 147 visitors waved.")
    watched.observation.cameras[0].waves += 1
    #expect(watched.seconds(120).map(\.text) == ["My desk: 1 visitor waved."])
  }

  @Test func diskTroubleIsToldWhenItBeginsAndEnds() {
    var watched = Watched()
    _ = watched.seconds(1)
    var told: [Notice] = []
    for _ in 0..<60 {
      watched.observation.cameras[0].failures += 1
      told += watched.seconds(10)
    }
    #expect(told.map(\.event) == [.storeTrouble] && told[0].count == 1)
    #expect(watched.seconds(300).map(\.event) == [.storeWell])
  }

  @Test func certificatesAreToldWhenTheirStateChanges() {
    var watched = Watched()
    func state(_ state: Observation.CertificateFacts.State) -> [Observation.CertificateFacts] {
      [.init(file: "a.pem", state: state)]
    }
    watched.observation.certificates = state(.good)
    #expect(watched.seconds(10) == [])
    let end = WallTime(milliseconds: 1_790_000_000_000)
    watched.observation.certificates = state(.endsSoon(end))
    let soon = watched.seconds(10)
    #expect(soon.map(\.event) == [.certificateEnds] && soon[0].file == "a.pem" && soon[0].since == end)
    watched.observation.certificates = state(.ended(end))
    #expect(watched.seconds(10).map(\.event) == [.certificateEnds])
    watched.observation.certificates = state(.good)
    #expect(watched.seconds(10).map(\.event) == [.certificateWell])
    watched.observation.certificates = [.init(file: "b.pem", state: .notYet(end))]
    #expect(watched.seconds(10).map(\.event) == [.certificateEnds])
  }

  @Test func someWrongTokensAreGuessesAndOneIsAMistake() {
    var watched = Watched()
    watched.observation.wrongTokens = 100
    #expect(watched.seconds(10) == [], "what came before the watch began is not new")
    for _ in 0..<10 {
      watched.observation.wrongTokens += 1
      #expect(watched.seconds(601) == [], "one in ten minutes")
    }
    watched.observation.wrongTokens += 7
    watched.observation.guessers = [("203.0.113.7", 7), ("::1", 1)]
    let told = watched.seconds(1)
    #expect(told.map(\.event) == [.tokenGuessed] && told[0].count == 7)
    #expect(told[0].addresses == ["203.0.113.7", "::1"] && told[0].camera == nil)
    watched.observation.wrongTokens += 1000
    #expect(watched.seconds(590) == [], "it is told once in ten minutes")
    #expect(watched.seconds(20).map(\.count) == [1000])
  }

  @Test func camerasThatGoAreForgotten() {
    var watched = Watched()
    _ = watched.seconds(1)
    watched.observation.cameras = []
    #expect(watched.seconds(10) == [])
    watched.observation.cameras = [.init(name: "desk", title: "My desk")]
    watched.observation.cameras[0].waves = 50
    #expect(watched.seconds(100) == [], "it begins anew")
  }
}
