import Media

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Walks through a directory and everything below it, without following symbolic links.
struct FolderWalk {
  /// The watched folder.
  let root: String

  /// The path of a name below the folder.
  func absolute(_ path: String) -> String { path.isEmpty ? root : root + "/" + path }

  /// Walks from `start`, which is below the folder or the folder itself.
  ///
  /// - Parameters:
  ///   - enter: called with each directory before its names are read.
  ///   - file: called with each file whose name may be a still's, if `looks`.
  ///   - isOver: whether to give up.
  ///   - blocked: called with each directory of which something cannot be looked at.
  ///   - nameless: called with each directory that has a name which is no UTF-8, and that name.
  func walk(
    from start: String, looks: Bool, isOver: () -> Bool, enter: (_ directory: String) throws -> Void,
    file: (FoundFile) -> Void, blocked: (_ directory: String) -> Void = { _ in },
    nameless: (_ directory: String, _ name: String) -> Void = { _, _ in }
  ) rethrows {
    var directories = [start]
    while let directory = directories.popLast(), !isOver() {
      try enter(directory)
      guard let handle = opendir(absolute(directory)) else {
        if errno == EACCES { blocked(directory) }
        continue
      }
      defer { closedir(handle) }
      while let entry = readdir(handle) {
        guard let name = Self.name(entry) else {
          nameless(directory, Self.lossyName(entry))
          continue
        }
        guard name != ".", name != ".." else { continue }
        let path = directory.isEmpty ? name : "\(directory)/\(name)"
        var type = Int32(entry.pointee.d_type)
        var status = stat()
        var isKnown = false
        let mayBeStill = looks && StillName.isStill(name)
        if type == DT_UNKNOWN || type == DT_REG && mayBeStill {
          guard lstat(absolute(path), &status) == 0 else {
            if errno == EACCES { blocked(directory) }
            continue
          }
          isKnown = true
          let format = status.st_mode & S_IFMT
          type = Int32(format == S_IFDIR ? DT_DIR : format == S_IFREG ? DT_REG : DT_UNKNOWN)
        }
        if type == DT_DIR {
          if !StillName.isIgnoredDirectory(name) { directories.append(path) }
        } else if type == DT_REG, isKnown, mayBeStill {
          file(FoundFile(path: path, stamp: StillFile.Stamp(status)))
        }
      }
    }
  }

  private static func name(_ entry: UnsafeMutablePointer<dirent>) -> String? {
    withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func lossyName(_ entry: UnsafeMutablePointer<dirent>) -> String {
    withUnsafeBytes(of: &entry.pointee.d_name) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// The identity of the folder, to recognize another one in its place: device and number; `nil` if there is none.
  var identity: Identity? {
    var status = stat()
    guard stat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, access(root, R_OK | X_OK) == 0 else {
      return nil
    }
    return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
  }
}
