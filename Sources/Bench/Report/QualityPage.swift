import Foundation

/// The result of `quietcam bench quality` as one page without other files.
package struct QualityPage: Sendable {
  private let result: QualityResult
  private let width = 900.0
  private let height = 480.0
  private let margin = 60.0

  /// A page of `result`.
  package init(_ result: QualityResult) { self.result = result }

  /// The page.
  package var html: String {
    let judge = result.pushedLikeScene == nil ? "the pushed still" : "the true scene"
    let rows = result.curves.map { curve in
      "<tr><td>\(escaped(curve.name))</td><td>\(number(curve.atMark, 1))</td>"
        + "<td>\(number(curve.atMark.map { 100 * $0 / result.polling }, 1, " %"))</td>"
        + "<td>\(number(curve.difference.map { 100 * $0 }, 1, " %"))</td><td>"
        + curve.points.map {
          "\(escaped($0.label)): \(number($0.kilobytesPerMinute, 0)) kB, \(number($0.similarity, 4)), "
            + "\(number($0.milliseconds, 0)) ms"
        }.joined(separator: "<br>") + "</td></tr>"
    }
    return """
      <!doctype html><html lang="en"><meta charset="utf-8"><title>Quality: \(escaped(result.source))</title>
      <style>body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em}
      table{border-collapse:collapse}td,th{border-bottom:1px solid #8884;padding:.2em .8em;text-align:right;
      vertical-align:top}td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}
      svg text{font:12px system-ui,sans-serif;fill:currentColor}</style>
      <h1>Bytes and similarity</h1>
      <p>\(escaped(result.source)): \(result.stills) stills of \(result.stillBytes) bytes, one every
      \(number(result.every, 1)) s. Similarity is the SSIM to \(judge). The dashed lines are the pushed stills' own
      bytes and the similarity that is asked for. Bytes are media alone, without playlists and headers.</p>
      \(chart)
      <table><tr><th>coded as</th><th>kB a minute at the mark</th><th>of polling</th><th>BD-rate to JPEG</th>
      <th>points</th></tr>\(rows.joined(separator: "\n"))</table></html>
      """
  }

  private var chart: String {
    let points = result.curves.flatMap(\.points)
    let rates = points.map(\.kilobytesPerMinute) + [result.polling]
    let similarities = points.map(\.similarity) + [result.mark]
    let (left, right) = (log2(rates.min() ?? 1) - 0.1, log2(rates.max() ?? 2) + 0.1)
    let (low, high) = (
      QualityResult.decibels(similarities.min() ?? 0) - 0.2, QualityResult.decibels(similarities.max() ?? 1) + 0.2
    )
    func x(_ rate: Double) -> Double { margin + (width - 2 * margin) * (log2(rate) - left) / (right - left) }
    func y(_ similarity: Double) -> Double {
      height - margin - (height - 2 * margin) * (QualityResult.decibels(similarity) - low) / (high - low)
    }
    var shapes: [String] = []
    for rate in [10.0, 20, 50, 100, 200, 500, 1000, 2000, 5000] where log2(rate) > left && log2(rate) < right {
      shapes.append(line(x(rate), margin, x(rate), height - margin, "stroke='currentColor' opacity='.15'"))
      shapes.append(text(x(rate), height - margin + 18, "\(Int(rate)) kB/min", "middle"))
    }
    for similarity in [0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99]
    where y(similarity) > margin && y(similarity) < height - margin {
      shapes.append(line(margin, y(similarity), width - margin, y(similarity), "stroke='currentColor' opacity='.15'"))
      shapes.append(text(margin - 6, y(similarity) + 4, number(similarity, 2), "end"))
    }
    let dashed = "stroke='currentColor' stroke-dasharray='5 4' opacity='.6'"
    shapes.append(line(x(result.polling), margin, x(result.polling), height - margin, dashed))
    shapes.append(line(margin, y(result.mark), width - margin, y(result.mark), dashed))
    for (index, curve) in result.curves.enumerated() {
      let hue = index * 360 / max(1, result.curves.count)
      let colour = index == 0 ? "currentColor" : "hsl(\(hue) 70% 45%)"
      let path = curve.points.map { "\(number(x($0.kilobytesPerMinute), 1)),\(number(y($0.similarity), 1))" }
      shapes.append(
        "<polyline points='\(path.joined(separator: " "))' fill='none' stroke='\(colour)' "
          + "stroke-width='\(index < 2 ? 3 : 1.5)'><title>\(escaped(curve.name))</title></polyline>")
      for point in curve.points {
        shapes.append(
          "<circle cx='\(number(x(point.kilobytesPerMinute), 1))' cy='\(number(y(point.similarity), 1))' r='3' "
            + "fill='\(colour)'><title>\(escaped(curve.name)), \(escaped(point.label)): "
            + "\(number(point.kilobytesPerMinute, 1)) kB/min, SSIM \(number(point.similarity, 4))</title></circle>")
      }
      let row = margin + 14 * Double(index)
      shapes.append(line(width - margin - 190, row, width - margin - 170, row, "stroke='\(colour)' stroke-width='3'"))
      shapes.append(text(width - margin - 164, row + 4, curve.name, "start"))
    }
    return "<svg viewBox='0 0 \(Int(width)) \(Int(height))' role='img' aria-label='similarity over bytes a minute'>"
      + shapes.joined(separator: "\n") + "</svg>"
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
    "<line x1='\(number(x1, 1))' y1='\(number(y1, 1))' x2='\(number(x2, 1))' y2='\(number(y2, 1))' \(style)/>"
  }

  private func text(_ x: Double, _ y: Double, _ words: String, _ anchor: String) -> String {
    "<text x='\(number(x, 1))' y='\(number(y, 1))' text-anchor='\(anchor)'>\(escaped(words))</text>"
  }

  private func number(_ value: Double?, _ digits: Int, _ unit: String = "") -> String {
    value.map { String(format: "%.\(digits)f", $0) + unit } ?? "–"
  }

  private func escaped(_ words: String) -> String {
    words.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("'", with: "&#39;")
  }
}
