#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The disk of the store folder. Looking at it blocks.
package struct StoreDisk: Hashable, Sendable {
  /// Bytes that are free for this process, and all.
  package var free: Int64
  package var total: Int64
  /// Bytes of each camera's folder.
  package var cameras: [CameraName: Int64]

  /// Looks at a store folder; `nil` if the system says nothing of it.
  package init?(folder: String, cameras names: [CameraName]) {
    var disk = statvfs()
    guard statvfs(folder, &disk) == 0 else { return nil }
    free = Int64(clamping: UInt64(disk.f_bavail) * UInt64(disk.f_frsize))
    total = Int64(clamping: UInt64(disk.f_blocks) * UInt64(disk.f_frsize))
    cameras = names.reduce(into: [:]) { $0[$1] = Self.bytes(below: "\(folder)/\($1)", depth: 0) }
  }

  private static func bytes(below folder: String, depth: Int) -> Int64 {
    guard depth < 8, let entries = opendir(folder) else { return 0 }
    defer { closedir(entries) }
    var sum: Int64 = 0
    while let entry = readdir(entries) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      let path = "\(folder)/\(name)"
      var file = stat()
      guard lstat(path, &file) == 0 else { continue }
      sum += Int64(file.st_blocks) * 512
      if file.st_mode & S_IFMT == S_IFDIR { sum += bytes(below: path, depth: depth + 1) }
    }
    return sum
  }
}
