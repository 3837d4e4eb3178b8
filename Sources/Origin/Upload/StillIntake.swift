import Ingest
import Media
import NIOCore
import Picture
import Station

/// Passes the stills of one body to their camera and counts them.
struct StillIntake {
  /// Why a body is not read to its end.
  struct Stop: Error, Equatable {
    /// What was wrong.
    let refusal: StillRefusal
  }

  private let camera: Camera
  private var reader: BodyReader
  private var firstRefusal: StillRefusal?
  private let isHeldBack: Bool
  private let admits: () -> Bool
  private var heldBack: ByteBuffer?
  /// Stills that were accepted.
  private(set) var taken = 0
  /// Pictures that were refused.
  private(set) var refused = 0
  /// The advice for the camera, after the last accepted still.
  private(set) var receipt: Camera.Receipt?

  /// The intake of one body.
  ///
  /// - Parameters:
  ///   - isHeldBack: whether nothing is passed to the camera before `settle`; the body then has one still.
  ///   - admits: called before each still except the first, which was admitted with its request.
  init(camera: Camera, label: BodyLabel, isHeldBack: Bool, admits: @escaping () -> Bool) {
    self.camera = camera
    self.isHeldBack = isHeldBack
    self.admits = admits
    reader = BodyReader(
      label: label, maxStillBytes: camera.settings.maxStillBytes, choice: camera.settings.stillChoice)
  }

  /// The bytes of the body that are kept.
  var heldBytes: Int { reader.heldBytes + (heldBack?.readableBytes ?? 0) }

  /// Takes the next piece of the body.
  ///
  /// - Throws: if nothing that can follow is useful.
  mutating func read(_ piece: ByteBuffer) throws(Stop) {
    for finding in reader.read(piece) { try take(finding) }
  }

  /// Ends the body.
  ///
  /// - Throws: if its end shows that it is not useful.
  mutating func end() throws(Stop) {
    for finding in reader.finish() { try take(finding) }
  }

  /// Passes on what was held back, and returns the answer for the camera.
  ///
  /// - Throws: the first refusal, if no still was accepted.
  mutating func settle() throws(Stop) -> Camera.Receipt {
    if let still = heldBack {
      heldBack = nil
      hand(still)
    }
    if let receipt { return receipt }
    if let firstRefusal { throw Stop(refusal: firstRefusal) }
    throw stop(StillRefusal(.notJPEG, reader.summary))
  }

  private mutating func take(_ finding: BodyItem) throws(Stop) {
    switch finding {
    case .picture(let picture):
      guard isHeldBack else { return hand(picture) }
      guard heldBack == nil else {
        throw stop(StillRefusal(.malformed, "a signed body has one still; sign each and send it by itself"))
      }
      heldBack = picture
    case .oversized:
      camera.refuse(.tooLarge)
      note(tooLarge)
      if !reader.isStream { throw Stop(refusal: tooLarge) }
    case .overflow: throw stop(tooLarge)
    case .malformed(let detail): throw stop(StillRefusal(.malformed, detail))
    }
  }

  private mutating func hand(_ picture: ByteBuffer) {
    guard taken + refused == 0 || admits() else {
      refused += 1
      return
    }
    do throws(StillRefusal) {
      receipt = try camera.take(picture)
      taken += 1
    } catch {
      note(error)
    }
  }

  private mutating func note(_ refusal: StillRefusal) {
    refused += 1
    if firstRefusal == nil { firstRefusal = refusal }
  }

  private func stop(_ refusal: StillRefusal) -> Stop {
    camera.refuse(refusal.reason)
    return Stop(refusal: refusal)
  }

  /// The refusal of a body that is too large.
  var tooLarge: StillRefusal {
    StillRefusal(
      .tooLarge,
      "the body is over \(camera.settings.maxStillBytes) bytes; send a smaller picture or raise max-still-bytes")
  }
}
