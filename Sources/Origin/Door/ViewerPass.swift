import Access
import HTTPTypes
import Hummingbird
import Media

/// The right to see a camera, from a viewer's address.
struct ViewerPass: Hashable, Sendable {
  /// The result for one camera.
  enum Verdict: Hashable {
    /// The camera can be seen.
    case seen
    /// For this viewer, there is no such camera.
    case unknown
    /// The viewer had the right, and it has ended.
    case ended
  }

  /// The link in the address.
  let link: ViewerLink?
  /// The path without it.
  let path: Substring

  /// Removes the folder with a link, `/CAMERA/~EXPIRY.SIGNATURE/`, from a path that has one.
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

  /// Whether a camera can be seen.
  func verdict(for camera: CameraName, access: ViewerAccess, key: LinkKey?, now: WallTime) -> Verdict {
    switch access {
    case .open: return link == nil ? .seen : .unknown
    case .signed:
      guard let link, let key, link.isGenuine(camera: camera, key: key) else { return .unknown }
      return secondsLeft(now) ?? 0 > 0 ? .seen : .ended
    }
  }

  /// How many whole seconds the link is still valid; `nil` without one.
  func secondsLeft(_ now: WallTime) -> Int64? { link.map { $0.expiry - now.milliseconds / 1000 } }

  /// An answer that no cache keeps longer than the link is valid.
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
