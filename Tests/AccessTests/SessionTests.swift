import Testing

@testable import Access

@Suite struct SessionTests {
  private let hour: Int64 = 3_600_000

  @Test func onlyTheIdThatWasGivenIsAdmitted() {
    var table = SessionTable()
    let id = table.begin(now: 0)
    #expect(id.count == 32)
    let isAdmitted = table.admits(id, now: 1)
    let isOtherAdmitted = table.admits(AccessToken().text, now: 1)
    let isNothingAdmitted = table.admits("", now: 1)
    #expect(isAdmitted && !isOtherAdmitted && !isNothingAdmitted)
  }

  @Test func aSessionEndsWhenItIsEnded() {
    var table = SessionTable()
    let (first, second) = (table.begin(now: 0), table.begin(now: 0))
    table.end(first)
    let admitted = [table.admits(first, now: 1), table.admits(second, now: 1)]
    #expect(admitted == [false, true])
  }

  @Test func aSessionThatNobodyUsesEnds() {
    var table = SessionTable()
    let id = table.begin(now: 0)
    let used = [table.admits(id, now: 11 * hour), table.admits(id, now: 22 * hour)]
    #expect(used == [true, true])
    let isAdmitted = table.admits(id, now: 34 * hour)
    #expect(!isAdmitted && table.count(now: 34 * hour) == 0)
  }

  @Test func aSessionThatIsUsedEndsAfterAWeek() {
    var table = SessionTable()
    let id = table.begin(now: 0)
    for time in stride(from: hour, to: SessionTable.longest, by: Int(hour)) {
      let isAdmitted = table.admits(id, now: time)
      #expect(isAdmitted)
    }
    let isAdmitted = table.admits(id, now: SessionTable.longest)
    #expect(!isAdmitted)
  }

  @Test func oneMoreThanFitsEndsTheOneThatWasUnusedForLongest() {
    var table = SessionTable(most: 3)
    let ids = (0..<3).map { table.begin(now: Int64($0)) }
    _ = table.admits(ids[0], now: 10)
    let next = table.begin(now: 11)
    let admitted = (ids + [next]).map { table.admits($0, now: 12) }
    #expect(admitted == [true, false, true, true])
    #expect(table.count(now: 12) == 3)
  }

  @Test func revokingATokenEndsItsSessionsAlone() {
    var table = SessionTable()
    let (own, other) = (table.begin(now: 0), table.begin(with: "0a1b2c3d", now: 0))
    table.endAll(with: "0a1b2c3d")
    let admitted = [table.admits(own, now: 1), table.admits(other, now: 1)]
    #expect(admitted == [true, false])
  }

  @Test func theCookieIsForThisPortAndForNoScript() {
    let cookie = SessionCookie(port: 8081, isSecure: false)
    let id = String(repeating: "a", count: 32)
    #expect(cookie.set(id) == "quietcam-8081=\(id); Path=/; HttpOnly; SameSite=Strict")
    #expect(cookie.id(in: "x=1; quietcam-8081=\(id)")?.description == id)
    #expect(cookie.id(in: "quietcam-80810=\(id); quietcam-8080=\(id); quietcam-8081=short") == nil)
    #expect(cookie.removal.contains("Max-Age=0"))
    let secure = SessionCookie(port: 8081, isSecure: true)
    #expect(secure.set(id) == "__Host-quietcam-8081=\(id); Path=/; HttpOnly; SameSite=Strict; Secure")
    #expect(secure.id(in: "quietcam-8081=\(id)") == nil)
  }
}
