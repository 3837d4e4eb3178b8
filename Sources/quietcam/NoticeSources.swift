import Access
import Media
import Notify
import Origin
import Settings
import Station

/// What the notifier observes of a running server: counters that are there anyway.
enum NoticeSources {
  /// How long a link to a camera with `access: signed` is valid at least, in seconds.
  private static let linkTime: Int64 = 86_400

  /// The sources of a server.
  static func of(
    _ settings: ServeSettings, station: Station, certificates: [CertificateKeeper], limits: AccessLimits
  ) -> Notifier.Sources {
    let clock = StationClock.system()
    return Notifier.Sources(
      observe: {
        var observation = Observation()
        observation.cameras = station.cameras.map(facts)
        observation.certificates = certificates.map { .init(file: $0.files.certificate, state: state($0.validity)) }
        let tokens = limits.withTokens { $0.counted(most: 5) }
        observation.wrongTokens = tokens.wrong + tokens.slowed
        observation.guessers = tokens.addresses
        return observation
      },
      link: { name, _ in station.cameras.first { $0.settings.name.text == name }.map { link($0, settings) } },
      now: clock.now, wall: clock.wall)
  }

  private static func facts(_ camera: Camera) -> Observation.CameraFacts {
    let (counters, settings) = (camera.counters, camera.settings)
    var facts = Observation.CameraFacts(name: settings.name.text, title: settings.title ?? settings.name.text)
    facts.hasBegun = counters.parts > 0
    facts.isOn = counters.isOn
    facts.lastStill = counters.lastStill
    facts.waves = counters.waves
    facts.failures = counters.storeFailures + Int64(camera.photos.failures)
    return facts
  }

  private static func state(_ validity: LoadedCertificate.Validity) -> Observation.CertificateFacts.State {
    switch validity {
    case .good: .good
    case .notYet(let start): .notYet(start)
    case .endsSoon(let end): .endsSoon(end)
    case .expired(let end): .ended(end)
    }
  }

  /// Where the camera's page and last picture are, as viewers see them; pictures themselves are never sent.
  ///
  /// A camera with `access: signed` gets a link that ends. While it is paused there is no photo of its own, only
  /// `latest.jpg`; under a veil it is as without one, so that a message does not tell of the veil either.
  private static func link(_ camera: Camera, _ settings: ServeSettings) -> Notice.CameraLink {
    let (name, title) = (camera.settings.name, camera.settings.title ?? camera.settings.name.text)
    let access = settings.doors[name]?.access ?? .signed
    guard let base = settings.site.baseURL, access == .open || settings.linkKey != nil else {
      return Notice.CameraLink(camera: name.text, title: title)
    }
    var page = "\(base)\(name)/"
    if access != .open, let key = settings.linkKey {
      let expiry = ViewerLink.expiry(after: linkTime, from: WallTime.now.milliseconds / 1000)
      page += "\(ViewerLink(camera: name, expiry: expiry, key: key))/"
    }
    let counters = camera.counters
    // What was ordered counts at once, and not only with the next part.
    let isPaused = counters.source == .paused || counters.standing.isPaused || counters.hours?.isShown == false
    let photo = isPaused ? nil : camera.photos.newest
    return Notice.CameraLink(
      camera: name.text, title: title, page: page, picture: page + (photo.map { "\($0)" } ?? "latest.jpg"))
  }
}
