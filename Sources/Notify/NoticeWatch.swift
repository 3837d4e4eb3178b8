import Media

/// Finds out from one observation to the next what the operator wants to hear of. Pure; the owner observes once a second.
package struct NoticeWatch: Sendable {
  private struct CameraMemory: Sendable {
    var seen: Ticks
    /// What the operator was told: `nil` for nothing.
    var isOn: Bool?
    var waves: Int64
    var wavesBegan: Ticks?
    var wavesTold: Ticks?
    var failures: Int64
    var failed: Ticks?
  }

  /// How long after the start a camera that has sent nothing is not yet told of.
  static let grace = Ticks.seconds(30)
  /// How long waves are gathered before they are told.
  static let wavesGathered = Ticks.seconds(10)
  /// The shortest time between two notices of waves.
  static let wavesApart = Ticks.seconds(60)
  /// How long no write fails before the store counts as well again.
  static let storeCalm = Ticks.seconds(120)
  /// How many wrong tokens are no mistake.
  static let guesses: Int64 = 5
  /// The shortest time between two notices of them, and how long fewer are remembered.
  static let guessesApart = Ticks.seconds(600)

  private var cameras: [String: CameraMemory] = [:]
  private var certificates: [String: Observation.CertificateFacts.State] = [:]
  private var tokens: (count: Int64, since: Ticks, told: Ticks?)?

  /// A watch that has seen nothing.
  package init() {}

  /// What is new.
  ///
  /// - Parameter link: where a camera can be seen; called for notices alone.
  package mutating func notices(
    in observation: Observation, at now: Ticks, wall: WallTime, link: (String) -> Notice.CameraLink?
  ) -> [Notice] {
    var found: [Notice] = []
    let names = Set(observation.cameras.map(\.name))
    cameras = cameras.filter { names.contains($0.key) }
    for facts in observation.cameras where facts.hasBegun {
      var memory =
        cameras[facts.name] ?? CameraMemory(seen: now, waves: facts.waves, failures: facts.failures)
      let notices =
        Self.presence(facts, &memory, now, wall) + Self.waves(facts, &memory, now, wall)
        + Self.store(facts, &memory, now, wall)
      cameras[facts.name] = memory
      for var notice in notices {
        notice.camera = link(facts.name) ?? Notice.CameraLink(camera: facts.name, title: facts.title)
        found.append(notice)
      }
    }
    for certificate in observation.certificates { found += self.certificate(certificate, wall) }
    return found + guessed(observation, now, wall)
  }

  // MARK: Cameras

  private static func presence(
    _ facts: Observation.CameraFacts, _ memory: inout CameraMemory, _ now: Ticks, _ wall: WallTime
  ) -> [Notice] {
    if facts.isOn {
      defer { memory.isOn = true }
      guard memory.isOn == false else { return [] }
      return [Notice(.cameraBack, at: wall, "\(facts.title) sends pictures again.")]
    }
    guard memory.isOn != false, memory.isOn == true || now - memory.seen >= grace else { return [] }
    memory.isOn = false
    let since = facts.lastStill.map { "since \($0)" } ?? "since Quietcam was started"
    var notice = Notice(.cameraOff, at: wall, "\(facts.title) has sent no picture \(since).")
    notice.since = facts.lastStill
    return [notice]
  }

  private static func waves(
    _ facts: Observation.CameraFacts, _ memory: inout CameraMemory, _ now: Ticks, _ wall: WallTime
  ) -> [Notice] {
    guard facts.waves > memory.waves else { return [] }
    let began = memory.wavesBegan ?? now
    memory.wavesBegan = began
    guard now - began >= wavesGathered, memory.wavesTold.map({ now - $0 >= wavesApart }) ?? true else { return [] }
    let count = facts.waves - memory.waves
    (memory.waves, memory.wavesBegan, memory.wavesTold) = (facts.waves, nil, now)
    var notice = Notice(.waves, at: wall, "\(facts.title): \(count) \(count == 1 ? "visitor" : "visitors") waved.")
    notice.count = count
    return [notice]
  }

  private static func store(
    _ facts: Observation.CameraFacts, _ memory: inout CameraMemory, _ now: Ticks, _ wall: WallTime
  ) -> [Notice] {
    if facts.failures > memory.failures {
      let (count, isNew) = (facts.failures - memory.failures, memory.failed == nil)
      (memory.failures, memory.failed) = (facts.failures, now)
      guard isNew else { return [] }
      var notice = Notice(
        .storeTrouble, at: wall,
        "\(facts.title): writing to the store fails. Viewers notice nothing, but a restart would lose what was shown; "
          + "see the log.")
      notice.count = count
      return [notice]
    }
    guard let failed = memory.failed, now - failed >= storeCalm else { return [] }
    memory.failed = nil
    return [Notice(.storeWell, at: wall, "\(facts.title): writing to the store has not failed for two minutes.")]
  }

  // MARK: The server

  private mutating func certificate(_ facts: Observation.CertificateFacts, _ wall: WallTime) -> [Notice] {
    let before = certificates.updateValue(facts.state, forKey: facts.file) ?? .good
    guard before != facts.state else { return [] }
    var notice: Notice
    switch facts.state {
    case .good: notice = Notice(.certificateWell, at: wall, "The certificate in \(facts.file) is good again.")
    case .endsSoon(let end):
      notice = Notice(
        .certificateEnds, at: wall,
        "The certificate in \(facts.file) expires on \(end); renew it, and it is taken at once.")
      notice.since = end
    case .ended(let end):
      notice = Notice(
        .certificateEnds, at: wall, "The certificate in \(facts.file) has expired on \(end) and browsers refuse it.")
      notice.since = end
    case .notYet(let start):
      notice = Notice(
        .certificateEnds, at: wall,
        "The certificate in \(facts.file) is good only from \(start) on and browsers refuse it; check the clock.")
      notice.since = start
    }
    notice.file = facts.file
    return [notice]
  }

  private mutating func guessed(_ observation: Observation, _ now: Ticks, _ wall: WallTime) -> [Notice] {
    guard var tokens else {
      self.tokens = (observation.wrongTokens, now, nil)
      return []
    }
    defer { self.tokens = tokens }
    let count = observation.wrongTokens - tokens.count
    guard count >= Self.guesses, tokens.told.map({ now - $0 >= Self.guessesApart }) ?? true else {
      // A few that come now and then are mistakes.
      if count < Self.guesses, now - tokens.since >= Self.guessesApart {
        (tokens.count, tokens.since) = (observation.wrongTokens, now)
      }
      return []
    }
    tokens = (observation.wrongTokens, now, now)
    var notice = Notice(
      .tokenGuessed, at: wall,
      "\(count) wrong tokens or signatures came: somebody guesses, or a camera has an old token.")
    notice.count = count
    notice.addresses = observation.guessers.prefix(5).map(\.address)
    return [notice]
  }
}
