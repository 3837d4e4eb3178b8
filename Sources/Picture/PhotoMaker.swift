import Ingest
import Media
import NIOCore

/// Makes photos from decoded stills: with the crop, masks, rotation, blur and gray of the stream's picture, without
/// bars, and no larger than the still or the limit.
package struct PhotoMaker: ~Copyable {
  private let settings: PictureSettings
  private let limit: PictureSize?
  private let quality: Int
  /// Its own: what is kept of a photo for the next one is much larger than a picture of the stream.
  private let filters = SharedFilters(isShared: false)
  private var filter: PictureFilter
  private var filterSize: PictureSize?

  /// A maker for a camera with these settings.
  ///
  /// - Parameters:
  ///   - limit: the largest size of a photo; `nil` makes none.
  ///   - quality: of the JPEGs, 1 to 100.
  package init(settings: PictureSettings, limit: PictureSize?, quality: Int) {
    self.settings = settings
    self.limit = limit
    self.quality = quality
    filter = PictureFilter(settings: settings, filters: filters)
  }

  /// How often the sides of a still can be halved while it is decoded, so that both photo and stream are good.
  package func reduction(of header: JPEGHeader) -> Int {
    let ofStream = PictureFilter(settings: settings).reduction(of: header)
    guard let size = size(of: header) else { return ofStream }
    return min(ofStream, PictureFilter(settings: photoSettings(size.photo, shown: size.stream)).reduction(of: header))
  }

  /// The photo of a decoded still; `nil` if the stream shows as much of it.
  ///
  /// - Parameter reduction: the one that it was decoded with.
  package mutating func photo(
    of frame: borrowing Frame, header: JPEGHeader, reduction: Int
  ) throws(FFmpegError) -> Photo? {
    guard let size = size(of: header) else { return nil }
    if filterSize != size.photo {
      filter = PictureFilter(settings: photoSettings(size.photo, shown: size.stream), filters: filters)
      filterSize = size.photo
    }
    let picture = try filter.process(try frame.shared(), orientation: header.orientation, reduction: reduction)
    return Photo(jpeg: try SharedWorkers.jpeg(of: picture, quality: quality), size: size.photo)
  }

  /// The size of a still's photo, and of its picture in the stream without bars; `nil` if that is as large.
  private func size(of header: JPEGHeader) -> (photo: PictureSize, stream: PictureSize)? {
    guard let limit else { return nil }
    let (shown, stream) = PictureFilter.shown(settings, input: header.size, orientation: header.orientation)
    var photo = shown
    if photo.width > limit.width {
      photo = PictureSize(width: limit.width, height: shown.height * limit.width / shown.width)
    }
    if photo.height > limit.height {
      photo = PictureSize(width: shown.width * limit.height / shown.height, height: limit.height)
    }
    // The colours of a JPEG and of the filters are for pairs of pixels.
    photo = PictureSize(width: max(2, photo.width / 2 * 2), height: max(2, photo.height / 2 * 2))
    return photo.width > stream.width || photo.height > stream.height ? (photo, stream) : nil
  }

  private func photoSettings(_ size: PictureSize, shown stream: PictureSize) -> PictureSettings {
    var settings = settings
    settings.blur = (settings.blur * size.width + stream.width - 1) / stream.width
    settings.size = size
    // Its shape is that of what is shown, except for rounding.
    settings.fit = .cover
    // This evens out the noise over successive stills; a photo is a single picture.
    settings.denoise = 0
    return settings
  }
}
