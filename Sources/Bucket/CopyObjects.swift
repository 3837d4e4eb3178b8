import Media

/// The media and photos of one camera that are in the bucket or may be, and since when nothing needs them.
///
/// What may be there and cannot be removed for a long time is forgotten, so that an absence of the bucket costs no memory
/// for each segment that was tried: the objects have to be listed once more then.
struct CopyObjects: Sendable {
  /// How long after its failure a request may still be carried out.
  static let lateness = Ticks.seconds(60)

  private enum Presence { case there, perhaps }

  private var known: [String: Presence] = [:]
  /// Objects whose writing failed: the server may carry such a request out much later, also after a removal.
  private var late: Set<String> = []
  /// When what was removed is removed once more, because a late request may have brought it back.
  private var removedAgainAt: [String: Ticks] = [:]
  /// Since when nothing needs an object.
  private var idleSince: [String: Ticks] = [:]

  /// All that are there or may be.
  var names: Set<String> { Set(known.keys) }

  /// Whether an object is there for certain.
  func isThere(_ name: String) -> Bool { known[name] == .there }

  /// Whether it is there or may be.
  func mayBeThere(_ name: String) -> Bool { known[name] != nil }

  // MARK: What becomes of requests

  /// Notes that a look has found it.
  mutating func found(_ name: String) { known[name] = .there }

  mutating func beginWriting(_ name: String) { known[name] = known[name] ?? .perhaps }

  mutating func wrote(_ name: String) { known[name] = .there }

  mutating func failedToWrite(_ name: String) { late.insert(name) }

  /// Notes that a removal begins: it may be gone from now on.
  mutating func beginRemoval(_ name: String) { known[name] = .perhaps }

  mutating func removed(_ name: String, at now: Ticks) {
    let isAgain = removedAgainAt.removeValue(forKey: name) != nil
    if late.remove(name) != nil, !isAgain { removedAgainAt[name] = now + Self.lateness }
    known[name] = nil
    idleSince[name] = nil
  }

  // MARK: What nothing needs

  /// Notes which objects nothing needs any more, from now on.
  mutating func settle(needed: Set<String>, at now: Ticks) {
    for name in known.keys {
      if needed.contains(name) {
        idleSince[name] = nil
      } else if idleSince[name] == nil {
        idleSince[name] = now
      }
    }
  }

  /// Lets an object's time be over now, as nothing needs it.
  mutating func expire(_ name: String, after time: Ticks, at now: Ticks) { idleSince[name] = now - time }

  /// The objects that nothing has needed for their time.
  ///
  /// - Parameter time: how long an object stays that nothing needs.
  func expired(at now: Ticks, after time: (String) -> Ticks) -> [String] {
    idleSince.compactMap { name, since in since + time(name) <= now ? name : nil }
  }

  /// The removed objects that are to be removed once more.
  func removedAgain(at now: Ticks) -> [String] {
    removedAgainAt.compactMap { name, due in due <= now && known[name] == nil ? name : nil }
  }

  /// When an object's time is over, or it is to be removed once more.
  func deadlines(after time: (String) -> Ticks, besides busy: Set<String>) -> [Ticks] {
    idleSince.compactMap { name, since in busy.contains(name) ? nil : since + time(name) } + removedAgainAt.values
  }

  /// Forgets what may not even be there, and could have been removed for so long that no request for it can still be
  /// carried out.
  ///
  /// - Returns: what it has forgotten. It has to be looked for.
  mutating func forget(at now: Ticks, after time: (String) -> Ticks, besides busy: Set<String>) -> [String] {
    let long = expired(at: now) { time($0) + Self.lateness * 2 }
    let forgotten = long.filter { known[$0] == .perhaps && !busy.contains($0) }
    for name in forgotten {
      (known[name], idleSince[name]) = (nil, nil)
      late.remove(name)
    }
    return forgotten
  }
}
