import NIOCore
import Testing

@testable import Access

@Suite struct TrustedProxiesTests {
  private func contains(_ list: String, _ address: String) -> Bool {
    TrustedProxies(list)!.contains(ClientAddress(named: address)!)
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.7", "192.0.2.7", true),
    ("192.0.2.7", "192.0.2.8", false), ("192.0.2.6/31", "192.0.2.7", true), ("192.0.2.6/31", "192.0.2.8", false),
    ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
    ("::1", "::1", true), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false),
    ("192.0.2.0/24", "::ffff:192.0.2.9", true), ("198.51.100.1, 192.0.2.0/24", "192.0.2.200", true),
    ("::/0", "192.0.2.1", true),
  ])
  func anAddressIsInANetworkThatHasItsFirstBits(list: String, address: String, isIn: Bool) {
    #expect(contains(list, address) == isIn)
  }

  @Test(arguments: [
    "", "proxy", "10.0.0.1/8", "10.0.0.0/33", "2001:db8::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0",
    "192.0.2.1;192.0.2.2",
  ])
  func whatIsNoAddressIsRefused(text: String) { #expect(TrustedProxies(text) == nil) }

  @Test func theStandardIsThisMachine() {
    #expect(TrustedProxies.thisMachine.contains(ClientAddress(named: "127.0.0.1")!))
    #expect(TrustedProxies.thisMachine.contains(ClientAddress(named: "::1")!))
    #expect(TrustedProxies.thisMachine.contains(ClientAddress(nil)))
    #expect(!TrustedProxies.thisMachine.contains(ClientAddress(named: "192.168.0.1")!))
    #expect(!TrustedProxies.none.contains(ClientAddress(named: "127.0.0.1")!))
    #expect(TrustedProxies("10.0.0.0/8,::1")?.text == "10.0.0.0/8 ::1")
  }

  @Test func limitsStillCountAWholeNetwork() {
    #expect(ClientAddress(named: "2001:db8::1") == ClientAddress(named: "2001:db8::2"))
  }
}
