import Media

/// Why a text is no hours, as a part of a sentence that says what to write.
package struct HoursFault: Error, Hashable, Sendable {
  /// The sentence.
  package let description: String
  /// A time zone that is not known, for a hint.
  package var zone: String?

  init(_ description: String, zone: String? = nil) {
    self.description = description
    self.zone = zone
  }
}

extension Hours {
  /// Examples of the accepted texts, for messages.
  package static let examples =
    "such as \"mon-fri 08:00-18:00 Europe/Berlin\", \"sat,sun 10:00-12:00, 13:00-16:00 Europe/Paris\", "
    + "\"22:00-06:00 America/New_York\" or \"sunrise-30m to sunset+1h at 52.52,13.40\""

  /// The most windows of one text.
  private static let mostWindows = 20

  /// Reads windows, separated by commas, with the time zone or the place behind them.
  package init(_ written: String) throws(HoursFault) {
    guard written.utf8.count <= 500, written.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
      throw HoursFault("it has more than 500 characters, or some that are not plain ASCII")
    }
    var words = written.split(separator: " ").map(String.init)
    let place = try Self.takePlace(&words)
    let zone = try Self.takeZone(&words)
    let text = written.split(separator: " ").joined(separator: " ")
    let windows = try Self.windows(words.joined(separator: " ").lowercased())
    let times = windows.flatMap { [$0.start, $0.end] }
    if place == nil, times.contains(where: { !$0.isClock }) {
      throw HoursFault("the sun rises at a place; add one behind the times, such as at 52.52,13.40")
    }
    if place != nil, times.allSatisfy(\.isClock) {
      throw HoursFault("a place is only for sunrise, sunset, dawn and dusk; leave it out")
    }
    if zone == nil, times.contains(where: \.isClock) || windows.contains(where: { $0.days != HoursWindow.everyDay }) {
      throw HoursFault("times of the clock and days of the week need a time zone; add one, such as Europe/Berlin")
    }
    self.init(windows: windows, zone: zone, place: place, text: text)
  }

  // MARK: The place and the zone

  /// Removes `at LATITUDE,LONGITUDE`; the words behind it stay.
  private static func takePlace(_ words: inout [String]) throws(HoursFault) -> Place? {
    guard let at = words.firstIndex(where: { $0.lowercased() == "at" }) else { return nil }
    var count = 1
    var pair = at + 1 < words.count ? words[at + 1] : ""
    if pair.hasSuffix(",") || !pair.contains(","), at + 2 < words.count {
      pair += words[at + 2].hasPrefix(",") || pair.hasSuffix(",") ? words[at + 2] : "," + words[at + 2]
      count = 2
    }
    let pieces = pair.split(separator: ",", omittingEmptySubsequences: false)
    guard pieces.count == 2, let latitude = degrees(pieces[0]), let longitude = degrees(pieces[1]),
      let place = Place(latitude: latitude, longitude: longitude)
    else {
      throw HoursFault(
        "\"\(pair)\" is no place; write the latitude (-90 to 90, north is positive) and the longitude (-180 to 180, east "
          + "is positive) in degrees, such as at 52.52,13.40")
    }
    words.removeSubrange(at...at + count)
    return place
  }

  /// Millionths of a degree.
  private static func degrees(_ text: Substring) -> Int64? {
    let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text
    let pieces = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = pieces.first, (1...3).contains(whole.utf8.count), pieces.count == 1 || !pieces[1].isEmpty,
      pieces.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }), let degrees = Int64(whole)
    else { return nil }
    // More digits are less than a millimetre each.
    let decimals = (pieces.count == 2 ? String(pieces[1].prefix(6)) : "") + "000000"
    guard let fraction = Int64(decimals.prefix(6)) else { return nil }
    return (degrees * 1_000_000 + fraction) * (text.first == "-" ? -1 : 1)
  }

  /// Removes the name of a time zone from the end.
  private static func takeZone(_ words: inout [String]) throws(HoursFault) -> CivilZone? {
    guard let last = words.last, last.uppercased() == "UTC" || last.contains("/") else { return nil }
    guard let zone = CivilZone(last.uppercased() == "UTC" ? "UTC" : last) else {
      throw HoursFault(
        "\"\(last)\" is no time zone; write a name of the tz database, such as Europe/Berlin, or UTC", zone: last)
    }
    words.removeLast()
    return zone
  }

  // MARK: The windows

  private static func windows(_ text: String) throws(HoursFault) -> [HoursWindow] {
    var windows: [HoursWindow] = []
    var days: UInt8 = HoursWindow.everyDay
    // Days whose times follow behind a comma, as in "sat,sun 10:00-12:00".
    var waiting: UInt8 = 0
    for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
      var words = piece.split(separator: " ")[...]
      guard let first = words.first else { throw HoursFault("times are missing; write them as in 08:00-18:00") }
      if let named = try self.days(first) {
        words.removeFirst()
        waiting |= named
        if words.isEmpty { continue }
        days = waiting
      }
      windows.append(try window(words, days: days))
      waiting = 0
    }
    guard waiting == 0 else { throw HoursFault("times are missing behind the last day; write them as in 08:00-18:00") }
    guard windows.count <= mostWindows else {
      throw HoursFault("there are \(windows.count) windows; write at most \(mostWindows)")
    }
    return windows
  }

  private static let dayNames = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

  /// The days of a word such as `mon` or `mon-fri`; `nil` if it is no word of days.
  private static func days(_ word: Substring) throws(HoursFault) -> UInt8? {
    let names = word.split(separator: "-", omittingEmptySubsequences: false)
    func index(_ name: Substring) -> Int? { dayNames.firstIndex { name == $0 || name == $0.prefix(3) } }
    let numbers = names.map(index)
    guard numbers.contains(where: { $0 != nil }) else { return nil }
    guard names.count <= 2, let first = numbers[0], let last = numbers[numbers.count - 1] else {
      throw HoursFault("\"\(word)\" are no days; write mon, tue, wed, thu, fri, sat, sun, or two of them as in mon-fri")
    }
    return (0...(last - first + 7) % 7).reduce(0) { $0 | 1 << UInt8((first + $1) % 7) }
  }

  private static func window(_ words: ArraySlice<Substring>, days: UInt8) throws(HoursFault) -> HoursWindow {
    let text = words.joined(separator: " ")
    var ends = words.split(omittingEmptySubsequences: false) { $0 == "to" || $0 == "-" }.map { $0.joined() }
    if words.count == 1, let word = words.first, word.contains(":") {
      ends = word.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    }
    guard ends.count == 2, words.count == 1 || words.count == 3 else {
      throw HoursFault("\"\(text)\" is not from one time to another; write 08:00-18:00, or sunrise to sunset")
    }
    let (start, end) = (try time(ends[0]), try time(ends[1]))
    guard start != .clock(86_400) else { throw HoursFault("a day begins at 00:00; write that instead of 24:00") }
    guard start != end else {
      throw HoursFault("\"\(text)\" begins when it ends; write 00:00-24:00 for a whole day")
    }
    return HoursWindow(days: days, start: start, end: end)
  }

  private static func time(_ text: String) throws(HoursFault) -> DayTime {
    let fault = HoursFault(
      "\"\(text)\" is no time; write 08:00 (00:00 to 24:00), or sunrise, sunset, dawn or dusk, and perhaps how much later "
        + "or earlier (up to 6h), as in sunset+1h or sunrise-30m")
    if let event = SunEvent.allCases.first(where: { text.hasPrefix($0.rawValue) }) {
      let rest = text.dropFirst(event.rawValue.count)
      if rest.isEmpty { return .sun(event, offset: 0) }
      guard let sign = rest.first, sign == "+" || sign == "-", let length = Ticks(length: rest.dropFirst()),
        rest.last.map({ "smh".contains($0) }) == true, length <= .seconds(6 * 3600),
        length.isMultiple(of: .seconds(1))
      else { throw fault }
      return .sun(event, offset: length.milliseconds / 1000 * (sign == "-" ? -1 : 1))
    }
    let pieces = text.split(separator: ":", omittingEmptySubsequences: false)
    guard pieces.count == 2, (1...2).contains(pieces[0].utf8.count), pieces[1].utf8.count == 2,
      pieces.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }), let hour = Int64(pieces[0]),
      let minute = Int64(pieces[1]), minute < 60, hour * 60 + minute <= 1440
    else { throw fault }
    return .clock(hour * 3600 + minute * 60)
  }
}
