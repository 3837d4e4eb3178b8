import Access
import Media
import NIOCore
import Records
import Station

/// A page for operators at the private address; the raw value is its path.
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
  /// - Throws: `EncodingError`, which never happens for a camera's state.
  func render(_ cameras: [Camera], doors: AccessLimits, visits: [String: Records.Now], now: WallTime) throws
    -> ByteBuffer
  {
    switch self {
    case .metrics: MetricsText.render(cameras, doors: doors, visits: visits, now: now)
    case .status: try StatusReport(cameras, doors: doors, visits: visits, now: now).jsonLine()
    }
  }
}
