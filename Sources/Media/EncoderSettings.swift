/// How pictures are encoded as H.264.
package struct EncoderSettings: Hashable, Sendable {
  /// x264's presets, from the least work to the fewest bytes.
  package enum Preset: String, Sendable, CaseIterable {
    /// x264's preset of the same name.
    case ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, veryslow
  }

  /// How much work the encoder spends on a picture.
  package var preset: Preset
  /// x264's constant rate factor, 0 (lossless) to 51: the finest quantizer, except for macroblocks at rest, which get
  /// up to four steps more.
  package var crf: Int
  /// The similarity (SSIM, in thousandths) of what viewers see to the source picture that is enough. Scenes that reach
  /// it with fewer bytes than `crf` takes are encoded with fewer, and scenes at rest with fewer still (`SSIMTarget`). 0
  /// always encodes with `crf`.
  package var ssim: Int
  /// How many earlier stills the encoder searches, 1 to 16; repeats do not count. Each takes the memory of about five
  /// pictures.
  package var references: Int
  /// How many of them the encoder searches while a machine has too little room; `nil` for all. What the stream says of
  /// itself stays the same.
  package var searched: Int?
  /// The highest average bit rate of a segment, in kbit/s; `nil` chooses by the picture's size.
  package var maxKilobits: Int?

  /// The settings for a quiet background picture.
  package init(
    preset: Preset = .slow, crf: Int = 22, ssim: Int = 973, references: Int = 2, maxKilobits: Int? = nil
  ) {
    self.preset = preset
    self.crf = crf
    self.ssim = ssim
    self.references = references
    self.maxKilobits = maxKilobits
  }

  /// The highest bit rate for pictures of `size`, in kbit/s: the setting, or about 1.3 bits a pixel, which at two
  /// stills a second only pure noise reaches.
  package func kilobits(for size: PictureSize) -> Int { maxKilobits ?? max(100, size.pixels * 13 / 10_000) }

  /// The reference pictures for pictures of `size`: the setting, as far as decoders of level 4.1 have room for it, the
  /// level of every phone (ITU-T H.264, table A-1).
  package func references(for size: PictureSize) -> Int {
    let macroblocks = ((size.width + 15) / 16) * ((size.height + 15) / 16)
    return max(1, min(references, 32_768 / macroblocks))
  }

  /// How many reference pictures are searched for pictures of `size`.
  package func searched(for size: PictureSize) -> Int {
    let references = references(for: size)
    return searched.map { max(1, min($0, references)) } ?? references
  }
}
