import Media
import Station
import Testing

@testable import Settings

/// Kubernetes and Docker make variables for a service that is called quietcam; nobody wrote them, and none is a setting.
@Suite struct ServiceLinksTests {
  private static let made: [(String, String)] = [
    ("QUIETCAM_PORT", "tcp://10.96.12.7:8080"), ("QUIETCAM_SERVICE_HOST", "10.96.12.7"),
    ("QUIETCAM_SERVICE_HOST", "fd00::12"), ("QUIETCAM_SERVICE_PORT", "8080"), ("QUIETCAM_SERVICE_PORT_HTTP", "8080"),
    ("QUIETCAM_PORT_8080_TCP", "tcp://10.96.12.7:8080"), ("QUIETCAM_PORT_8080_TCP_PROTO", "tcp"),
    ("QUIETCAM_PORT_8080_TCP_PORT", "8080"), ("QUIETCAM_PORT_8080_TCP_ADDR", "10.96.12.7"),
    ("QUIETCAM_PORT_53_UDP", "udp://10.96.12.7:53"), ("QUIETCAM_PUBLIC_PORT", "tcp://10.96.12.7:80"),
    ("QUIETCAM_PUBLIC_SERVICE_HOST", "10.96.12.7"), ("QUIETCAM_PUBLIC_SERVICE_PORT_WEB_SECURE", "443"),
    ("QUIETCAM_PUBLIC_PORT_443_TCP_ADDR", "10.96.12.7"), ("QUIETCAM_1_PORT", "tcp://172.17.0.2:8080"),
    ("QUIETCAM_STORE_PORT_6379_TCP", "tcp://172.17.0.3:6379"), ("QUIETCAM_NAME", "/web/quietcam"),
    ("QUIETCAM_PORT_8000_TCP_START", "tcp://172.17.0.2:8000"), ("QUIETCAM_PORT_8000_TCP_PORT_END", "8010"),
    ("QUIETCAM2_PORT", "tcp://10.0.0.1:1"),
  ]

  @Test(arguments: made)
  func whatServicesMakeIsPassedOver(variable: String, text: String) throws {
    #expect(try load(desk(), environment: [variable: text]) == load(desk()))
  }

  @Test func allOfThemTogetherChangeNothing() throws {
    var environment = Dictionary(Self.made, uniquingKeysWith: { first, _ in first })
    environment["QUIETCAM_ENV_PATH"] = "/bin"
    environment["QUIETCAM_CRF"] = "30"
    #expect(try load(desk(), environment: environment).camera("desk").encoder.crf == 30)
  }

  @Test(arguments: [
    ("QUIETCAM_PORT", "8080"), ("QUIETCAM_PROT", "tcp://10.0.0.1:80"), ("QUIETCAM_PUBLIC_PORT", "8080"),
    ("QUIETCAM_SERVICE_PORT", "eighty"), ("QUIETCAM_NAME", "desk"), ("QUIETCAM_SIEZ", "1x1"),
    ("QUIETCAM_ENV_PATH", "/bin"), ("QUIETCAM_PUBLICC", "127.0.0.1:80"), ("QUIETCAM_PORT_8080_TCP_TOKEN", "secret"),
    ("QUIETCAM_TOKEN_FIEL", "/run/token"),
  ])
  func aSettingThatIsMisspeltIsStillTold(variable: String, text: String) {
    let found = problems(desk(), environment: [variable: text])
    #expect(
      found.count == 1 && found.first?.contains(variable) == true && found.first?.contains("no such setting") == true)
  }

  @Test func anEmptyVariableIsAnUnsetOne() throws {
    let empty = ["QUIETCAM_TOKEN": "", "QUIETCAM_PUBLIC": "", "QUIETCAM_STORE": ""]
    #expect(try load(desk(), environment: empty) == load(desk()))
    #expect(problems(desk(), environment: ["QUIETCAM_STOER": ""]).count == 1)
    #expect(!problems(desk(), flags: ["public": ""]).isEmpty)
  }

  @Test(arguments: [
    ("localhost:80", "127.0.0.1:80", true), ("localhost:80", "[::1]:80", true), ("0.0.0.0:80", "127.0.0.1:80", true),
    ("[::]:80", "127.0.0.1:80", true), ("0.0.0.0:80", "localhost:80", true), ("127.0.0.1:80", "[::1]:80", false),
    ("localhost:80", "localhost:81", false), ("localhost:0", "localhost:0", false),
    ("a.example:80", "localhost:80", false),
  ])
  func twoDoorsAtOnePlaceAreTold(viewers: String, cameras: String, collide: Bool) {
    let found = problems(desk(), flags: ["public": viewers, "private": cameras])
    #expect(found.isEmpty == !collide)
  }

  @Test func localhostIsBothLoopbacks() throws {
    #expect(try load(desk(), flags: ["public": "localhost:80"]).publicAddress.hosts == ["127.0.0.1", "::1"])
    #expect(try load(desk(), flags: ["public": "LOCALHOST:80"]).publicAddress.hosts == ["127.0.0.1", "::1"])
    #expect(try load(desk(), flags: ["public": "a.example:80"]).publicAddress.hosts == ["a.example"])
  }
}
