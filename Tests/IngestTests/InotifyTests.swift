import Testing

@testable import Ingest

@Suite struct InotifyTests {
  private func event(_ watch: Int32, _ mask: UInt32, _ cookie: UInt32 = 0, name: String = "", padding: Int = 0)
    -> [UInt8]
  {
    let text = Array(name.utf8) + [UInt8](repeating: 0, count: name.isEmpty ? 0 : 1 + padding)
    return [UInt32(bitPattern: watch), mask, cookie, UInt32(text.count)].flatMap { value in
      withUnsafeBytes(of: value) { Array($0) }
    } + text
  }

  private func events(_ bytes: [UInt8]) -> [FolderWatch.Event] { bytes.withUnsafeBytes { Inotify.events($0) } }

  @Test func eventsAreReadAsTheKernelLaysThemOut() {
    let bytes =
      event(1, 0x8, name: "a.jpg", padding: 10) + event(2, 0x40, 7, name: "b") + event(2, 0x80, 7, name: "c")
      + event(3, 0x100, name: "made.jpg") + event(3, 0x4000_0100, name: "made") + event(3, 0x4000_0040, 8, name: "d")
      + event(3, 0x4000_0080, 8, name: "e") + event(4, 0x400) + event(4, 0x800) + event(4, 0x2000)
      + event(4, 0x8000) + event(-1, 0x4000)
    #expect(
      events(bytes) == [
        .written(1, "a.jpg"), .fileMovedOut(2, "b", cookie: 7), .fileMovedIn(2, "c", cookie: 7),
        .fileMade(3, "made.jpg"), .directoryMade(3, "made"), .directoryMovedOut(3, "d", cookie: 8),
        .directoryMovedIn(3, "e", cookie: 8),
        .gone(4), .gone(4), .gone(4), .ended(4), .overflow(since: 0),
      ])
  }

  @Test func changedRightsAreTold() {
    let bytes = event(1, 0x4, name: "a.jpg") + event(1, 0x4000_0004, name: "day") + event(2, 0x4000_0004)
    #expect(
      events(bytes) == [.fileChanged(1, "a.jpg"), .directoryChanged(1, "day"), .directoryChanged(2, "")])
  }

  @Test func brokenBytesAndNamesAreLeftOut() {
    let whole = event(1, 0x8, name: "a.jpg")
    for count in 0..<whole.count { #expect(events(Array(whole.prefix(count))).isEmpty) }
    var invalid = whole
    invalid[16] = 0xFF
    #expect(events(invalid + whole) == [.nameless(1, "\u{FFFD}.jpg"), .written(1, "a.jpg")])
  }
}
