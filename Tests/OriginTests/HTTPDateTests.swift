import Foundation
import Testing

@testable import Origin

@Suite struct HTTPDateTests {
  @Test func theExampleOfTheStandardIsWrittenAsThere() {
    #expect(HTTPDate.text(at: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
  }

  @Test func everyDayIsWrittenAsFoundationWritesIt() {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = .gmt
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    for day in 0..<800 {
      let second = 1_700_000_000 + day * 86_431
      let expected = formatter.string(from: Date(timeIntervalSince1970: Double(second)))
      #expect(HTTPDate.text(at: second) == expected)
      #expect(HTTPDate.text(at: second) == expected)
    }
  }
}
