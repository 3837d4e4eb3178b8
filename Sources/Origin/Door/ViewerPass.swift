import Access
import HTTPTypes
import Hummingbird
import Media

/// What a viewer's address says about the right to see a camera.
struct ViewerPass: Hashable, Sendable {
  /// What follows from it for one camera.
  enum Verdict: Hashable {
    /// The camera may be seen.
    case seen
    /// There is no such camera, as far as this viewer is told.
    case unknown
    /// There was the right, and it has ended.
    case ended
  }

  /// The link in the address.
  let link: ViewerLink?
  /// The path without it.
  let path: Substring

  /// Takes the folder with a link, `/CAMERA/~EXPIRY.SIGNATURE/`, out of a path that has one.
  init(path: Substring) {
    let pieces = path.dropFirst().split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard pieces.count >= 2, let link = ViewerLink(pieces[1]) else {
      self.link = nil
      self.path = path
      return
    }
    self.link = link
    self.path = "/\(pieces[0])" + (pieces.count == 3 ? "/\(pieces[2])" : "")
  }

  /// Whether a camera may be seen with this.
  func verdict(for camera: CameraName, access: ViewerAccess, key: LinkKey?, now: WallTime) -> Verdict {
    switch access {
    case .open: return link == nil ? .seen : .unknown
    case .signed:
      guard let link, let key, link.isGenuine(camera: camera, key: key) else { return .unknown }
      return secondsLeft(now) ?? 0 > 0 ? .seen : .ended
    }
  }

  /// The whole seconds for which the link is still good; `nil` without one.
  func secondsLeft(_ now: WallTime) -> Int64? { link.map { $0.expiry - now.milliseconds / 1000 } }

  /// An answer that no cache keeps for longer than the link lasts.
  func limiting(_ response: Response, now: WallTime) -> Response {
    guard let left = secondsLeft(now), let header = response.headers[.cacheControl],
      let start = header.firstRange(of: "max-age=")?.upperBound
    else { return response }
    let digits = header[start...].prefix { $0.isNumber }
    guard let seconds = Int64(digits), seconds > left else { return response }
    var response = response
    response.headers[.cacheControl] = header[..<start] + "\(max(0, left))" + header[digits.endIndex...]
    return response
  }
}
