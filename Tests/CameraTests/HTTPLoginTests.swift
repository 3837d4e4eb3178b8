import Testing

@testable import Camera

@Suite struct HTTPLoginTests {
  /// A login whose turns may stand in an expectation.
  private final class Turns {
    private var login: HTTPLogin
    init(_ login: HTTPLogin) { self.login = login }
    func authorization(method: String, target: String) -> String? {
      login.authorization(method: method, target: target)
    }
    func receive(_ offers: [HTTPChallenge]) -> Bool { login.receive(offers) }
    func succeed() { login.succeed() }
  }

  private func login(_ user: String, _ password: String, nonce: String) -> Turns {
    Turns(HTTPLogin(user: user, password: password, makeNonce: { nonce }))
  }

  private static let offers = """
    Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=ALGORITHM, \
    nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    """
  private static let nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

  private func offer(_ algorithm: String) -> String { Self.offers.replacing("ALGORITHM", with: algorithm) }

  /// RFC 7616, section 3.9.1.
  @Test(arguments: [
    (["SHA-256", "MD5"], "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", "SHA-256"),
    (["MD5"], "8ca523f5e9506fed4657c9700eebdbec", "MD5"),
    (["MD5", "SHA-256"], "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", "SHA-256"),
  ])
  func theExampleOfTheSpecification(_ algorithms: [String], _ response: String, _ chosen: String) throws {
    let login = login("Mufasa", "Circle of Life", nonce: Self.nonce)
    #expect(login.authorization(method: "GET", target: "/dir/index.html") == nil)
    #expect(login.receive(HTTPChallenge.all(in: algorithms.map(offer))))
    #expect(
      login.authorization(method: "GET", target: "/dir/index.html")
        == "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
        + "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", response=\"\(response)\", "
        + "algorithm=\(chosen), opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001, "
        + "cnonce=\"\(Self.nonce)\"")
  }

  /// RFC 2617, section 3.5, and RFC 2069 without a quality of protection.
  @Test func theExamplesOfItsForerunners() throws {
    let offer = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\""
    let login = login("Mufasa", "Circle Of Life", nonce: "0a4f113b")
    #expect(login.receive(HTTPChallenge.all(in: [offer + ", qop=\"auth,auth-int\""])))
    let answer = try #require(login.authorization(method: "GET", target: "/dir/index.html"))
    #expect(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""))
    #expect(!answer.contains("algorithm") && !answer.contains("opaque"))

    let older = self.login("Mufasa", "CircleOfLife", nonce: "x")
    #expect(older.receive(HTTPChallenge.all(in: [offer])))
    let plain = try #require(older.authorization(method: "GET", target: "/dir/index.html"))
    #expect(plain.contains("response=\"1949323746fe6a43ef61f9606e7febea\""))
    #expect(!plain.contains("qop") && !plain.contains("nc=") && !plain.contains("cnonce"))
  }

  @Test func aNonceIsUsedAgainAndCounted() throws {
    let login = login("a", "b", nonce: "c")
    #expect(login.receive(HTTPChallenge.all(in: [offer("MD5")])))
    for count in ["00000001", "00000002", "00000003"] {
      #expect(try #require(login.authorization(method: "GET", target: "/")).contains("nc=\(count),"))
      login.succeed()
    }
    #expect(login.receive(HTTPChallenge.all(in: [offer("MD5") + ", stale=true"])), "a nonce grows stale")
    #expect(try #require(login.authorization(method: "GET", target: "/")).contains("nc=00000001,"))
  }

  @Test func aWrongPasswordIsNotTriedTwice() {
    let login = login("a", "b", nonce: "c")
    #expect(login.receive(HTTPChallenge.all(in: [offer("MD5")])))
    _ = login.authorization(method: "GET", target: "/")
    #expect(!login.receive(HTTPChallenge.all(in: [offer("MD5")])))
    let basic = self.login("a", "b", nonce: "c")
    #expect(basic.receive(HTTPChallenge.all(in: ["Basic realm=x"])))
    #expect(!basic.receive(HTTPChallenge.all(in: ["Basic realm=x"])))
  }

  @Test func basicIsTheLastChoice() {
    let login = login("Aladdin", "open sesame", nonce: "c")
    #expect(login.receive(HTTPChallenge.all(in: ["Basic realm=\"x\""])))
    #expect(login.authorization(method: "GET", target: "/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    let both = self.login("a", "b", nonce: "c")
    #expect(both.receive(HTTPChallenge.all(in: ["Basic realm=\"x\", " + offer("MD5")])))
    #expect(both.authorization(method: "GET", target: "/")?.hasPrefix("Digest ") == true)
  }

  @Test(arguments: [
    "Bearer", "Digest realm=x", "Digest nonce=x", "Digest realm=x, nonce=y, algorithm=SHA-512-256",
    "Digest realm=x, nonce=y, qop=auth-int", "", ", ,", "Negotiate dG9rZW4=", "Digest \"", "= = =",
  ])
  func whatIsNotUnderstoodIsNotAnswered(_ offer: String) {
    let login = login("a", "b", nonce: "c")
    #expect(!login.receive(HTTPChallenge.all(in: [offer])))
    #expect(login.authorization(method: "GET", target: "/") == nil)
  }

  @Test func quotesInNamesAreEscaped() throws {
    let login = login("a\"b\\", "c", nonce: "d")
    #expect(login.receive(HTTPChallenge.all(in: ["Digest realm=\"r \\\" \\\\\", nonce=n"])))
    let answer = try #require(login.authorization(method: "GET", target: "/"))
    #expect(answer.hasPrefix("Digest username=\"a\\\"b\\\\\", realm=\"r \\\" \\\\\", nonce=\"n\""))
  }
}
