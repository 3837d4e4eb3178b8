import Media
import Picture

// The areas of the upright picture: the crop and the masks. They are mappings and lists, so they can only be in the
// file.

extension ValueType where Value == Double {
  /// A fraction of a side of the picture.
  static var fraction: ValueType {
    ValueType("FRACTION", accepted: "a fraction from 0 to 1, such as 0.25", text: { "\($0)" }) { text in
      guard (1...20).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }),
        let value = Double(text), (0...1).contains(value)
      else { return nil }
      return value
    }
  }
}

extension ValueType where Value == UnitRect {
  /// A rectangle inside the picture.
  static var rectangle: ValueType {
    let accepted = "{x: X, y: Y, width: W, height: H} in fractions of the upright picture, not empty and inside it"
    let text = { @Sendable (area: UnitRect) in
      "{x: \(area.origin.x), y: \(area.origin.y), width: \(area.width), height: \(area.height)}"
    }
    return ValueType("{x: X, y: Y, width: W, height: H}", accepted: accepted, text: text) { given, path, problems in
      guard case .mapping(let entries) = given.content else {
        problems.append(.init(at: given.place, key: path, "found \(given.found()); accepted: \(accepted)"))
        return nil
      }
      let keys = ["x", "y", "width", "height"]
      let before = problems.count
      var sides: [String: Double] = [:]
      for entry in entries {
        guard keys.contains(entry.key) else {
          problems.append(.unknown(entry, path: path, known: keys))
          continue
        }
        sides[entry.key] = ValueType<Double>.fraction.read(entry.value, "\(path).\(entry.key)", &problems)
      }
      for key in keys where !entries.contains(where: { $0.key == key }) {
        let accepted = ValueType<Double>.fraction.accepted
        problems.append(.init(at: given.place, key: "\(path).\(key)", "found nothing; accepted: \(accepted)"))
      }
      guard problems.count == before, let x = sides["x"], let y = sides["y"], let width = sides["width"],
        let height = sides["height"]
      else { return nil }
      let area = UnitRect(x: x, y: y, width: width, height: height)
      guard area.isInside else {
        problems.append(
          .init(at: given.place, key: path, "found \(text(area)); accepted: \(accepted)"))
        return nil
      }
      return area
    }
  }
}

extension ValueType where Value == [UnitPoint] {
  /// The corners of a polygon inside the picture.
  static var polygon: ValueType {
    let accepted = "a list of 3 to 100 corners [X, Y] in fractions of the upright picture"
    return ValueType(
      "[[X, Y], ...]", accepted: accepted, text: { "[\($0.map { "[\($0.x), \($0.y)]" }.joined(separator: ", "))]" }
    ) { given, path, problems in
      guard case .list(let corners) = given.content, (3...100).contains(corners.count) else {
        var found = given.found()
        if case .list(let corners) = given.content { found += " of \(corners.count)" }
        problems.append(.init(at: given.place, key: path, "found \(found); accepted: \(accepted)"))
        return nil
      }
      let points = corners.enumerated().map { number, corner -> UnitPoint? in
        let path = "\(path)[\(number)]"
        guard case .list(let pair) = corner.content, pair.count == 2 else {
          problems.append(
            .init(at: corner.place, key: path, "found \(corner.found()); accepted: [X, Y], such as [0.5, 0.25]"))
          return nil
        }
        let x = ValueType<Double>.fraction.read(pair[0], path, &problems)
        let y = ValueType<Double>.fraction.read(pair[1], path, &problems)
        guard let x, let y else { return nil }
        return UnitPoint(x: x, y: y)
      }
      return points.contains(nil) ? nil : points.compactMap { $0 }
    }
  }
}

extension ValueType where Value == [PrivacyMask] {
  /// The masks of a camera. A wrong one refuses the whole list, because a picture with a missing mask would be shown to
  /// everyone.
  static var masks: ValueType {
    let accepted = "a list of up to 100 masks, each with a rectangle or a polygon"
    return ValueType(
      "LIST", accepted: accepted, text: { $0.isEmpty ? "none" : "\($0.count)" }
    ) { given, path, problems in
      guard case .list(let items) = given.content, items.count <= 100 else {
        problems.append(.init(at: given.place, key: path, "found \(given.found()); accepted: \(accepted)"))
        return nil
      }
      let read = items.enumerated().map { number, item in mask(item, "\(path)[\(number)]", &problems) }
      return read.contains(nil) ? nil : read.compactMap { $0 }
    }
  }

  private static func mask(
    _ given: ConfigValue, _ path: String, _ problems: inout [SettingsError.Problem]
  ) -> PrivacyMask? {
    let accepted =
      "rectangle: \(ValueType<UnitRect>.rectangle.valueName) or polygon: \(ValueType<[UnitPoint]>.polygon.valueName)"
    guard case .mapping(let entries) = given.content, entries.count == 1, let entry = entries.first else {
      var found = given.found()
      if case .mapping(let entries) = given.content {
        found += entries.isEmpty ? " of nothing" : " of \(entries.map(\.key).joined(separator: " and "))"
      }
      problems.append(.init(at: given.place, key: path, "found \(found); accepted: one of \(accepted)"))
      return nil
    }
    switch entry.key {
    case "rectangle":
      return ValueType<UnitRect>.rectangle.read(entry.value, "\(path).rectangle", &problems).map(
        PrivacyMask.init(rectangle:))
    case "polygon":
      return ValueType<[UnitPoint]>.polygon.read(entry.value, "\(path).polygon", &problems).map(
        PrivacyMask.init(polygon:))
    default:
      problems.append(.unknown(entry, path: path, known: ["rectangle", "polygon"]))
      return nil
    }
  }
}

extension SettingsError.Problem {
  /// An unknown key of the file.
  static func unknown(_ entry: ConfigValue.Entry, path: String, known: [String], hint: String? = nil) -> Self {
    let suggestion = hint ?? NearestKey.of(entry.key, among: known).map { "did you mean \($0)?" }
    let name = path.isEmpty ? entry.key : "\(path).\(entry.key)"
    let told = suggestion.map { "; \($0)" } ?? ""
    return .init(at: entry.place, key: name, "unknown key\(told); accepted here: \(known.joined(separator: ", "))")
  }
}
