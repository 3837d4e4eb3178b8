/// How pictures are coded as H.264.
package struct EncoderSettings: Hashable, Sendable {
  /// x264's presets, from the least work to the smallest result.
  package enum Preset: String, Sendable, CaseIterable {
    /// x264's preset of the same name.
    case ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, veryslow
  }

  /// How much work the encoder spends on a picture.
  package var preset: Preset
  /// x264's constant rate factor, 0 (lossless) to 51: the finest quantizer, but for macroblocks at rest, which get up
  /// to four steps more.
  package var crf: Int
  /// The similarity (SSIM, in thousandths) between what viewers see and the picture that was coded, which is enough:
  /// scenes that reach it with fewer bytes than `crf` takes are coded with fewer, and scenes at rest with fewer still
  /// (`SSIMTarget`). 0 always codes with `crf`.
  package var ssim: Int
  /// How many pictures back the encoder looks for what comes into view again, 1 to 16. Repeats of a still count as
  /// pictures too, and each takes the memory of about three pictures.
  package var references: Int
  /// The most bits a second over a segment's length, in thousands; `nil` chooses by the picture's size.
  package var maxKilobits: Int?

  /// The settings for a quiet background picture.
  package init(
    preset: Preset = .slow, crf: Int = 22, ssim: Int = 973, references: Int = 9, maxKilobits: Int? = nil
  ) {
    self.preset = preset
    self.crf = crf
    self.ssim = ssim
    self.references = references
    self.maxKilobits = maxKilobits
  }

  /// The bits a second, in thousands, that hold for pictures of `size`: what was set, or about 1.3 bits a pixel,
  /// which at two stills a second only a picture of pure noise reaches.
  package func kilobits(for size: PictureSize) -> Int { maxKilobits ?? max(100, size.pixels * 13 / 10_000) }

  /// The pictures back for pictures of `size`: what was set, as far as decoders of level 4.1 have room for it, which
  /// every phone is (ITU-T H.264, table A-1).
  func references(for size: PictureSize) -> Int {
    let macroblocks = ((size.width + 15) / 16) * ((size.height + 15) / 16)
    return max(1, min(references, 32_768 / macroblocks))
  }
}
