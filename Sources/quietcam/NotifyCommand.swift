import Access
import ArgumentParser
import Foundation
import Media
import Notify
import Settings
import Station

/// `quietcam notify`: tries whether messages arrive.
struct NotifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notify", abstract: "Send a test message to the addresses of notify.",
    discussion: """
      Takes notify and notify-secret from the same configuration as `serve`. With --test it sends one message of the event \
      test to each address and prints what came of it; without, it prints the receivers.
      """)

  @Option(help: ArgumentHelp("The YAML file that the server has.", valueName: "file")) var config: String?
  @Option(help: .setting("notify")) var notify: String?
  @Option(help: .setting("notify-secret")) var notifySecret: String?
  @Option(help: .setting("notify-secret-file")) var notifySecretFile: String?
  @Flag(help: "Send the message.") var test = false

  func run() async throws {
    var flags: [String: String] = [:]
    if let notify { flags["notify"] = notify }
    if let notifySecret { flags["notify-secret"] = notifySecret }
    if let notifySecretFile { flags["notify-secret-file"] = notifySecretFile }
    if config == nil, ProcessInfo.processInfo.environment["QUIETCAM_CONFIG"] == nil {
      // Only the receivers matter, but a configuration has a camera, and a camera a token.
      flags["camera"] = ServeSettings.demoName
      flags["token"] = AccessToken().text
    }
    let settings = try ServeSettings.load(config: config, flags: flags).notify
    guard !settings.receivers.isEmpty else {
      throw ValidationError("no address is given; write notify: https://example.org/hook, or give --notify")
    }
    guard test else {
      for receiver in settings.receivers { print(receiver.name) }
      return
    }
    let (sender, signature) = (WebhookSender(), WebhookSignature(secret: settings.secret))
    var hasFailed = false
    for receiver in settings.receivers {
      var queue = NoticeQueue(most: 1, name: "msg_test\(String(UInt64.random(in: .min ... .max), radix: 36))")
      queue.add(Notice(.test, at: .now, "This is a test of Quietcam's notifications."))
      guard let attempt = queue.next(at: .zero) else { continue }
      let result = await sender.send(attempt, to: receiver, signature: signature, time: .now)
      hasFailed = hasFailed || result.outcome != .taken
      print("\(receiver.name): \(result.words)")
    }
    await sender.close()
    if hasFailed { throw ExitCode.failure }
  }
}
