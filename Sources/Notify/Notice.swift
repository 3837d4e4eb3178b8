import Foundation
import Media

/// Something that the operator wants to hear of.
package struct Notice: Hashable, Sendable {
  /// What happened; the names are those of `event` in the messages.
  package enum Event: String, Hashable, Sendable, CaseIterable {
    /// A camera has sent no stills for the time `hold`.
    case cameraOff = "camera-off"
    /// It sends stills again.
    case cameraBack = "camera-back"
    /// Visitors waved.
    case waves
    /// Writing to the store fails.
    case storeTrouble = "store-trouble"
    /// It has not failed for a while.
    case storeWell = "store-well"
    /// Browsers refuse a certificate for its dates, or soon will.
    case certificateEnds = "certificate-ends"
    /// They do not any more.
    case certificateWell = "certificate-well"
    /// Several wrong tokens or signatures came.
    case tokenGuessed = "token-guessed"
    /// Nothing: somebody tries whether messages arrive.
    case test

    /// Events of one topic replace one another: the newest says what holds.
    var topic: String {
      switch self {
      case .cameraOff, .cameraBack: "camera"
      case .storeTrouble, .storeWell: "store"
      case .certificateEnds, .certificateWell: "certificate"
      case .waves, .tokenGuessed, .test: rawValue
      }
    }
  }

  /// The camera of a notice, and where it can be seen.
  package struct CameraLink: Hashable, Sendable, Encodable {
    /// Its name.
    package let camera: String
    /// What people call it.
    package let title: String
    /// Its page; `nil` where the public address is not known.
    package let page: String?
    /// Its last picture, as viewers see it.
    package let picture: String?

    /// A camera and its links.
    package init(camera: String, title: String, page: String? = nil, picture: String? = nil) {
      self.camera = camera
      self.title = title
      self.page = page
      self.picture = picture
    }
  }

  /// What happened.
  package let event: Event
  /// When.
  package let time: WallTime
  /// One sentence for people.
  package let text: String
  /// The camera; `nil` where it is about none.
  package var camera: CameraLink?
  /// When the newest still came, or when a certificate ends.
  package var since: WallTime?
  /// The file that it is about.
  package var file: String?
  /// How many waves, failed writes or wrong tokens came since the last notice of this kind.
  package var count: Int64?
  /// The addresses that sent the most wrong tokens.
  package var addresses: [String]?

  /// A notice of this.
  package init(_ event: Event, at time: WallTime, _ text: String, camera: CameraLink? = nil) {
    self.event = event
    self.time = time
    self.text = text
    self.camera = camera
  }

  /// What a newer notice must have in common to take this one's place.
  var key: String { "\(event.topic) \(camera?.camera ?? file ?? "")" }

  /// Takes what an older notice counted, which is not sent.
  mutating func absorb(_ older: Notice) {
    guard event == older.event, let before = older.count else { return }
    count = (count ?? 0) + before
  }

  /// The message's body: one object of JSON (RFC 8259) in one line.
  ///
  /// - Parameters:
  ///   - number: rises from message to message to one receiver, so that a receiver sees what is missing.
  ///   - dropped: how many messages before this one were not sent.
  func body(number: Int64, dropped: Int) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let message = Message(
      event: event.rawValue, time: time.iso8601, text: text, number: number, dropped: dropped, camera: camera?.camera,
      title: camera?.title, page: camera?.page, picture: camera?.picture, since: since?.iso8601, file: file,
      count: count, addresses: addresses)
    // Only strings and numbers: all of them can be written.
    return (try? encoder.encode(message)).map(Array.init) ?? []
  }

  /// The names in the messages; what there is none of is left out.
  private struct Message: Encodable {
    let event: String
    let time: String
    let text: String
    let number: Int64
    let dropped: Int
    let camera: String?
    let title: String?
    let page: String?
    let picture: String?
    let since: String?
    let file: String?
    let count: Int64?
    let addresses: [String]?
  }
}
