import Logging
import Media
import NIOCore
import Packager
import Picture
import TestSupport
import Testing

@testable import Station

/// Where the loop's picture stays in the middle of a segment, the slate's pictures follow those of the loop: they say
/// that nothing changes, whatever was shown before.
@Suite struct StandingPictureTests {
  private func samples(_ picture: borrowing Frame) -> [UInt8] {
    (0..<3).flatMap { index in
      picture.withPlane(index) { plane in (0..<plane.height).flatMap { Array(plane.row($0)) } }
    }
  }

  @Test(arguments: [1, 2, 3, 5, 7])
  func picturesOfTheSlateChangeNothingInAnySegment(step: Int) throws {
    let settings = try CameraSettings.sample()
    var line = try PictureLine.open(settings, logger: .silent)
    let slate = try Loop.builtIn(&line, timeline: settings.timeline).segment(0)
    var camera = try PictureLine.open(settings, logger: .silent)
    let count = slate.pictures.count
    var pictures: [CodedPicture] = []
    for index in 0..<count {
      if index % 3 == 0 { try camera.show(try SampleStill.gray(40 + 15 * index, isStriped: true)) }
      pictures.append(try camera.encode(index == 0 ? .idr : index % 3 == 0 ? .new : .repeated))
    }
    var decoder = try StreamDecoder()
    var shown: [[UInt8]] = []
    for index in 0..<count {
      shown.append(samples(try decoder.decode(index < step ? pictures[index] : slate.pictures[index])))
    }
    #expect(Set(shown[(step - 1)...]).count == 1, "the picture stays")
    #expect(shown[0] != samples(try StreamDecoder.first(of: slate.pictures[0])))
    // A viewer counts bytes.
    for index in step..<count where index % 3 != 0 {
      #expect(slate.pictures[index].bytes.readableBytes == pictures[index].bytes.readableBytes)
    }
  }
}

extension StreamDecoder {
  /// The first picture of a stream.
  fileprivate static func first(of picture: CodedPicture) throws -> Frame {
    var decoder = try StreamDecoder()
    return try decoder.decode(picture)
  }
}
