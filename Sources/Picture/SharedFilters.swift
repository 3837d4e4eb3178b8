import CFFmpeg
import Media

/// Filter graphs that several cameras use in turn. A graph takes as much memory as a picture that it makes or more.
///
/// Only for chains whose pictures do not depend on those before.
final class SharedFilters: Sendable {
  private struct Shape: Equatable, Sendable {
    let chain: String
    let size: PictureSize
    let format: Int32
  }

  /// Cameras with crops of their own have shapes of their own, and to make a graph takes longer than to use it.
  private let graphs = WorkerShelf<Shape, FilterGraph>(most: 256)
  /// Whether several use them.
  let isShared: Bool

  /// No graphs yet.
  init(isShared: Bool = true) { self.isShared = isShared }

  /// What comes out of the chain, one picture for one: its own, if no filter of the chain lets the picture through as it
  /// is.
  func process(_ picture: borrowing Frame, by chain: String) throws(FFmpegError) -> sending Frame {
    let generation = graphs.generation
    let picture = try picture.handedOver()
    let shape = Shape(chain: chain, size: picture.size, format: picture.format.rawValue)
    let graph = try graph(for: shape)
    let output = try graph.process(picture).handedOver()
    _ = consume picture
    graphs.put(graph, shape, of: generation)
    return output
  }

  private func graph(for shape: Shape) throws(FFmpegError) -> sending FilterGraph {
    if let idle = graphs.take(shape) { return idle }
    return try FilterGraph(shape.chain, size: shape.size, format: AVPixelFormat(shape.format))
  }

  /// Frees all graphs: they have pixels of the pictures that they had. Pictures that came out of them stay.
  func forget() { graphs.forget() }
}
