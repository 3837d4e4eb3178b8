import Access
import Media
import Station

/// What both listeners answer from at one moment. A reload replaces it as a whole, and a request is answered from the
/// state in which it came.
package struct DoorState: Sendable {
  /// The cameras, in the order of the configuration.
  package var cameras: [Camera]
  /// Who may bring stills to which camera and who may see it; a camera that is missing is closed.
  package var doors: [CameraName: DoorSettings]
  /// The pages.
  package var web: WebAssets
  /// What other sites can do with the content.
  package var site: SitePolicy
  /// The key that signs links to private cameras; without one nobody sees them.
  package var linkKey: LinkKey?
  /// The operator's token.
  package var operatorToken: TokenDigest
  /// The names that requests can ask the private listener by.
  package var privateHosts: PrivateHosts

  /// The proxies whose word on where a request comes from is taken.
  package var trustedProxies: TrustedProxies

  /// A state of these parts.
  package init(
    cameras: [Camera], doors: [CameraName: DoorSettings], web: WebAssets, site: SitePolicy, linkKey: LinkKey?,
    operatorToken: TokenDigest, privateHosts: PrivateHosts, trustedProxies: TrustedProxies
  ) {
    self.cameras = cameras
    self.doors = doors
    self.web = web
    self.site = site
    self.linkKey = linkKey
    self.operatorToken = operatorToken
    self.privateHosts = privateHosts
    self.trustedProxies = trustedProxies
  }
}
