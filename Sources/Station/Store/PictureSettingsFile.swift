import Foundation
import Logging
import NIOCore
import SystemPackage

/// The file in a camera's folder with the settings that its pictures were made with, so that a new mask also holds for
/// the pictures of an earlier process.
struct PictureSettingsFile: Sendable {
  /// The camera's folder.
  let folder: String

  static let name = "pictures.json"

  /// Removes the pictures that were made with other picture settings, or with unknown ones, and notes the current ones.
  /// Called before anything of the folder is shown.
  ///
  /// The photos are marked as withdrawn here and are removed when they are opened. The settings are noted last: if the
  /// process ends before that, the next one does the same.
  ///
  /// - Returns: whether the pictures of the earlier process must not be shown.
  func dropsPictures(current: LoopSettings, logger: Logger) -> Bool {
    let earlier = Mirror.file(Self.name, in: folder).flatMap { LoopSettings(json: String(buffer: $0)) }
    let hasPhotos = (try? PhotoFolder(path: folder).contents().photos.isEmpty) == false
    let differences = earlier?.differencesOfPicture(from: current) ?? []
    let drops = earlier == nil ? hasPhotos : !differences.isEmpty
    if drops {
      let reason =
        earlier == nil
        ? "nothing says which picture settings they were made with"
        : "picture settings have changed (\(differences.joined(separator: ", ")))"
      logger.warning(
        "the photos and the last picture of an earlier process are removed and not shown: \(reason)",
        metadata: ["folder": "\(folder)"])
    }
    do {
      if drops {
        try StoreFile.replace(PhotoFolder.markName, in: folder, with: ByteBuffer())
        try StoreFile.remove("\(folder)/\(StreamPublisher.latestName)")
      }
      if earlier != current {
        try StoreFile.replace(
          Self.name, in: folder, with: ByteBuffer(string: current.json))
      }
    } catch {
      logger.error(
        "\(Self.name) cannot be written; check the store's disk and rights",
        metadata: ["folder": "\(folder)", "error": "\(error)"])
    }
    return drops
  }
}
