/// The program's version.
package enum ProgramVersion {
  /// The version by the rules of semver.org. It is written here alone: `quietcam --version`, the metrics, the package
  /// and the manual pages take it from here.
  package static let text = "0.1.0"
}
