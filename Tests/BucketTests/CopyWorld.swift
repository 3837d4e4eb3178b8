import Media
import NIOCore
import Packager
import Playlist
import Station
import TestSupport
import Testing

@testable import Bucket

/// A plan, its camera, its bucket, and a clock.
struct CopyWorld {
  var (camera, plan, bucket) = (FakeCamera(), CopyPlan(), FakeBucket())
  var now = Ticks.zero
  var underWay: [CopyJob] = []
  var random: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    for _ in 0..<5 { camera.makeSegment() }
    camera.publish(to: &plan)
    plan.show(ByteBuffer(string: "picture"))
  }

  mutating func begin() { while let job = plan.next(at: now) { underWay.append(job) } }

  /// Lets one request end.
  ///
  /// - Parameters:
  ///   - arrives: whether the bucket carries it out.
  ///   - isTold: whether the plan hears that.
  mutating func end(_ index: Int, arrives: Bool = true, isTold: Bool = true) {
    let job = underWay.remove(at: index)
    if case .putPhoto(let photo) = job.work, !camera.photos.contains(where: { $0.name == photo }) {
      return plan.finish(job, .gone, at: now)
    }
    if arrives { bucket.carryOut(job, photos: camera.photos.map(\.name)) }
    if case .look = job.work, arrives, isTold {
      plan.looked(Array(bucket.objects.keys), playlist: bucket.playlist, at: now)
    }
    plan.finish(job, arrives && isTold ? .done : .failed, at: now)
  }

  mutating func settle() {
    for _ in 0..<2000 {
      begin()
      if underWay.isEmpty {
        guard !plan.isSettled, let next = plan.deadline(after: now) else { return }
        now = next
      } else {
        end(.random(in: 0..<underWay.count, using: &random))
      }
    }
    Issue.record("it does not come to an end")
  }

  /// The process ends, and another one goes on with what the store has.
  mutating func restart(keepsStore: Bool) {
    for job in underWay where Bool.random(using: &random) {
      if case .putPhoto(let photo) = job.work, !camera.photos.contains(where: { $0.name == photo }) { continue }
      bucket.carryOut(job, photos: camera.photos.map(\.name))
    }
    underWay.removeAll()
    plan = CopyPlan()
    if keepsStore { camera.restore(to: &plan) } else { camera.forget() }
    camera.beginStream(withOtherHeader: Bool.random(using: &random))
    camera.publish(to: &plan)
    plan.show(ByteBuffer(string: "picture"))
    plan.keep(camera.photos)
  }
}
