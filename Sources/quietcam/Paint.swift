import ArgumentParser
import Camera
import Demo
import Foundation
import Media
import NIOCore

/// `quietcam paint`: the demo camera's stills as files, the same in every run; the project's fixtures are made by it.
struct Paint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Paint stills of the demo scene into a folder.", shouldDisplay: false)

  @Option var out: String
  @Option var count = 60
  @Option var every: Pace = "2s"
  @Option(help: "The time of day of the first still, HH:MM:SS.") var from = "09:30:00"
  @Option var seed: UInt64 = 1
  @Option var size = "640x480"
  @Option var quality = 50
  @Flag(inversion: .prefixedNo) var grain = true

  func run() async throws {
    guard let pictureSize = PictureSize(size) else {
      throw ValidationError("--size: found \(size); accepted: a size such as 640x480")
    }
    let numbers = from.split(separator: ":").map { Int64($0) }
    guard numbers.count == 3, let hour = numbers[0], let minute = numbers[1], let second = numbers[2] else {
      throw ValidationError("--from: found \(from); accepted: a time of day such as 09:30:00")
    }
    let source = DemoSource(
      size: pictureSize, seed: seed, grain: grain, quality: quality, from: .seconds((hour * 60 + minute) * 60 + second))
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    for index in 0..<count {
      let beat = Beat(index: Int64(index), time: every.ticks * Int64(index))
      guard case .still(let jpeg) = try await source.next(beat) else { break }
      let number = String(index)
      let name = "still-" + String(repeating: "0", count: max(0, 3 - number.count)) + number + ".jpg"
      try Data(jpeg.readableBytesView).write(to: URL(fileURLWithPath: out).appending(path: name))
    }
  }
}
