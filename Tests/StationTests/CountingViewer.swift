import Foundation
import Media
import NIOCore
import Packager
import Playlist
import Testing

@testable import Station

/// What can be counted of a stream from outside.
struct PublicCount {
  var parts: [Double] = []
  var segments: [Double] = []
  var pictures: [Double] = []
  var eventsOfParts: [Double] = []
  /// The times that events tell, in milliseconds, in pieces between which something was not looked at.
  var times: [[Int64]] = []

  /// What the headers of slices say, by segment: the IDR picture's fields, and the means of the others'.
  var headers: [String: [Double]] = [:]
  /// How boxes, units and counted numbers of segments follow each other.
  var shapes: Set<String> = []

  /// All of it, by its name.
  var all: [(name: String, values: [Double])] {
    [
      ("bytes of parts", parts), ("bytes of segments", segments), ("bytes of latest.jpg", pictures),
      ("events with a part", eventsOfParts), ("time from event to event", intervals),
    ] + headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private var intervals: [Double] { times.flatMap { piece in zip(piece.dropFirst(), piece).map { Double($0 - $1) } } }

  /// By how much the times from each event to the eighth after it differ (standard deviation), in milliseconds.
  var steadiness: Double {
    let lengths = times.flatMap { piece in zip(piece.dropFirst(8), piece).map { Double($0 - $1) } }
    let mean = lengths.reduce(0, +) / Double(lengths.count)
    return (lengths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(lengths.count)).squareRoot()
  }

  /// How far two samples are apart (Kolmogorov and Smirnov), and how probable it is that two of one distribution are.
  ///
  /// - Parameter count: how many of `right` say something new.
  static func compare(_ left: [Double], _ right: [Double], count: Int) -> (distance: Double, probability: Double) {
    let (left, right) = (left.sorted(), right.sorted())
    var (i, j, distance) = (0, 0, 0.0)
    while i < left.count, j < right.count {
      let value = min(left[i], right[j])
      while i < left.count, left[i] == value { i += 1 }
      while j < right.count, right[j] == value { j += 1 }
      distance = max(distance, abs(Double(i) / Double(left.count) - Double(j) / Double(right.count)))
    }
    let root = (Double(left.count * count) / Double(left.count + count)).squareRoot()
    let lambda = (root + 0.12 + 0.11 / root) * distance
    let terms = (1...100).map { k in
      (k % 2 == 1 ? 2 : -2) * exp(-2 * Double(k * k) * lambda * lambda)
    }
    return (distance, lambda < 0.2 ? 1 : min(1, max(0, terms.reduce(0, +))))
  }
}

/// A viewer who counts, and who knows what is live and what is not.
final class CountingViewer {
  private(set) var counted: [Director.Source: PublicCount] = [:]
  private var segmentBytes = 0.0
  private var headers = HeaderReader()
  private var lastID: Int64 = 0
  private var lastSource: Director.Source?

  /// Passes over what has happened so far.
  func skip(_ camera: Camera) {
    lastID = camera.events.newestID
    lastSource = nil
    segmentBytes = 0
    headers.skip()
  }

  /// Counts what came with a slot.
  func look(at camera: Camera) async throws {
    let source = camera.counters.source
    var count = counted[source, default: PublicCount()]
    let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    let part = try #require(playlist.trailingParts.last ?? playlist.segments.last?.parts.last)
    let media = try #require(camera.edge.media(named: part.uri))
    let bytes = Double(media.readableBytes)
    if headers.syntax == nil {
      let map = try #require(playlist.segments.last?.map?.uri)
      let header = try #require(camera.edge.media(named: map))
      let sets = try #require(ParameterSets(initSegment: header))
      headers.syntax = SliceSyntax(sets)
    }
    try headers.read(media, endsSegment: playlist.trailingParts.isEmpty, into: &count)
    count.parts.append(bytes)
    segmentBytes += bytes
    if playlist.trailingParts.isEmpty {
      count.segments.append(segmentBytes)
      segmentBytes = 0
    }
    var events: [CameraEvent] = []
    if camera.events.newestID > lastID {
      events = try #require(await camera.events.events(after: lastID, deadline: .now + .seconds(5)))
      lastID = camera.events.newestID
    }
    count.eventsOfParts.append(Double(events.count))
    if source != lastSource { count.times.append([]) }
    for event in events {
      let fields = try #require(try JSONSerialization.jsonObject(with: Data(event.json.utf8)) as? [String: Any])
      let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
      let time = try format.parse(try #require(fields["time"] as? String))
      count.times[count.times.count - 1].append(Int64((time.timeIntervalSince1970 * 1000).rounded()))
      count.pictures.append(try #require(fields["bytes"] as? Double))
    }
    counted[source] = count
    lastSource = source
  }
}
