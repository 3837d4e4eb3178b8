import Access
import Foundation
import Media
import Origin
import Settings
import Station

/// The folders of cameras that only people with a link can see: no other user, and so no web server, can read them.
enum PrivateFolders {
  /// Makes them, or takes everybody else's permissions from those that exist.
  ///
  /// - Throws: the file system's error.
  static func prepare(_ settings: ServeSettings) throws {
    guard case .folder(let store) = settings.store else { return }
    for camera in settings.cameras where settings.doors[camera.name]?.access == .signed {
      let path = "\(store)/\(camera.name)"
      try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
      let owner: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
      if FileManager.default.fileExists(atPath: path) {
        try FileManager.default.setAttributes(owner, ofItemAtPath: path)
      } else {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: owner)
      }
    }
  }
}
