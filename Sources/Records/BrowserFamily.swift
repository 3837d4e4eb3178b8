/// What is kept of a `User-Agent`: the browser's family, and nothing of its version or system.
package enum BrowserFamily: String, Hashable, Sendable, CaseIterable {
  case chrome, edge, firefox, opera, safari, samsung, other
  /// Players that are no browsers: VLC, mpv, Kodi and others.
  case player

  /// The family; `nil` for programs that nobody watches with: crawlers, previews, monitors, scripts.
  package init?(userAgent text: String) {
    // A maker of telephones has a name that ends as robots' names do.
    let text = text.prefix(512).lowercased().replacing("cubot", with: "")
    guard !text.isEmpty, !Self.robots.contains(where: { text.contains($0) }) else { return nil }
    // On iOS every browser plays by the system's own player, which names itself and not the browser.
    if text.contains("applecoremedia") || text.contains("iphone") || text.contains("ipad") {
      self = .safari
    } else if Self.players.contains(where: { text.contains($0) }) {
      self = .player
    } else if text.contains("edg/") || text.contains("edga/") {
      self = .edge
    } else if text.contains("opr/") || text.contains("opera") {
      self = .opera
    } else if text.contains("samsungbrowser") {
      self = .samsung
    } else if text.contains("firefox/") {
      self = .firefox
    } else if text.contains("chrome/") || text.contains("chromium/") {
      self = .chrome
    } else if text.contains("safari/") {
      self = .safari
    } else {
      self = .other
    }
  }

  /// Words in the names of programs that nobody watches with.
  private static let robots = [
    "bot", "crawl", "spider", "slurp", "preview", "headless", "phantomjs", "lighthouse", "curl/", "wget", "python",
    "go-http", "java/", "okhttp", "axios", "node-fetch", "undici", "libwww", "httpclient", "http-client", "scrapy",
    "facebookexternalhit", "whatsapp", "telegram", "discord", "embedly", "monitor", "uptime", "pingdom", "statuscake",
    "feed", "rss", "validator", "archiver", "quietcam",
  ]

  private static let players = [
    "vlc", "libvlc", "mpv", "lavf", "kodi", "exoplayer", "roku", "gstreamer", "infuse", "nsplayer", "stagefright",
    "iptv", "ffmpeg",
  ]
}
