import Access
import HTTPTypes
import Hummingbird
import Media
import Packager
import Records
import Station

/// Tells the records who watches: what the element says, and which players ask for playlists.
///
/// Nobody is counted who asks for that (`Sec-GPC`, `DNT`), and nothing that a browser fetches ahead. Nothing of the
/// visitor is kept or logged here.
struct Watching: Sendable {
  private let records: Records
  private let site: SitePolicy

  init(_ records: Records, site: SitePolicy) {
    (self.records, self.site) = (records, site)
  }

  /// The answer to an element that says for how many seconds its picture was visible: `seen?seconds=60`, and with
  /// `&last` if it is not visible any longer. It is the same whether they count or not.
  func seen(_ request: Request, query: Substring, camera: CameraName, visitor: Visitor) -> Response {
    guard WavePolicy.allows(request, site: site) else {
      return Reply.error(
        request, .forbidden, "otherSite",
        "visits are not counted from pages of this site; its operator can be asked to name it in allow-origin")
    }
    guard let text = Query.value("seconds", in: query), text.utf8.count <= 6,
      text.utf8.allSatisfy({ (48...57).contains($0) }), let seconds = Int64(text)
    else {
      return Reply.error(
        request, .badRequest, "noSeconds",
        "send seconds=NUMBER with the seconds for which the picture was visible")
    }
    if Self.counts(request.headers) {
      records.seen(
        address: visitor.address, userAgent: request.headers[.userAgent] ?? "", camera: camera, seconds: seconds,
        isLast: query.split(separator: "&").contains { $0 == "last" || $0.hasPrefix("last=") })
    }
    return Response(
      status: .noContent, headers: [.cacheControl: Reply.Caching.none.header, .accessControlAllowOrigin: "*"])
  }

  /// Notes a playlist that was answered.
  func answered(
    _ request: Request, _ route: PublicRoute, _ status: HTTPResponse.Status, camera: Camera, visitor: Visitor
  ) {
    guard request.method == .get, status.kind == .successful || status == .notModified, Self.counts(request.headers)
    else { return }
    let timeline = camera.settings.timeline
    let target: Int
    switch route {
    case .media: target = timeline.targetDuration
    case .plain: target = timeline.plain.targetDuration
    default: return
    }
    records.asked(
      address: visitor.address, userAgent: request.headers[.userAgent] ?? "", camera: camera.settings.name,
      pause: Self.pause(targetDuration: target))
  }

  /// In how many seconds at most a player comes back: it asks again after a target duration at most (rfc8216bis, section
  /// 6.3.4), and is late now and then.
  static func pause(targetDuration: Int) -> Int64 { Int64(targetDuration + targetDuration / 2 + 5) }

  /// Whether a request is one of somebody who watches and does not mind being counted.
  static func counts(_ fields: HTTPFields) -> Bool {
    if fields[.secGPC] == "1" || fields[.doNotTrack] == "1" { return false }
    return ![HTTPField.Name.secPurpose, .purpose, .xMoz, .xPurpose].contains { name in
      guard let value = fields[name]?.lowercased() else { return false }
      return value.contains("prefetch") || value.contains("prerender") || value.contains("preview")
    }
  }
}

extension HTTPField.Name {
  static let secGPC = HTTPField.Name("Sec-GPC")!
  static let doNotTrack = HTTPField.Name("DNT")!
  static let purpose = HTTPField.Name("Purpose")!
  static let xPurpose = HTTPField.Name("X-Purpose")!
  static let xMoz = HTTPField.Name("X-Moz")!
}
