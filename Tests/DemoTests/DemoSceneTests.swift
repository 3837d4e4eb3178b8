import Testing

@testable import Demo

/// Milliseconds of the day for a time on the clock.
private func clock(_ hour: Int64, _ minute: Int64, _ second: Int64 = 0) -> Int64 {
  ((hour * 60 + minute) * 60 + second) * 1000
}

/// Making a scene costs more than painting one, so tests that only read share these.
private let plain = DemoScene(width: 320, height: 240, seed: 7, grain: false)
private let grainy = DemoScene(width: 320, height: 240, seed: 7)

@Suite struct DemoSceneTests {
  @Test func theSameSeedSizeAndMomentPaintTheSameBytes() {
    let scene = DemoScene(width: 128, height: 96, seed: 7)
    let again = DemoScene(width: 128, height: 96, seed: 7)
    let moment = clock(18, 31, 4)
    let first = scene.paint(millisecondsOfDay: moment, frame: 3)
    #expect(first == again.paint(millisecondsOfDay: moment, frame: 3))
    #expect(first == scene.paint(millisecondsOfDay: moment, frame: 3))
  }

  @Test func anotherSeedPaintsAnotherPicture() {
    let moment = clock(12, 0)
    let (one, other) = (DemoScene(width: 64, height: 48, seed: 1), DemoScene(width: 64, height: 48, seed: 2))
    #expect(one.paint(millisecondsOfDay: moment, frame: 0) != other.paint(millisecondsOfDay: moment, frame: 0))
  }

  @Test func momentsBeyondTheDayWrapAround() {
    let scene = DemoScene(width: 64, height: 48, seed: 1, grain: false)
    let moment = clock(23, 59, 59)
    let still = scene.paint(millisecondsOfDay: moment, frame: 0)
    #expect(still == scene.paint(millisecondsOfDay: moment + 86_400_000, frame: 0))
    #expect(still == scene.paint(millisecondsOfDay: moment - 86_400_000, frame: 0))
  }

  @Test(arguments: [(1, 1), (2, 3), (17, 5), (64, 48), (65, 49), (101, 57), (160, 90), (33, 90), (300, 20)])
  func oddAndTinySizesWork(_ width: Int, _ height: Int) {
    let scene = DemoScene(width: width, height: height, seed: 5)
    for hour in [Int64(3), 9, 12, 18] {
      let canvas = scene.paint(millisecondsOfDay: clock(hour, 40), frame: 1)
      #expect(canvas.width == width && canvas.height == height)
      #expect(canvas.rgb.count == width * height * 3)
      #expect(canvas.meanLuma > 5 && canvas.meanLuma < 250)
    }
  }

  @Test func noonIsBrighterThanNight() {
    let noon = plain.paint(millisecondsOfDay: clock(12, 30), frame: 0)
    let night = plain.paint(millisecondsOfDay: clock(1, 30), frame: 0)
    #expect(noon.meanLuma > 1.5 * night.meanLuma)
    #expect(night.meanLuma > 30)
  }

  @Test func theLampIsLitAtNightOnly() {
    let shade = plain.backdrop.lens.project(Room.bulb)
    func luma(_ hour: Int64) -> Int {
      let pixel = plain.paint(millisecondsOfDay: clock(hour, 0), frame: 0)[Int(shade.x), Int(shade.y)]
      return Int(pixel.red) + Int(pixel.green) + Int(pixel.blue)
    }
    #expect(luma(23) > 700)
    #expect(luma(13) < 690)
  }

  @Test func theSunWandersOverTheDesk() {
    // A place on the desk that the morning sun lights and the noon sun leaves.
    let place = plain.backdrop.lens.project(Vector3(0.0, Room.desk, 1.75))
    func red(_ hour: Int64, _ minute: Int64) -> UInt8 {
      plain.paint(millisecondsOfDay: clock(hour, minute), frame: 0)[Int(place.x), Int(place.y)].red
    }
    #expect(red(10, 20) > red(13, 30) &+ 40)
  }

  @Test func stillsTwoSecondsApartDifferInFewPixels() {
    for (hour, minute) in [(Int64(0), Int64(10)), (7, 0), (12, 30), (18, 45), (20, 5)] {
      let moment = clock(hour, minute, 2)
      let first = plain.paint(millisecondsOfDay: moment, frame: 0).rgb
      let second = plain.paint(millisecondsOfDay: moment + 2000, frame: 1).rgb
      var differing = 0
      for at in stride(from: 0, to: first.count, by: 3)
      where first[at] != second[at] || first[at + 1] != second[at + 1] || first[at + 2] != second[at + 2] {
        differing += 1
      }
      let share = Double(differing) / Double(first.count / 3)
      #expect(share > 0.0005 && share < 0.05, "at \(hour):\(minute) \(share) of the pixels differ")
    }
  }
}

