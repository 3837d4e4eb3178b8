import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// `System.coreCount` reads files, and no still must wait for these. The slates need it first, at the start.
private let processorCount = max(2, System.coreCount)

/// Workers that all cameras use in turn: at most one for each processor and shape is kept, and not one for each camera,
/// since each takes a megabyte or more.
///
/// Only for workers whose answers do not depend on the pictures that they had before.
final class WorkerShelf<Shape: Equatable & Sendable, Worker: ~Copyable>: Sendable {
  private struct Entry: Sendable {
    let shape: Shape
    let place: Place
  }

  /// What one idle worker lies in. `NIOLockedValueBox` takes only what can be copied.
  private final class Place: Sendable {
    private let worker: Mutex<Worker?>
    init(_ worker: consuming sending Worker) { self.worker = Mutex(worker) }
    func take() -> sending Worker? { worker.withLock { $0.take() } }
  }

  private struct State {
    var generation = 0
    /// The one that was used last is at the end.
    var idle: [Entry] = []
  }

  private let most: Int
  private let state = NIOLockedValueBox(State())

  /// An empty shelf.
  ///
  /// - Parameter most: how many are kept idle at most, whatever their shapes.
  init(most: Int = 32) { self.most = most }

  /// Which workers may come back: rises with each `forget`. It is read before a worker is used.
  var generation: Int { state.withLockedValue { $0.generation } }

  /// An idle worker for pictures of this shape, which the caller then owns; `nil` if there is none.
  func take(_ shape: Shape) -> sending Worker? {
    let place = state.withLockedValue { state -> Place? in
      guard let index = state.idle.lastIndex(where: { $0.shape == shape }) else { return nil }
      return state.idle.remove(at: index).place
    }
    return place?.take()
  }

  /// Keeps a worker for whoever needs it next, unless all were to be forgotten since `generation` was read.
  func put(_ worker: consuming sending Worker, _ shape: Shape, of generation: Int) {
    let place = Place(worker)
    // What is left over is freed after the lock.
    let dropped = state.withLockedValue { state -> Place? in
      guard generation == state.generation, state.idle.count(where: { $0.shape == shape }) < min(processorCount, most)
      else {
        return place
      }
      state.idle.append(Entry(shape: shape, place: place))
      return state.idle.count > most ? state.idle.removeFirst().place : nil
    }
    _ = dropped
  }

  /// Frees all workers: the idle ones now, the others when their use ends. They have pixels of the pictures that they had.
  func forget() {
    let dropped = state.withLockedValue { state in
      defer { (state.generation, state.idle) = (state.generation + 1, []) }
      return state.idle
    }
    _ = dropped
  }
}
