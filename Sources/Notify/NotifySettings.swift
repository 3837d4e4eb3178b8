/// Who hears of what happens: small, so that it can be replaced while the server runs.
package struct NotifySettings: Hashable, Sendable {
  /// The receivers.
  package var receivers: [WebhookAddress]
  /// The secret that messages are signed with.
  package var secret: String

  /// Nobody.
  package static let none = NotifySettings(receivers: [], secret: "")

  /// These receivers.
  package init(receivers: [WebhookAddress], secret: String) {
    self.receivers = receivers
    self.secret = secret
  }
}
