import Foundation

/// A chart as inline SVG whose colours are the page's CSS variables, so that it follows light and dark.
struct Chart {
  /// A figure in one of the kinds that a bar is made of.
  struct Slice {
    let name: String
    let value: Double
    /// A CSS colour.
    let colour: String
  }

  /// One bar.
  struct Bar {
    let title: String
    let slices: [Slice]
    let label: String

    var total: Double { slices.reduce(0) { $0 + $1.value } }
  }

  /// One mark in a plane.
  struct Dot {
    let title: String
    let x: Double
    let y: Double
    let colour: String
  }

  private static let width = 900
  private static let left = 240

  /// Horizontal bars, one below the other.
  static func bars(_ bars: [Bar], name: String) -> String {
    let (row, top) = (30, 6)
    let height = top * 2 + row * bars.count
    let room = Double(width - left - 125)
    let largest = max(bars.map(\.total).max() ?? 0, 1e-9)
    var svg = open(height, name)
    for (index, bar) in bars.enumerated() {
      let y = top + index * row
      svg += "<text x=\"\(left - 10)\" y=\"\(y + 19)\" text-anchor=\"end\">\(escape(bar.title))</text>"
      var x = Double(left)
      for slice in bar.slices where slice.value > 0 {
        let length = slice.value / largest * room
        svg +=
          "<rect x=\"\(number(x))\" y=\"\(y + 5)\" width=\"\(number(max(length, 0.6)))\" height=\"\(row - 10)\" "
          + "fill=\"\(slice.colour)\"><title>\(escape(bar.title)): \(escape(slice.name))</title></rect>"
        x += length
      }
      svg += "<text class=\"value\" x=\"\(number(x + 7))\" y=\"\(y + 19)\">\(escape(bar.label))</text>"
    }
    return svg + "</svg>"
  }

  /// Marks in a plane, x on a logarithmic scale.
  static func plane(_ dots: [Dot], x: String, y: String, lineAt: (value: Double, name: String)?, name: String) -> String
  {
    guard !dots.isEmpty else { return "" }
    let (height, bottom, side) = (420, 370, 70)
    let lowest = roundNumber(max(dots.map(\.x).min() ?? 1, 0.1) / 1.3, up: false)
    let highest = roundNumber((dots.map(\.x).max() ?? 10) * 1.5, up: true)
    let values = dots.map(\.y) + (lineAt.map { [$0.value] } ?? [])
    let (low, high) = ((values.min() ?? 0), (values.max() ?? 1))
    let spare = max((high - low) * 0.12, 0.002)
    let (from, to) = (low - spare, min(high + spare, high > 1 ? high + spare : 1.0005))
    func place(_ value: Double) -> Double {
      Double(side) + log10(value / lowest) / log10(highest / lowest) * Double(width - side - 30)
    }
    func level(_ value: Double) -> Double { Double(bottom) - (value - from) / (to - from) * Double(bottom - 20) }
    var svg = open(height, name)
    var mark = lowest
    while mark <= highest * 1.001 {
      let at = number(place(mark))
      svg += "<line class=\"grid\" x1=\"\(at)\" x2=\"\(at)\" y1=\"20\" y2=\"\(bottom)\"/>"
      svg += "<text x=\"\(at)\" y=\"\(bottom + 18)\" text-anchor=\"middle\">\(number(mark))</text>"
      mark = roundNumber(mark * 1.5, up: true)
    }
    for index in 0...4 {
      let value = from + (to - from) * Double(index) / 4
      svg +=
        "<line class=\"grid\" x1=\"\(side)\" x2=\"\(width - 30)\" y1=\"\(number(level(value)))\" y2=\"\(number(level(value)))\"/>"
      svg +=
        "<text x=\"\(side - 8)\" y=\"\(number(level(value) + 4))\" text-anchor=\"end\">\(String(format: "%.3f", value))</text>"
    }
    if let lineAt {
      let at = number(level(lineAt.value))
      svg += "<line class=\"mark\" x1=\"\(side)\" x2=\"\(width - 30)\" y1=\"\(at)\" y2=\"\(at)\"/>"
      svg +=
        "<text class=\"value\" x=\"\(width - 34)\" y=\"\(number(level(lineAt.value) - 6))\" text-anchor=\"end\">\(escape(lineAt.name))</text>"
    }
    for dot in dots {
      let (at, up) = (number(place(dot.x)), number(level(dot.y)))
      svg +=
        "<circle cx=\"\(at)\" cy=\"\(up)\" r=\"6\" fill=\"\(dot.colour)\"><title>\(escape(dot.title))</title></circle>"
    }
    // Ways of one family are close together: those near each other share one column of names beside them.
    var groups: [[Dot]] = []
    for dot in dots.sorted(by: { place($0.x) < place($1.x) }) {
      let near = groups.firstIndex { group in
        group.contains { abs(place($0.x) - place(dot.x)) < 150 && abs(level($0.y) - level(dot.y)) < 24 }
      }
      if let near { groups[near].append(dot) } else { groups.append([dot]) }
    }
    for group in groups {
      let (near, far) = (group.map { place($0.x) }.min() ?? 0, group.map { place($0.x) }.max() ?? 0)
      let isLeft = far > Double(width) * 0.68
      let middle = group.map { level($0.y) }.reduce(0, +) / Double(group.count)
      let top = max(30, middle - Double(group.count - 1) * 7.5)
      for (line, dot) in group.sorted(by: { $0.y > $1.y }).enumerated() {
        svg +=
          "<text x=\"\(number(isLeft ? near - 11 : far + 11))\" y=\"\(number(top + 4 + Double(line) * 15))\""
          + "\(isLeft ? " text-anchor=\"end\"" : "")>\(escape(dot.title))</text>"
      }
    }
    svg +=
      "<text class=\"axis\" x=\"\((width + side) / 2)\" y=\"\(height - 8)\" text-anchor=\"middle\">\(escape(x))</text>"
    svg +=
      "<text class=\"axis\" transform=\"translate(14 \(bottom / 2)) rotate(-90)\" text-anchor=\"middle\">\(escape(y))</text>"
    return svg + "</svg>"
  }

  /// The nearest of 1, 2, 5, 10, 20, 50 … on one side of a value.
  private static func roundNumber(_ value: Double, up: Bool) -> Double {
    let decade = pow(10, floor(log10(value)))
    let steps = [1.0, 2, 5, 10].map { $0 * decade }
    return (up ? steps.first { $0 >= value * 0.999 } : steps.last { $0 <= value * 1.001 }) ?? decade
  }

  /// Text that HTML does not read as its own.
  static func escape(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: escaped.append(character)
      }
    }
    return escaped
  }

  private static func open(_ height: Int, _ name: String) -> String {
    "<svg viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(escape(name))\">"
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : String(format: "%.1f", value)
  }
}
