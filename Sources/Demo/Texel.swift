/// One pixel of the demo scene before lighting: how much of each light its surface reflects.
struct Texel: Sendable {
  /// Share of light sent back, linear; screens keep their picture here.
  var albedo = Vector3.zero
  var light = Illumination()
  /// Light of its own: of the monitor's picture, by albedo.
  var screen: Float = 0
  /// The part of the pixel through which the outdoors is seen.
  var outside: Float = 0
  /// Depth of the surface, metres, and where it faces: for the sun. No surface at depth 0.
  var depth: Float = 0
  var normal = Vector3.zero
  /// The share of the sun's light from behind that comes through, as through a leaf.
  var through: Float = 0
  /// Number of the solid in it, or below 0 for the room itself.
  var owner: Int32 = -1

  /// The light a texel sends to the camera, sun and outdoors aside.
  func radiance(_ day: Daylight) -> Vector3 {
    let sky = day.sky * light.sky + day.room * light.room
    return albedo * (sky + day.lamp * light.lamp + day.screen * (light.screen + screen))
  }
}

/// A place on the face of one of the clocks: a pixel, and metres right and up from the middle of the face.
struct FacePixel: Sendable {
  let index: Int
  let x: Float
  let y: Float
}

/// A pixel of the desk that reflects another place of the picture.
struct MirrorPixel: Sendable {
  let index: Int
  /// The reflected place, in pixels from the upper left corner.
  let x: Float
  let y: Float
  let strength: Float
  /// How far the mirror image is blurred, in pixels.
  let blur: Float
}
