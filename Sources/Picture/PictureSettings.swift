import Media

/// The processing of every still between the camera and the encoder.
///
/// Crop and masks refer to the upright picture, in fractions of its sides. They come before everything that mixes
/// pixels, so nothing behind a mask reaches a viewer.
package struct PictureSettings: Hashable, Sendable {
  /// How a picture of another shape fits the stream.
  package enum Fit: String, Sendable, CaseIterable {
    /// The whole picture, with black bars.
    case contain
    /// The whole stream is filled, and the picture's edges are cut.
    case cover
  }

  /// The stream's size; both sides even, 32 to 4096.
  package var size: PictureSize
  /// How pictures of another shape fit the stream.
  package var fit: Fit
  /// The part of the picture that is shown; all of it if `nil`.
  package var crop: UnitRect?
  /// Areas that are blacked out before anything else.
  package var masks: [PrivacyMask]
  /// Whether colour is removed.
  package var isGray: Bool
  /// The radius of the blur in pixels of the stream; 0 is none, at most 100.
  package var blur: Int
  /// The strength of the temporal denoiser (`hqdn3d`); 0 is none, at most 30. It evens out a sensor's noise over
  /// successive stills, which is not visible and saves about a quarter of the bytes.
  package var denoise: Int
  /// The most pixels of a camera's picture; larger ones are refused without decoding.
  package var maxPixels: Int

  /// The settings for a stream of 640x480 that shows the whole picture.
  package init(
    size: PictureSize = PictureSize(width: 640, height: 480), fit: Fit = .contain, crop: UnitRect? = nil,
    masks: [PrivacyMask] = [], isGray: Bool = false, blur: Int = 0, denoise: Int = 10, maxPixels: Int = 40_000_000
  ) {
    self.size = size
    self.fit = fit
    self.crop = crop
    self.masks = masks
    self.isGray = isGray
    self.blur = blur
    self.denoise = denoise
    self.maxPixels = maxPixels
  }
}
