import Notify

extension ValueType where Value == [WebhookAddress] {
  /// Where messages are sent. Addresses often contain a secret, so errors do not show them.
  static var webhooks: ValueType {
    let accepted =
      "up to 10 addresses that begin with http:// or https://, without a user or password, separated by spaces or as a "
      + "list, such as https://example.org/hook"
    return ValueType(
      "ADDRESSES", accepted: accepted, text: { $0.isEmpty ? "none" : "\($0.count)" }
    ) { given, path, problems in
      var texts: [String?] = []
      switch given.content {
      case .text(let text): texts = text == "none" ? [] : text.split(separator: " ").map { String($0) }
      case .list(let items):
        texts = items.map { item -> String? in
          guard case .text(let text) = item.content else { return nil }
          return text
        }
      case .mapping, .nothing: texts = [nil]
      }
      let addresses = texts.map { $0.flatMap { WebhookAddress($0) } }
      if let wrong = addresses.firstIndex(of: nil) {
        let which = addresses.count > 1 ? " whose address \(wrong + 1) is none" : ""
        problems.append(
          .init(
            at: given.place, key: path,
            "found \(given.found(isSecret: true))\(which); accepted: \(accepted)"))
        return nil
      }
      guard addresses.count <= 10, Set(addresses).count == addresses.count else {
        let what = addresses.count > 10 ? "\(addresses.count) addresses" : "an address twice"
        problems.append(.init(at: given.place, key: path, "found \(what); accepted: \(accepted)"))
        return nil
      }
      return addresses.compactMap { $0 }
    }
  }
}