@Suite struct DemoClockTests {
  /// Where the tip of a hand of the wall clock stands after some of its turn, in pixels.
  private func place(turn: Int64, of whole: Int64, reach: Float) -> (Int, Int) {
    // Degrees are exact for all the times used here; the table avoids another sine.
    let sines: [Int64: (Float, Float)] = [0: (0, 1), 90: (1, 0), 180: (0, -1), 270: (-1, 0)]
    let (x, y) = sines[turn * 360 / whole] ?? (0, 0)
    let tip = plain.backdrop.lens.project(
      Room.dial + Vector3(x, y, 0) * (Room.dialRadius * reach) - Vector3(0, 0, 0.01))
    return (Int(tip.x), Int(tip.y))
  }

  @Test(arguments: [Int64(0), 15, 30, 45])
  func theSecondHandShowsTheSecond(_ second: Int64) {
    let still = plain.paint(millisecondsOfDay: clock(13, 7, second), frame: 0)
    let (x, y) = place(turn: second, of: 60, reach: 0.55)
    let reddest = (-1...1).flatMap { dy in (-1...1).map { dx in still[x + dx, y + dy] } }
      .map { Int($0.red) - Int($0.green) }.max()
    #expect((reddest ?? 0) > 40)
    let (ox, oy) = place(turn: (second + 30) % 60, of: 60, reach: 0.55)
    #expect(Int(still[ox, oy].red) - Int(still[ox, oy].green) < 30)
  }

  @Test(arguments: [(Int64(3), Int64(0)), (9, 0), (12, 0), (6, 0), (9, 15), (3, 45)])
  func hourAndMinuteHandsShowTheTime(_ hour: Int64, _ minute: Int64) {
    let still = plain.paint(millisecondsOfDay: clock(hour, minute, 37), frame: 0)
    func darkest(_ turn: Int64, _ whole: Int64, _ reach: Float) -> UInt8 {
      let (x, y) = place(turn: turn, of: whole, reach: reach)
      return (-2...2).flatMap { dy in (-2...2).map { dx in still[x + dx, y + dy].green } }.min() ?? 0
    }
    let bare = [Int64(0), 15, 30, 45].first { $0 != minute && $0 != hour % 12 * 5 } ?? 0
    let paper = Float(darkest(bare, 60, 0.45))
    #expect(Float(darkest(minute, 60, 0.45)) < 0.7 * paper)
    if minute == 0 { #expect(Float(darkest(hour % 12, 12, 0.36)) < 0.7 * paper) }
  }

  @Test func theSecondHandMovesBetweenSeconds() {
    let noon = clock(12, 20, 2)
    let first = plain.paint(millisecondsOfDay: noon, frame: 0)
    let next = plain.paint(millisecondsOfDay: noon + 1000, frame: 1)
    let middle = plain.backdrop.lens.project(Room.dial)
    let half = Int(Room.dialRadius / (plain.backdrop.lens.step * Room.dial.z) * 0.6)
    var changed = 0
    for y in Int(middle.y) - half...Int(middle.y) + half {
      for x in Int(middle.x) - half...Int(middle.x) + half where first[x, y] != next[x, y] { changed += 1 }
    }
    #expect(changed > 10)
  }

  /// Reads the digital clock off a picture by looking at the middles of its segments.
  private func read(_ still: PixelCanvas, _ scene: DemoScene) -> String? {
    let face = scene.backdrop.solids.first { if case .display = $0.finish.pattern { true } else { false } }
    guard let face else { return nil }
    let (w, h) = (SegmentDisplay.wide, SegmentDisplay.tall)
    let middles: [(Float, Float)] = [(0, h), (w, h / 2), (w, -h / 2), (0, -h), (-w, -h / 2), (-w, h / 2), (0, 0)]
    let pair = 2 * SegmentDisplay.pitch + SegmentDisplay.colon
    var text = ""
    for digit in 0..<6 {
      let start = Float(digit / 2) * pair + Float(digit % 2) * SegmentDisplay.pitch
      let centre = start + SegmentDisplay.pitch / 2 - (3 * pair - SegmentDisplay.colon) / 2
      var lit: UInt8 = 0
      for (segment, (x, y)) in middles.enumerated() {
        let local = Vector3(centre + x + SegmentDisplay.lean * y, y, -SegmentDisplay.half.z)
        let seen = scene.backdrop.lens.project(face.toRoom(local))
        if still[Int(seen.x), Int(seen.y)].red > 160 { lit |= 1 << segment }
      }
      guard let value = SegmentDisplay.patterns.firstIndex(of: lit) else { return nil }
      text += "\(value)"
    }
    return text
  }

  @Test(arguments: [(Int64(0), Int64(0), Int64(0)), (12, 34, 56), (23, 59, 58), (7, 8, 9)])
  func theDigitalClockCanBeRead(_ hour: Int64, _ minute: Int64, _ second: Int64) {
    let still = plain.paint(millisecondsOfDay: clock(hour, minute, second), frame: 0)
    let digits = [hour, minute, second].map { ($0 < 10 ? "0" : "") + "\($0)" }.joined()
    #expect(read(still, plain) == digits)
  }
}

@Suite struct FilmGrainTests {
  /// The grain of a flat grey: what `develop` made of it, less the grey.
  private func noise(level: Float, frame: Int, side: Int = 96) -> [[Double]] {
    let codes = [Float](repeating: level, count: side * side * 3)
    var bytes = [UInt8](repeating: 0, count: codes.count)
    let grain = FilmGrain(seed: 11)
    codes.withUnsafeBufferPointer { from in
      bytes.withUnsafeMutableBufferPointer { into in
        guard let from = from.baseAddress, let into = into.baseAddress else { return }
        grain.develop(from, width: side, height: side, frame: frame, into: into)
      }
    }
    return (0..<3).map { channel in (0..<side * side).map { Double(bytes[$0 * 3 + channel]) - Double(level) } }
  }

