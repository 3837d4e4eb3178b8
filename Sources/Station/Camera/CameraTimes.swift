import Media

/// How long the work of one camera takes, for operators.
package struct CameraTimes: Sendable {
  /// From the arrival of a still to the publication of its slot's part. The wait for the slot and the camera's `delay`
  /// are in it. It counts also what a loop hides, so that its cost does not tell one from the other.
  package let stillToPart = Histogram(
    milliseconds: [50, 100, 250, 500, 1000, 1500, 2000, 3000, 4000, 6000, 10_000, 60_000])
  /// What making the pictures of a slot takes: decoding stills, filtering and encoding.
  package let encode = Histogram(milliseconds: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000])
  /// From the beginning of a slot until its part is ready to be published.
  package let ready = Histogram(milliseconds: [5, 10, 25, 50, 100, 150, 200, 300, 500, 1000, 2000, 5000])

  init() {}
}
