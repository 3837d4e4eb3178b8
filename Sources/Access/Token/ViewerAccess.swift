/// Who may see a camera.
package enum ViewerAccess: String, Sendable, CaseIterable {
  /// Everyone.
  case open
  /// Those who have a link that has not ended.
  case signed
}
