import Media

/// Decodes what an encoder has encoded, as a viewer would, and measures how similar it is to the picture.
struct ReconstructionMeter: ~Copyable {
  private var decoder: StreamDecoder
  private var meter = SimilarityMeter()

  init() throws(FFmpegError) { decoder = try StreamDecoder() }

  /// Decodes the next access unit; an IDR picture may be another try at the one before.
  ///
  /// - Returns: the similarity to the picture that was encoded; `nil` for a repeat, which changes nothing.
  mutating func see(
    _ packet: borrowing Packet, of picture: borrowing Frame, as role: PictureEncoder.Role
  ) throws(FFmpegError) -> Double? {
    if role == .idr { decoder.flush() }
    let seen = try decoder.decode(packet)
    return role == .repeated ? nil : try meter.measure(seen, picture)
  }
}
