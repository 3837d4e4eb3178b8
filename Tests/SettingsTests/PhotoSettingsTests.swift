import Media
import Origin
import Settings
import Station
import Testing

@Suite struct PhotoSettingsTests {
  private func camera(_ lines: String..., flags: [String: String] = [:]) throws -> CameraSettings {
    let text = desk(lines.joined(separator: "\n    "))
    return try #require(load(text, flags: flags).cameras.first)
  }

  private let standard = PictureSize(width: 1920, height: 1280)

  @Test func photosAreLargeWhereNoVeilCanFall() throws {
    #expect(try camera("crf: 22").photoSize == standard)
    #expect(try camera("crf: 22").keepPhotos == 100)
    #expect(try camera("photo-size: 800x600").photoSize == PictureSize(width: 800, height: 600))
    #expect(try camera("photo-size: stream").photoSize == nil)
    #expect(try camera("keep-photos: 0").keepPhotos == 0)
    #expect(try camera("folder: /srv/x").photoSize == standard)
  }

  @Test func whereAVeilMayFallAllPicturesHaveTheStreamsSize() throws {
    let token = ["operator-token": "operator-secret"]
    #expect(try camera("veil-every: 60..120").photoSize == nil)
    #expect(try camera("crf: 22", flags: token).photoSize == nil)
    #expect(try camera("folder: /srv/x", flags: token).photoSize == standard, "at-once forbids the veil already")
    #expect(try camera("photo-size: 800x600", flags: token).photoSize == PictureSize(width: 800, height: 600))
    #expect(
      problems(desk("veil-every: 60..120", "photo-size: 800x600")) == [
        "q.yaml:5: cameras.desk.photo-size: found 800x600 with veil-every; accepted: stream, or no veil-every"
      ])
  }

  @Test(arguments: ["800", "0x0", "31x32", "9000x9000", "Stream", "x"])
  func sizesThatAreNone(text: String) {
    let told = problems(desk("photo-size: '\(text)'"))
    #expect(told.count == 1 && told[0].contains("such as 1920x1280, or stream"), "\(told)")
  }

  @Test func titles() throws {
    #expect(try camera("title: The desk & me").title == "The desk & me")
    #expect(try camera("crf: 22").title == nil)
    #expect(problems(desk("title: '\(String(repeating: "x", count: 101))'")).count == 1)
    #expect(problems(desk("title: \"a\\nb\"")).count == 1)
  }

  @Test(arguments: [
    ("https://example.org", "https://example.org/"), ("http://cam.example:8080/a/b", "http://cam.example:8080/a/b/"),
    ("https://example.org/", "https://example.org/"),
  ])
  func addressesOutside(text: String, taken: String) throws {
    #expect(try load("base-url: \(text)\n" + desk()).site.baseURL == taken)
  }

  @Test(arguments: [
    "example.org", "ftp://example.org", "https://", "https://a/../b", "https://a//b", "https://a/?x", "https://a b",
    "https://a/\"b", "javascript:alert(1)",
  ])
  func addressesThatAreNone(text: String) {
    let told = problems("base-url: '\(text)'\n" + desk())
    #expect(told.count == 1 && told[0].contains("such as https://example.org/cam/"), "\(told)")
  }
}