  private func luma(_ noise: [[Double]]) -> [Double] {
    noise[0].indices.map { 0.299 * noise[0][$0] + 0.587 * noise[1][$0] + 0.114 * noise[2][$0] }
  }

  private func product(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
    var (sum, count) = (0.0, 0.0)
    for (x, y) in zip(a, b) {
      sum += x * y
      count += 1
    }
    return sum / count
  }

  private func sigma(_ values: [Double]) -> Double { product(values, values).squareRoot() }

  @Test func grainOfAMidToneHasTheStatedSigma() {
    for level in [Float(100), 128, 150] {
      let luma = luma(noise(level: level, frame: 1))
      #expect(abs(luma.reduce(0, +) / Double(luma.count)) < 0.2)
      #expect(sigma(luma) > 2.4 && sigma(luma) < 3.5)
      // Rounding to whole values adds a little of its own.
      #expect(abs(sigma(luma) - Double(FilmGrain.sigma(level: level))) < 0.2)
    }
  }

  @Test func grainIsStrongerInTheDark() {
    #expect(sigma(luma(noise(level: 30, frame: 1))) > 1.6 * sigma(luma(noise(level: 225, frame: 1))))
  }

  @Test func grainIsMostlyLumaAndNearlyWhite() {
    let noise = noise(level: 128, frame: 1)
    let luma = luma(noise)
    let redness = zip(noise[0], luma).map { $0 - $1 }
    #expect(sigma(redness) > 0.2 * sigma(luma) && sigma(redness) < 0.6 * sigma(luma))
    let neighbours = product(luma, luma.dropFirst()) / product(luma, luma)
    #expect(neighbours > 0.1 && neighbours < 0.4)
    let further = product(luma, luma.dropFirst(3)) / product(luma, luma)
    #expect(abs(further) < 0.06)
  }

  @Test func grainOfOneStillTellsNothingOfTheNext() {
    let (first, second) = (luma(noise(level: 128, frame: 1)), luma(noise(level: 128, frame: 2)))
    #expect(abs(product(first, second)) / product(first, first) < 0.05)
  }

  @Test func grainLiesOverTheTrueScene() {
    let moment = clock(12, 30)
    let truth = plain.paint(millisecondsOfDay: moment, frame: 0).rgb
    let first = grainy.paint(millisecondsOfDay: moment, frame: 0)
    #expect(first != grainy.paint(millisecondsOfDay: moment, frame: 1))
    // Green of all mid tones: the noise has no bias and the stated size.
    let noise = zip(first.rgb, truth).enumerated().filter { $0.offset % 3 == 1 && (100...150).contains($0.element.1) }
      .map { Double($0.element.0) - Double($0.element.1) }
    #expect(noise.count > 5000)
    #expect(abs(noise.reduce(0, +) / Double(noise.count)) < 0.1)
    #expect(sigma(noise) > 2.4 && sigma(noise) < 3.5)
  }
}
