import Media
import NIOCore

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// An opened regular file that may be a still: the only owner of its descriptor.
package struct StillFile: ~Copyable {
  /// One state of a file: it changes whenever somebody writes to the file.
  package struct Stamp: Hashable, Sendable {
    /// The file's number on its file system.
    package var inode: UInt64
    /// Its bytes.
    package var size: Int
    /// When it was last written to, in nanoseconds since the epoch, by its file system's clock.
    package var modified: Int64
    /// When it was last written to, renamed or otherwise changed, in the same unit.
    package var changed: Int64

    /// A state of a file.
    package init(inode: UInt64, size: Int, modified: Int64, changed: Int64) {
      (self.inode, self.size, self.modified, self.changed) = (inode, size, modified, changed)
    }

    /// The state from a `stat`.
    package init(_ status: stat) {
      func nanoseconds(_ time: timespec) -> Int64 { Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec) }
      self.init(
        inode: UInt64(status.st_ino), size: Int(status.st_size), modified: nanoseconds(status.st_mtim),
        changed: nanoseconds(status.st_ctim))
    }
  }

  /// Why a file was not opened.
  package enum Trouble: Error, Hashable, Sendable {
    /// It does not exist any more.
    case missing
    /// It is a directory, a device or, unless they are followed, a symbolic link.
    case notAFile
    /// The system refuses, with its error number.
    case refused(Int32)
  }

  private static let piece = 256 << 10

  private let descriptor: Int32

  /// Opens the file at `path`.
  package init(_ path: String, followsLinks: Bool) throws(Trouble) {
    // Without O_NONBLOCK, opening a named pipe would block.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW))
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR: throw .missing
      case ELOOP, ENXIO: throw .notAFile
      case let number: throw .refused(number)
      }
    }
    guard let status, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .notAFile
    }
  }

  deinit { close(descriptor) }

  private var status: stat? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status : nil
  }

  /// The file's state now; `nil` if its file system does not answer.
  package var stamp: Stamp? { status.map(Stamp.init) }

  /// Reads the whole file, or only its first bytes if they are not a JPEG's: a video in the same folder costs nothing.
  ///
  /// - Parameter maxBytes: the most bytes of a still; no more memory is ever taken.
  /// - Throws: that it is not a JPEG, or too large.
  package func read(maxBytes: Int) throws(StillRefusal) -> ByteBuffer {
    let size = status.map { Int($0.st_size) } ?? 0
    var bytes = ByteBuffer()
    fill(&bytes, upTo: 3)
    guard bytes.readableBytesView.elementsEqual([0xFF, 0xD8, 0xFF]) else {
      throw StillRefusal(.notJPEG, "the file does not begin with FF D8 FF; only JPEG pictures are accepted")
    }
    guard size <= maxBytes else {
      throw StillRefusal(.tooLarge, "the file has \(size) bytes, over \(maxBytes); send smaller pictures")
    }
    bytes.reserveCapacity(size)
    fill(&bytes, upTo: size)
    return bytes
  }

  private func fill(_ bytes: inout ByteBuffer, upTo size: Int) {
    while bytes.readableBytes < size {
      let (offset, room) = (bytes.readableBytes, min(Self.piece, size - bytes.readableBytes))
      let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
        max(0, pread(descriptor, target.baseAddress, room, off_t(offset)))
      }
      guard count > 0 else { return }  // The file became shorter, or its disk fails; the decoder will notice.
    }
  }
}
