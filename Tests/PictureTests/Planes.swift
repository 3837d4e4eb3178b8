import Ingest
import Media
import NIOCore

@testable import Picture

/// A copy of a frame's samples, to look at after the frame is gone.
struct Planes: Equatable {
  struct Plane: Equatable {
    var width: Int
    var height: Int
    var samples: [UInt8]

    subscript(x: Int, y: Int) -> UInt8 { samples[y * width + x] }

    /// The samples of an area, clamped to the plane.
    func area(_ columns: Range<Int>, _ rows: Range<Int>) -> [UInt8] {
      rows.clamped(to: 0..<height).flatMap { row in
        let columns = columns.clamped(to: 0..<width)
        return samples[row * width + columns.lowerBound..<row * width + columns.upperBound]
      }
    }
  }

  var luma: Plane
  var blue: Plane
  var red: Plane

  init(_ frame: borrowing Frame) {
    luma = Self.copy(frame, 0)
    blue = Self.copy(frame, 1)
    red = Self.copy(frame, 2)
  }

  /// The planes of a `yuv420p` picture in raw bytes.
  init(yuv420p bytes: ArraySlice<UInt8>, size: PictureSize) {
    let (width, height) = ((size.width + 1) / 2, (size.height + 1) / 2)
    let first = bytes.startIndex + size.pixels
    luma = Plane(width: size.width, height: size.height, samples: Array(bytes[bytes.startIndex..<first]))
    blue = Plane(width: width, height: height, samples: Array(bytes[first..<first + width * height]))
    red = Plane(
      width: width, height: height, samples: Array(bytes[first + width * height..<first + 2 * width * height]))
  }

  private static func copy(_ frame: borrowing Frame, _ plane: Int) -> Plane {
    frame.withPlane(plane) { view in
      var samples: [UInt8] = []
      samples.reserveCapacity(view.width * view.height)
      for y in 0..<view.height { samples += view.row(y) }
      return Plane(width: view.width, height: view.height, samples: samples)
    }
  }

  var size: PictureSize { PictureSize(width: luma.width, height: luma.height) }

  var all: [Plane] { [luma, blue, red] }

  /// The raw bytes, plane after plane.
  var bytes: [UInt8] { luma.samples + blue.samples + red.samples }

  /// The largest difference of any sample.
  func distance(to other: Planes) -> Int {
    zip(all, other.all).map { mine, others in largestDifference(mine.samples, others.samples) }.max() ?? 0
  }
}

/// The largest difference between samples at the same place.
func largestDifference(_ left: [UInt8], _ right: [UInt8]) -> Int {
  precondition(left.count == right.count)
  if left == right { return 0 }
  var largest = 0
  for index in left.indices { largest = max(largest, abs(Int(left[index]) - Int(right[index]))) }
  return largest
}

func mean(_ samples: [UInt8]) -> Double {
  Double(samples.reduce(0) { $0 + Int($1) }) / Double(max(samples.count, 1))
}

func variance(_ samples: [UInt8]) -> Double {
  let mean = mean(samples)
  return samples.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(max(samples.count, 1))
}

/// The picture of one JPEG, checked and decoded as the stream does it.
func decoded(_ jpeg: [UInt8], maxPixels: Int = 40_000_000) throws -> Frame {
  let buffer = ByteBuffer(bytes: jpeg)
  return try StillDecoder().decode(buffer, header: JPEGHeader(buffer, maxPixels: maxPixels))
}
