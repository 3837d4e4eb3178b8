import CFFmpeg
import Glibc
import Media

/// Measures how similar what viewers see of an encoder's pictures is to these pictures.
protocol ReconstructionMeter: AnyObject {
  /// Takes the next access unit; an IDR picture may be another try at the one before.
  ///
  /// - Returns: the similarity to the picture that was encoded; `nil` for a repeat, which changes nothing.
  func see(
    _ packet: borrowing Packet, of picture: borrowing Frame, as role: PictureEncoder.Role
  ) throws(FFmpegError) -> Double?
}

/// A meter that takes what viewers see from the file that libx264 itself writes it to (`dump-yuv`).
final class WrittenReconstruction: ReconstructionMeter {
  private let file: PictureFile

  init(_ file: consuming PictureFile) { self.file = file }

  func see(
    _ packet: borrowing Packet, of picture: borrowing Frame, as role: PictureEncoder.Role
  ) throws(FFmpegError) -> Double? {
    let seen = try file.take()
    return role == .repeated ? nil : try SharedWorkers.similarity(of: seen, to: picture)
  }
}

/// A meter that decodes the encoded pictures, which takes more time and memory: for systems without files in memory.
final class DecodedReconstruction: ReconstructionMeter {
  private var decoder: StreamDecoder

  init() throws(FFmpegError) { decoder = try StreamDecoder() }

  func see(
    _ packet: borrowing Packet, of picture: borrowing Frame, as role: PictureEncoder.Role
  ) throws(FFmpegError) -> Double? {
    if role == .idr { decoder.flush() }
    let seen = try decoder.decode(packet)
    return role == .repeated ? nil : try SharedWorkers.similarity(of: seen, to: picture)
  }
}

/// A file in memory that libx264 writes its pictures to: the only owner of its descriptor.
struct PictureFile: ~Copyable {
  /// How many rows are read by one call; the system takes no more.
  private static let mostRows = 1024

  private let descriptor: Int32
  private let size: PictureSize

  /// A file for pictures of `yuv420p` of this size; `nil` where the system has none.
  init?(size: PictureSize) {
    let descriptor = qc_memory_file("quietcam-picture")
    guard descriptor >= 0, access("/proc/self/fd/\(descriptor)", W_OK) == 0 else {
      if descriptor >= 0 { close(descriptor) }
      return nil
    }
    self.descriptor = descriptor
    self.size = size
  }

  deinit { close(descriptor) }

  /// Where libx264 can open it.
  var path: String { "/proc/self/fd/\(descriptor)" }

  /// The newest picture. Nothing of it stays in the file.
  func take() throws(FFmpegError) -> Frame {
    let frame = try Frame.allocate(size, format: AV_PIX_FMT_YUV420P)
    frame.pointer.pointee.color_range = AVCOL_RANGE_MPEG
    frame.pointer.pointee.colorspace = PictureFilter.colorSpace(for: size)
    // Each picture has its place, but those before were removed.
    var place = lseek(descriptor, 0, SEEK_END) - size.pixels * 3 / 2
    var isWhole = place >= 0
    for plane in 0..<3 {
      frame.withPlane(plane) { samples in
        for first in stride(from: 0, to: samples.height, by: Self.mostRows) where isWhole {
          let rows = (first..<min(first + Self.mostRows, samples.height)).map { y in
            let row = samples.row(y)
            return iovec(iov_base: row.baseAddress, iov_len: row.count)
          }
          let count = rows.count * samples.width
          isWhole = preadv(descriptor, rows, Int32(rows.count), place) == count
          place += count
        }
      }
    }
    guard isWhole, ftruncate(descriptor, 0) == 0 else {
      throw FFmpegError(code: FFmpegError.invalidData, call: "libx264 wrote no reconstructed picture (dump-yuv)")
    }
    return frame
  }
}
