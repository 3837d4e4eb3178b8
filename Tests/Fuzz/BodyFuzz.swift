import ArgumentParser
import Ingest
import NIOCore
import Picture
import TestSupport

/// The bodies of requests: raw, multipart, streams, JSON.
struct BodyFuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bodies", abstract: "Damaged bodies of every form, in pieces of any size.")

  @OptionGroup var cases: Cases

  func run() throws {
    var random = SeededGenerator(seed: 0)
    let pictures = try corpus(at: cases.corpus).filter { $0.count < 3000 }.prefix(20)
    let samples = (0..<2000).map { _ in SampleBody(carrying: Array(pictures), using: &random) }
    let log = try CaseLog(cases)
    var (found, oversized, overflown, malformed, bytes) = (0, 0, 0, 0, 0)
    func tally() -> String {
      "\(bytes >> 20) MiB, \(found) pictures, \(oversized) oversized, \(overflown) overflown, \(malformed) malformed"
    }
    for number in cases.first..<cases.first + cases.count {
      try log.begin(number, tally: tally())
      var random = SeededGenerator(seed: UInt64(number))
      let sample = samples[Int.random(in: 0..<samples.count, using: &random)]
      let other = samples[Int.random(in: 0..<samples.count, using: &random)]
      let body = SampleBody.mutation.applied(to: sample.bytes, mixing: other.bytes, most: 5, using: &random)
      let limit = Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 1...4000, using: &random) : 1 << 20
      let label = BodyLabel(
        contentType: Bool.random(using: &random) ? sample.contentType : other.contentType,
        isOpenEnded: !sample.hasLength)
      var reader = BodyReader(label: label, maxStillBytes: limit)
      var rest = ByteBuffer(bytes: body)
      var findings: [BodyItem] = []
      let most = Int.random(in: 1...2000, using: &random)
      while let piece = rest.readSlice(length: min(rest.readableBytes, Int.random(in: 1...most, using: &random))),
        piece.readableBytes > 0
      {
        findings += reader.read(piece)
      }
      findings += reader.finish()
      precondition(!reader.summary.isEmpty)
      bytes += body.count
      for finding in findings {
        switch finding {
        case .picture(let picture):
          precondition(picture.readableBytes <= limit)
          found += 1
        case .oversized: oversized += 1
        case .overflow: overflown += 1
        case .malformed: malformed += 1
        }
      }
    }
    log.end(tally: tally())
  }
}
