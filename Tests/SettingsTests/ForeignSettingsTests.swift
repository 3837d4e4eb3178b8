import Access
import Media
import Settings
import TestSupport
import Testing

/// Settings that are sent over HTTP or stand in files: damaged ones are refused with their mistakes, and what is taken is
/// written so that it means the same.
@Suite struct ForeignSettingsTests {
  private static let secret = "s3cret-token-of-the-desk"

  /// How a text begins that sends the secret as the token.
  private static let starts = ["token: \(secret)\n", "{\"token\": \"\(secret)\","]

  private static let seeds = [
    """
    token: \(secret)
    size: 320x240
    title: "A \\"desk\\" ä"
    crf: 30
    part: 500ms
    hours: mon-fri 08:00-18:00 Europe/Berlin
    masks:
      - rectangle: {x: 0.1, y: 0.2, width: 0.3, height: 0.4}
      - polygon: [[0, 0], [0.5, 0], [0.5, 1]]
    """,
    """
    {"token": "s3cret-token-of-the-desk", "fit": "cover", "gray": true, "max-rate": 5,
     "title": "a\\u2028b \\u00e4"}
    """,
    """
    veil-every: 10m..1h
    veil-for: 30..300
    photo-size: stream
    keep-photos: 20
    remember: 10m
    crop: {x: 0, y: 0, width: 1, height: 0.5}
    """,
  ]

  private static let damage = Mutation(
    tokens: [
      ":", ": ", "\n", "\n  ", "- ", "\"", "'", "\\", "\\u0000", "\\\"", "{", "}", "[", "]", ",", "#", " #", "~",
      "null", "*a",
      "&a", "!!str ", "|\n", ">\n", "? ", "---\n", "...\n", "%YAML 1.2\n", "\t", "\r\n", "\u{FEFF}", "\u{85}",
      "\u{2028}",
      "é", "\"title\": \"\\u0085\",", "token-file: /etc/x", "size", "9999999999999", "-1", "0.5", "1e9", "true", "none",
      "..",
    ].map { Array($0.utf8) }, front: 200)

  @Test func whatIsSentIsRefusedOrMeansTheSameWhenItIsWritten() throws {
    let desk = try #require(CameraName("desk"))
    let (path, place) = ("cameras.d/desk.yaml", "request")
    var (taken, refused) = (0, 0)
    for (number, text) in Self.damage.texts(of: Self.seeds, 1200, most: 2) {
      let sample: Comment = "sample \(number): \(text.debugDescription)"
      do throws(SettingsError) {
        let file = try CameraFile.written(text, for: desk, path: path, in: place, earlier: nil)
        taken += 1
        let words = String(decoding: file.bytes, as: UTF8.self)
        // Damage can also put the secret where a title stands.
        let isKept = Self.starts.contains { text.hasPrefix($0) } && text.ranges(of: Self.secret).count == 1
        #expect(!isKept || !words.contains(Self.secret), sample)
        // What is written is taken again, and written alike.
        let again = try CameraFile.written(words, for: desk, path: path, in: place, earlier: nil)
        #expect(again == file, sample)
        let report = CameraFile.report(of: desk, file: nil, own: file)
        #expect(!isKept || !report.contains(Self.secret), sample)
        #expect(report.hasPrefix("{\"camera\":\"desk\""), sample)
      } catch {
        refused += 1
        #expect(!error.problems.isEmpty && error.problems.allSatisfy { $0.place.hasPrefix("\(place):") }, sample)
      }
    }
    #expect(taken > 100 && refused > 300, "\(taken), \(refused)")
  }

  /// The whole file, with all that it can have besides cameras.
  @Test func aDamagedFileIsReadOrToldOf() {
    let file = """
      public: 127.0.0.1:8080
      private: "[::1]:8081"
      operator-token: \(Self.secret)
      trusted-proxies: 127.0.0.1 10.0.0.0/8
      log: info, json
      defaults: {crf: 30, part: 1s, segment: 6s}
      cameras:
        desk: {token: \(Self.secret), size: 320x240}
        yard:
          token: another-token-of-ours
          hours: sunrise-30m to sunset+1h at 52.52,13.40

      """
    var (read, refused) = (0, 0)
    for number in DamagedSamples.numbers(600) {
      var random = SeededGenerator(seed: UInt64(number))
      let bytes =
        number == 0
        ? Array(file.utf8)
        : Int.random(in: 0..<3, using: &random) == 0
          ? Mutation.changingNumbers(in: Array(file.utf8), most: 2, using: &random)
          : Self.damage.applied(to: Array(file.utf8), mixing: [], most: 2, using: &random)
      let text = String(decoding: bytes, as: UTF8.self)
      let sample: Comment = "sample \(number): \(text.debugDescription)"
      do throws(SettingsError) {
        let settings = try ServeSettings.load(
          file: ("q.yaml", text), environment: [:], flags: [:], cameraFiles: { _ in [] }
        ) { _ in "token-in-a-file" }
        read += 1
        #expect(!settings.cameras.isEmpty, sample)
      } catch {
        refused += 1
        #expect(!error.problems.isEmpty && error.problems.allSatisfy { !$0.message.isEmpty }, sample)
      }
    }
    #expect(read > 20 && refused > 100, "\(read), \(refused)")
  }
}
