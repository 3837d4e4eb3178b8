import Foundation

// Small figures of small samples; `nil` where there are too few values.

func inMilliseconds(_ microseconds: Int64) -> Double { Double(microseconds) / 1000 }

func differences(_ values: [Int64]) -> [Double] { zip(values.dropFirst(), values).map { Double($0 - $1) } }

func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }

func median(_ values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// The standard deviation.
func spread(_ values: [Double]) -> Double? {
  guard values.count > 1, let centre = mean(values) else { return nil }
  return (values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(values.count - 1)).squareRoot()
}

/// Pearson's correlation; 0 where one of both does not change.
func correlation(_ left: [Double], _ right: [Double]) -> Double? {
  guard left.count > 2, let x = mean(left), let y = mean(right) else { return nil }
  let product = zip(left, right).reduce(0) { $0 + ($1.0 - x) * ($1.1 - y) }
  let squares = left.reduce(0) { $0 + ($1 - x) * ($1 - x) } * right.reduce(0) { $0 + ($1 - y) * ($1 - y) }
  return squares > 0 ? product / squares.squareRoot() : 0
}

/// What is left of a number over whole periods, never negative.
func floorModulo(_ value: Int64, _ period: Int64) -> Int64 {
  let rest = value % period
  return rest < 0 ? rest + period : rest
}

/// The mean of places in a period, from 0 to the period.
func circularMean(_ values: [Double], _ period: Double) -> Double? {
  guard let (x, y) = direction(values, period), x != 0 || y != 0 else { return nil }
  let angle = atan2(y, x)
  return (angle < 0 ? angle + 2 * Double.pi : angle) / (2 * Double.pi) * period
}

/// How far places in a period are from each other: the circular standard deviation.
func circularSpread(_ values: [Double], _ period: Double) -> Double? {
  guard values.count > 1, let (x, y) = direction(values, period) else { return nil }
  let length = min(1, max(1e-9, (x * x + y * y).squareRoot()))
  return (-2 * log(length)).squareRoot() / (2 * Double.pi) * period
}

private func direction(_ values: [Double], _ period: Double) -> (Double, Double)? {
  guard !values.isEmpty, period > 0 else { return nil }
  let angles = values.map { $0 / period * 2 * Double.pi }
  let count = Double(values.count)
  return (angles.reduce(0) { $0 + cos($1) } / count, angles.reduce(0) { $0 + sin($1) } / count)
}
