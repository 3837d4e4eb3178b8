import Foundation

/// The browsers of `quietcam bench latency`, started without a window and with a profile of their own.
package enum LatencyBrowser: String, CaseIterable, Sendable {
  /// Chromium or Chrome.
  case chromium
  /// Firefox, also as the extended support release.
  case firefox

  private var program: ExternalProgram {
    let names =
      switch self {
      case .chromium: ["chromium", "chromium-browser", "google-chrome"]
      case .firefox: ["firefox-esr", "firefox"]
      }
    let programs = names.map { ExternalProgram($0, package: names[0]) }
    return programs.first(where: \.isInstalled) ?? programs[0]
  }

  /// Whether it is installed.
  package var isInstalled: Bool { program.isInstalled }

  /// Shows `url` in it until the task is cancelled.
  ///
  /// - Throws: if it is not installed or does not start.
  package func show(_ url: String) async throws {
    try await withBenchFolder { folder in try await program.run(arguments(url, profile: folder)) }
  }

  private func arguments(_ url: String, profile folder: URL) throws -> [String] {
    switch self {
    case .chromium:
      return [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run",
        "--autoplay-policy=no-user-gesture-required", "--disable-background-timer-throttling",
        "--user-data-dir=\(folder.path)", "\(url)#chromium",
      ]
    case .firefox:
      let preferences = """
        user_pref("media.autoplay.default", 0);
        user_pref("browser.shell.checkDefaultBrowser", false);
        user_pref("datareporting.policy.dataSubmissionEnabled", false);
        user_pref("app.update.enabled", false);
        user_pref("browser.aboutwelcome.enabled", false);
        user_pref("toolkit.telemetry.enabled", false);
        """
      try Data(preferences.utf8).write(to: folder.appending(path: "user.js"))
      return ["--headless", "--no-remote", "--profile", folder.path, "\(url)#firefox"]
    }
  }
}
