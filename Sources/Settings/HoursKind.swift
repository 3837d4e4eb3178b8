import Hours

extension ValueType where Value == Hours? {
  /// When a camera is shown.
  static var hours: ValueType {
    let accepted = "always, or times and where they hold, \(Hours.examples)"
    return ValueType("HOURS", accepted: accepted, text: { $0?.text ?? "always" }) { given, path, problems in
      var reason = ""
      if case .text(let written) = given.content {
        if written == "always" { return .some(nil) }
        do throws(HoursFault) {
          return .some(try Hours(written))
        } catch {
          reason = ": \(error.description)\(error.zone.map(hint) ?? "")"
        }
      }
      problems.append(.init(at: given.place, key: path, "found \(given.found())\(reason); accepted: \(accepted)"))
      return nil
    }
  }

  /// The zone that a misspelt name probably means.
  private static func hint(_ zone: String) -> String {
    let names = Dictionary(CivilZone.names.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    let nearest = NearestKey.of(zone.replacing("_", with: "-"), among: names.keys.map { $0.replacing("_", with: "-") })
    let name = names.first { $0.key.replacing("_", with: "-") == nearest }?.value
    return name.map { " (did you mean \($0)?)" } ?? ""
  }
}
