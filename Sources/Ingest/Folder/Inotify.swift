#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The kernel's events of watched directories, inotify(7): the only owner of its descriptor.
struct Inotify: ~Copyable {
  /// What is asked for.
  private static let mask = UInt32(
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
      | IN_EXCL_UNLINK)
  private static let bufferSize = 65_536

  let descriptor: Int32

  /// - Throws: if the user has no more instances (fs.inotify.max_user_instances).
  init() throws(SystemError) {
    descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard descriptor >= 0 else { throw SystemError(call: "inotify_init1", number: errno) }
  }

  deinit { close(descriptor) }

  /// Watches a directory; watching it twice gives the same number.
  func watch(_ path: String) throws(SystemError) -> FolderWatch.Watch {
    let watch = inotify_add_watch(descriptor, path, Self.mask)
    guard watch >= 0 else { throw SystemError(call: "inotify_add_watch \(path)", number: errno) }
    return watch
  }

  /// Ends a watch; one that has already ended is fine.
  func unwatch(_ watch: FolderWatch.Watch) { _ = inotify_rm_watch(descriptor, watch) }

  /// The waiting events, at most a buffer full; empty if there are none.
  func read() -> [FolderWatch.Event] {
    withUnsafeTemporaryAllocation(byteCount: Self.bufferSize, alignment: 8) { buffer in
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      return count > 0 ? Self.events(UnsafeRawBufferPointer(rebasing: buffer[..<count])) : []
    }
  }

  /// Reads events in the kernel's layout: watch, mask, cookie, length of the name, the name padded with zeros.
  static func events(_ bytes: UnsafeRawBufferPointer) -> [FolderWatch.Event] {
    var events: [FolderWatch.Event] = []
    var offset = 0
    while offset + 16 <= bytes.count {
      let watch = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
      let mask = Int(bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
      let cookie = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self)
      let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
      guard offset + 16 + length <= bytes.count else { break }
      let name = bytes[offset + 16..<offset + 16 + length].prefix { $0 != 0 }
      offset += 16 + length
      // A path that is not UTF-8 could not be opened again as text.
      guard let text = String(validating: name, as: UTF8.self) else {
        let kinds = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE
        if mask & Int(kinds) != 0 { events.append(.nameless(watch, String(decoding: name, as: UTF8.self))) }
        continue
      }
      if let event = event(watch, mask, cookie, text) { events.append(event) }
    }
    return events
  }

  private static func event(_ watch: Int32, _ mask: Int, _ cookie: UInt32, _ name: String) -> FolderWatch.Event? {
    func has(_ bit: some BinaryInteger) -> Bool { mask & Int(bit) != 0 }
    if has(IN_Q_OVERFLOW) { return .overflow(since: 0) }
    if has(IN_IGNORED) { return .ended(watch) }
    if has(IN_DELETE_SELF) || has(IN_MOVE_SELF) || has(IN_UNMOUNT) { return .gone(watch) }
    let isDirectory = has(IN_ISDIR)
    if has(IN_MOVED_FROM) {
      return isDirectory
        ? .directoryMovedOut(watch, name, cookie: cookie) : .fileMovedOut(watch, name, cookie: cookie)
    }
    if has(IN_MOVED_TO) {
      return isDirectory ? .directoryMovedIn(watch, name, cookie: cookie) : .fileMovedIn(watch, name, cookie: cookie)
    }
    if has(IN_CREATE) { return isDirectory ? .directoryMade(watch, name) : .fileMade(watch, name) }
    if has(IN_ATTRIB) { return isDirectory ? .directoryChanged(watch, name) : .fileChanged(watch, name) }
    return has(IN_CLOSE_WRITE) && !isDirectory ? .written(watch, name) : nil
  }
}
