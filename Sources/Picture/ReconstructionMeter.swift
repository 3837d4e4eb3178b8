import Media

/// Looks at what an encoder has coded as a viewer would, and says how like the picture it is.
struct ReconstructionMeter: ~Copyable {
  private var decoder: StreamDecoder
  private var meter = SimilarityMeter()

  init() throws(FFmpegError) { decoder = try StreamDecoder() }

  /// Looks at the next access unit; every IDR picture may be another try at the one before.
  ///
  /// - Returns: the similarity to the picture that was coded; `nil` for a repeat, which changes nothing.
  mutating func see(
    _ packet: borrowing Packet, of picture: borrowing Frame, as role: PictureEncoder.Role
  ) throws(FFmpegError) -> Double? {
    if role == .idr { decoder.flush() }
    let seen = try decoder.decode(packet)
    return role == .repeated ? nil : try meter.measure(seen, picture)
  }
}
