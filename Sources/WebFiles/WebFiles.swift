import CWebFiles
import NIOCore

/// The files that are carried within the program: pages, and what they load.
package enum WebFiles {
  /// The files of a target's folder `Web`, by their names.
  ///
  /// - Parameter target: the target's name, such as `Origin`.
  package static func of(_ target: String) -> [String: ByteBuffer] {
    let folder = "../\(target)/Web/"
    var files: [String: ByteBuffer] = [:]
    var index = 0
    while let file = qc_web_file_at(index)?.pointee {
      index += 1
      let path = String(cString: file.path)
      guard path.hasPrefix(folder) else { continue }
      files[String(path.dropFirst(folder.count))] = ByteBuffer(
        bytes: UnsafeBufferPointer(start: file.bytes, count: file.count))
    }
    return files
  }
}

/// A file that the program needs was not there when it was built.
package struct MissingWebFile: Error, CustomStringConvertible {
  /// The file's name.
  package let name: String

  /// This file is missing.
  package init(_ name: String) { self.name = name }

  /// What to do.
  package var description: String {
    "this program was built without its file \(name); build it again from the whole source, with `make build`"
  }
}
