import HTTPTypes
import Testing

@testable import Origin

@Suite struct RequestConditionsTests {
  @Test(arguments: [
    ("\"a\"", true), ("\"b\", \"a\"", true), ("W/\"a\"", true), ("*", true), ("\"az\"", true), ("\"b\"", false),
    ("a", false),
    ("", false),
  ])
  func entityTagsAreFoundInLists(header: String, matches: Bool) {
    #expect(RequestConditions.matches([.ifNoneMatch: header], anyOf: ["\"a\"", "\"az\""]) == matches)
  }

  @Test(
    arguments: [
      ("bytes=0-", .bytes(0..<100)), ("bytes=10-19", .bytes(10..<20)), ("bytes=90-200", .bytes(90..<100)),
      ("bytes=-5", .bytes(95..<100)), ("bytes=-500", .bytes(0..<100)), ("bytes=100-", .unsatisfiable),
      ("bytes=-0", .unsatisfiable),
      ("bytes=5-4", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole), ("bytes=0-1,5-6", .whole),
      ("items=0-1", .whole), ("Bytes=10-19", .bytes(10..<20)),
      ("bytes= 1 - 2 ", .bytes(1..<3)), ("bytes=99999999999999999999-", .whole), ("bytes=0--1", .whole),
    ] as [(String, RequestConditions.Range)])
  func rangesAreReadAsTheSpecificationSays(header: String, range: RequestConditions.Range) {
    #expect(RequestConditions.range([.range: header], length: 100, etag: "\"a\"") == range)
  }

  @Test func aRangeOfAnotherVersionIsTheWhole() {
    let fields: HTTPFields = [.range: "bytes=0-1", .ifRange: "\"old\""]
    #expect(RequestConditions.range(fields, length: 100, etag: "\"a\"") == .whole)
    #expect(
      RequestConditions.range([.range: "bytes=0-1", .ifRange: "\"a\""], length: 100, etag: "\"a\"") == .bytes(0..<2))
    #expect(RequestConditions.range([.range: "bytes=0-"], length: 0, etag: "\"a\"") == .unsatisfiable)
  }
}
