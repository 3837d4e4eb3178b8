import Media
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import Access

@Suite struct WrongTokensTests {
  @Test func anAddressIsSlowedAfterAFewWrongTokensAndCanSendMoreSoon() {
    var tokens = WrongTokens()
    for _ in 0..<WrongTokens.burst { #expect(tokens.wrong("a", now: 0) == true) }
    #expect(tokens.wrong("a", now: 999) == false)
    #expect(tokens.wrong("b", now: 0) == true)
    #expect(tokens.wrong("a", now: 1000) == true)
    #expect(tokens.wrong("a", now: 1000) == false)
    #expect(tokens.counted().wrong == 12 && tokens.counted().slowed == 2)
    #expect(tokens.counted().addresses.map(\.address) == ["a", "b"])
  }

  @Test func theTableStaysAsLargeAsItIs() {
    var tokens = WrongTokens(mostAddresses: 10)
    for number in 0..<1000 { _ = tokens.wrong("\(number)", now: 0) }
    #expect(tokens.counted(most: 5000).addresses.count == 11)
    // Those who share a place are slowed together.
    #expect(tokens.wrong("999", now: 0) == false)
    // Addresses that have been quiet make room.
    #expect(tokens.wrong("new", now: 60_000) == true)
    #expect(tokens.counted(most: 5000).addresses.contains { $0.address == "new" })
  }
}

@Suite struct TokenBucketTests {
  @Test func aBurstIsFreeAndThenTheRateHolds() {
    var bucket = TokenBucket(rate: 4, burst: 3, now: 0)
    let times: [Int64] = [0, 0, 0, 0, 249, 250, 100, .max / 2, .max / 2, .max / 2, .max / 2]
    var taken: [Bool] = []
    for time in times { taken.append(bucket.take(now: time)) }
    #expect(taken == [true, true, true, false, false, true, false, true, true, true, false])
  }
}

@Suite struct UploadMemoryTests {
  private let desk = CameraName("desk")!
  private let roof = CameraName("roof")!

  @Test func bodiesTogetherStayBelowTheLimit() {
    let memory = UploadMemory(limit: 100, cameras: 1)
    let first = memory.lease(for: desk)
    #expect(first.hold(60))
    do {
      let second = memory.lease(for: desk)
      #expect(second.hold(40))
      #expect(!second.hold(41))
      #expect(memory.counted.held == 100)
    }
    #expect(memory.counted == (60, 100, 1))
    #expect(first.hold(100) && first.hold(0))
    #expect(memory.counted.held == 0)
  }

