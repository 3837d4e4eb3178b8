import Access
import Media
import NIOCore
import Station

/// A page that operators read at the private door; the raw value is its path.
enum OperatorPage: String {
  case metrics = "/metrics"
  case status = "/status"

  var contentType: String {
    switch self {
    case .metrics: MetricsText.contentType
    case .status: "application/json"
    }
  }

  /// The content of the page at this moment.
  ///
  /// - Throws: `EncodingError`, which no state of a camera leads to.
  func render(_ cameras: [Camera], doors: AccessLimits, now: WallTime) throws -> ByteBuffer {
    switch self {
    case .metrics: MetricsText.render(cameras, doors: doors, now: now)
    case .status: try StatusReport(cameras, doors: doors, now: now).json()
    }
  }
}
