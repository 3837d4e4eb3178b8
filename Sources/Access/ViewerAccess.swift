/// Who can see a camera.
public enum ViewerAccess: String, Sendable, CaseIterable {
  /// Everyone.
  case open
  /// Viewers with a link that has not ended.
  case signed
}