  @Test func bodiesOfUnknownSendersEndForThoseThatComeLater() {
    let memory = UploadMemory(limit: 100, cameras: 1) { 0 }
    let ended = NIOLockedValueBox<[String]>([])
    func lease(_ address: String, _ name: String) -> UploadLease {
      memory.lease(unprovenFrom: address) { ended.withLockedValue { $0.append(name) } }
    }
    let many = (1...5).map { lease("a", "a\($0)") }
    for body in many { #expect(body.hold(10)) }
    let other = lease("b", "b1")
    #expect(other.hold(5), "the address that holds the most makes room")
    #expect(ended.withLockedValue { $0 } == ["a1"])
    #expect(!many[0].hold(11), "what was ended takes no more")
    let next = lease("a", "a6")
    #expect(next.hold(10))
    #expect(ended.withLockedValue { $0 } == ["a1", "a2"])
    #expect(memory.counted.held == 45)
    // Who has shown a token has the other half.
    let known = memory.lease(for: desk)
    #expect(known.hold(55) && !known.hold(56))
    #expect(!lease("c", "c1").hold(51))
    withExtendedLifetime((many, other, next)) {}
  }

  @Test func manyAddressesThatHoldALittleKeepOutNobodyWhoSendsALot() {
    let time = NIOLockedValueBox<Int64>(0)
    let memory = UploadMemory(limit: 2000, cameras: 1) { time.withLockedValue { $0 } }
    let ended = NIOLockedValueBox<[String]>([])
    func lease(_ address: String) -> UploadLease {
      memory.lease(unprovenFrom: address) { ended.withLockedValue { $0.append(address) } }
    }
    let stale = (0..<10).map { lease("held-\($0)") }
    for body in stale { #expect(body.hold(100)) }
    time.withLockedValue { $0 = 20_000 }
    // One body of a camera comes in pieces, and is larger than any other.
    let camera = lease("camera")
    for piece in 1...6 {
      time.withLockedValue { $0 += 100 }
      #expect(camera.hold(piece * 50))
      // Those who hold the memory send on, too, and begin again where they were ended.
      _ = stale[0].hold(100 + piece)
    }
    #expect(ended.withLockedValue { !$0.isEmpty && !$0.contains("camera") })
    withExtendedLifetime((stale, camera)) {}
  }

  @Test func whatUnknownSendersHeldIsFreeWhenTheyEnd() {
    let memory = UploadMemory(limit: 100, cameras: 1)
    do {
      let first = memory.lease(unprovenFrom: "a") {}
      let second = memory.lease(unprovenFrom: "a") {}
      #expect(first.hold(30) && second.hold(40) && second.hold(20))
      #expect(memory.counted.held == 20)
    }
    #expect(memory.counted.held == 0)
  }

  @Test func noCameraTakesAllFromTheOthers() {
    let memory = UploadMemory(limit: 100, cameras: 2)
    let greedy = memory.lease(for: desk)
    #expect(greedy.hold(50) && !greedy.hold(51))
    let other = memory.lease(for: roof)
    #expect(other.hold(50))
    withExtendedLifetime((greedy, other)) {}
  }
}

@Suite struct ConnectionsTests {
  /// A connection that notes when it is ended for another.
  private final class Line: Sendable {
    let isEnded = NIOLockedValueBox(false)

    func enter(_ connections: Connections, _ address: ClientAddress) -> Bool {
      connections.enter(address, as: ObjectIdentifier(self)) { self.isEnded.withLockedValue { $0 = true } }
    }
  }

  @Test func whoHasShownNoSecretMakesRoomAndWhoHasStays() throws {
    let connections = Connections(limits: .init(total: 4, perAddress: 3))
    let camera = ClientAddress(try SocketAddress(ipAddress: "192.0.2.1", port: 1))
    let stranger = ClientAddress(try SocketAddress(ipAddress: "192.0.2.2", port: 1))
    let proven = [Line(), Line()]
    for line in proven {
      #expect(line.enter(connections, camera))
      connections.prove(ObjectIdentifier(line))
    }
    let strangers = (0..<50).map { _ in Line() }
    #expect(strangers.allSatisfy { $0.enter(connections, stranger) })
    #expect(strangers.count { $0.isEnded.withLockedValue { $0 } } == 48 && connections.counted == (4, 48))
    #expect(strangers.suffix(2).allSatisfy { !$0.isEnded.withLockedValue { $0 } }, "the oldest ends first")
    let third = Line()
    #expect(third.enter(connections, camera))
    #expect(strangers[48].isEnded.withLockedValue { $0 } && !proven.contains { $0.isEnded.withLockedValue { $0 } })
    // One that was ended leaves when its channel has closed, and is not counted twice.
    for line in strangers.dropLast() { connections.leave(ObjectIdentifier(line)) }
    #expect(connections.counted.open == 4)
    connections.prove(ObjectIdentifier(third))
    #expect(!Line().enter(connections, camera), "an address with its limit of proven ones is full")
    connections.leave(ObjectIdentifier(third))
    connections.leave(ObjectIdentifier(strangers[49]))
    for line in proven { connections.leave(ObjectIdentifier(line)) }
    #expect(connections.counted.open == 0)
  }

  @Test func soManyOfAnAddressMayWaitAndEachPlaceIsFreeAgain() throws {
    let far = ClientAddress(try SocketAddress(ipAddress: "203.0.113.9", port: 1))
    let near = ClientAddress(try SocketAddress(ipAddress: "10.0.0.9", port: 1))
    let waits = WaitLimit(limits: .init(total: 10))
    var places = (0..<WaitLimit.perConnection * Connections.standardPerAddress).map { _ in waits.enter(far) }
    #expect(places.allSatisfy { $0 != nil } && waits.enter(far) == nil)
    #expect(waits.enter(ClientAddress(try SocketAddress(ipAddress: "203.0.113.8", port: 1))) != nil)
    let many = (0..<5000).map { _ in waits.enter(near) }
    #expect(many.allSatisfy { $0 != nil }, "proxies stand there")
    places.removeLast()
    places.append(waits.enter(far))
    #expect(places.allSatisfy { $0 != nil } && waits.enter(far) == nil)
    let few = WaitLimit(limits: .init(total: 10, perAddress: 1))
    let held = (0..<WaitLimit.perConnection).map { _ in few.enter(near) }
    #expect(held.allSatisfy { $0 != nil } && few.enter(near) == nil)
  }

  @Test func anAddressHasItsShareAndAllHaveTheirs() throws {
    let connections = Connections(limits: .init(total: 3, perAddress: 2))
    let a = ClientAddress(try SocketAddress(ipAddress: "192.0.2.1", port: 1))
    let b = ClientAddress(try SocketAddress(ipAddress: "192.0.2.2", port: 1))
    #expect(connections.enter(a) && connections.enter(a) && !connections.enter(a))
    #expect(connections.enter(b) && !connections.enter(b))
    connections.leave(a)
    #expect(connections.enter(b))
    #expect(connections.counted == (3, 2))
  }

  @Test func proxiesAreNotCountedUnlessTheOperatorSaysSo() throws {
    let connections = Connections(limits: .init(total: 1000))
    let proxy = ClientAddress(try SocketAddress(ipAddress: "127.0.0.1", port: 1))
    let viewer = ClientAddress(try SocketAddress(ipAddress: "8.8.8.8", port: 1))
    #expect((0..<500).allSatisfy { _ in connections.enter(proxy) })
    #expect((0..<500).count { _ in connections.enter(viewer) } == Connections.standardPerAddress)
  }

  @Test(arguments: [
    ("203.0.113.7", "203.0.113.7", false), ("10.1.2.3", "10.1.2.3", true), ("172.16.0.1", "172.16.0.1", true),
    ("172.32.0.1", "172.32.0.1", false), ("192.168.1.1", "192.168.1.1", true), ("::1", "0000000000000000::/64", true),
    ("2001:db8:1:2:3:4:5:6", "20010db800010002::/64", false), ("2001:db8:1:2:ffff::", "20010db800010002::/64", false),
    ("::ffff:203.0.113.7", "203.0.113.7", false), ("fd00::1", "fd00000000000000::/64", true),
  ])
  func addressesAreToldApartByWhoHasThem(text: String, key: String, isLocal: Bool) throws {
    let address = ClientAddress(try SocketAddress(ipAddress: text, port: 80))
    #expect(address.key == key && address.isLocal == isLocal)
  }
}
