import Media
import NIOCore
import Testing

@testable import Station

@Suite struct PhotoShelfTests {
  private static let size = PictureSize(width: 64, height: 48)

  private func name(_ number: Int64) -> PhotoName {
    var generator = SystemRandomNumberGenerator()
    return PhotoName(time: WallTime(milliseconds: number), size: Self.size, using: &generator)
  }

  private func jpeg(_ bytes: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: bytes) }

  private func shelf(count: Int = 3, bytes: Int = 1000, memory: Int = 500, isStored: Bool = true) -> PhotoShelf {
    var limits = PhotoShelf.Limits(count: count, isStored: isStored)
    (limits.bytes, limits.memory) = (bytes, memory)
    return PhotoShelf(limits: limits, isStored: isStored)
  }

  /// Does all that is to be done on a disk that takes everything, and says what it was.
  @discardableResult private func settle(_ shelf: inout PhotoShelf) -> [PhotoShelf.Step] {
    var steps: [PhotoShelf.Step] = []
    while let step = shelf.next() {
      steps.append(step)
      shelf.did(step)
    }
    return steps
  }

  @Test func theNewestOfACountAreKeptAndTheOthersGoFromTheDisk() {
    var shelf = shelf()
    let names = (0..<5).map { name(Int64($0)) }
    for name in names {
      shelf.keep(jpeg(10), as: name)
      settle(&shelf)
    }
    #expect(shelf.photos.map(\.name) == names.suffix(3).reversed())
    #expect(shelf.place(of: names[1]) == nil)
    shelf.keep(jpeg(10), as: name(9))
    let next = shelf.next()
    #expect(next == .remove(names[2]), "room is made before anything is written")
  }

  @Test func theNewestOfSoManyBytesAreKept() {
    var shelf = shelf(count: 100, bytes: 100, memory: 100)
    let names = (0..<6).map { name(Int64($0)) }
    for name in names {
      shelf.keep(jpeg(30), as: name)
      settle(&shelf)
    }
    #expect(shelf.photos.map(\.name) == names.suffix(3).reversed())
    #expect(shelf.photos.reduce(0) { $0 + $1.bytes } == 90)
  }

  @Test func whatTheMemoryHasNoRoomForLiesOnDiskAlone() {
    var shelf = shelf(count: 10, memory: 100)
    let names = (0..<6).map { name(Int64($0)) }
    for name in names {
      shelf.keep(jpeg(40), as: name)
      settle(&shelf)
    }
    #expect(shelf.memoryBytes <= 100 && shelf.photos.count == 6)
    if case .disk(40)? = shelf.place(of: names[0]) {} else { Issue.record("it lies on disk") }
    if case .memory? = shelf.place(of: names[5]) {} else { Issue.record("it lies in memory") }
  }

  @Test func whatIsOnDiskTakesLittleMemoryAndTheNewestStayInIt() {
    var limits = PhotoShelf.Limits(count: 100, isStored: true)
    limits.cached = 100
    var shelf = PhotoShelf(limits: limits, isStored: true)
    let names = (0..<20).map { name(Int64($0)) }
    for (index, name) in names.enumerated() {
      shelf.keep(jpeg(40), as: name)
      // A disk that is late.
      if index % 3 == 2 { settle(&shelf) }
    }
    settle(&shelf)
    #expect(shelf.photos.count == 20 && shelf.memoryBytes == 160)
    for (index, name) in names.enumerated() {
      switch shelf.place(of: name) {
      case .memory: #expect(index >= 16)
      case .disk: #expect(index < 16)
      case nil: Issue.record("\(index) is lost")
      }
    }
  }

  @Test func whatIsNotOnDiskYetStaysInMemory() {
    var limits = PhotoShelf.Limits(count: 100, isStored: true)
    limits.cached = 100
    var shelf = PhotoShelf(limits: limits, isStored: true)
    let names = (0..<20).map { name(Int64($0)) }
    for name in names { shelf.keep(jpeg(40), as: name) }
    #expect(shelf.memoryBytes == 800)
    #expect(names.allSatisfy { if case .memory? = shelf.place(of: $0) { true } else { false } })
  }

  @Test func aDiskThatTakesNothingCostsTheOldestAndNoMemory() {
    var shelf = shelf(count: 100, memory: 100)
    let names = (0..<50).map { name(Int64($0)) }
    for name in names {
      shelf.keep(jpeg(30), as: name)
      guard let step = shelf.next() else { continue }
      let goesOn = shelf.failed(step)
      #expect(!goesOn, "the next one would fail too")
    }
    #expect(shelf.photos.map(\.name) == names.suffix(3).reversed() && shelf.memoryBytes == 90)
    // Once it takes something again, all that is left comes to it.
    let steps = settle(&shelf)
    #expect(steps.count == 3)
  }

  @Test func whatIsTakenBackWhileItIsWrittenGoesAgain() {
    var shelf = shelf()
    let photo = name(1)
    shelf.keep(jpeg(10), as: photo)
    let next = shelf.next()
    #expect(next == .write(photo))
    shelf.withdraw()
    #expect(shelf.photos.isEmpty && shelf.memoryBytes == 0)
    shelf.did(.write(photo))
    let steps = settle(&shelf)
    #expect(steps == [.mark, .remove(photo), .unmark])
  }

  @Test func aWithdrawalIsWrittenDownBeforeAnythingGoesAndUntilAllIsGone() {
    var shelf = shelf()
    let names = [name(1), name(2)]
    for name in names { shelf.keep(jpeg(10), as: name) }
    settle(&shelf)
    shelf.withdraw()
    let next = shelf.next()
    #expect(next == .mark)
    shelf.did(.mark)
    guard case .remove(let first)? = shelf.next() else {
      Issue.record("the first goes")
      return
    }
    let goesOn = shelf.failed(.remove(first))
    #expect(goesOn)
    let steps = settle(&shelf)
    #expect(steps.contains(.unmark) == false, "one is there still")
    shelf.keep(jpeg(10), as: name(3))
    let later = settle(&shelf)
    #expect(later.prefix(2) == [.remove(first), .unmark])
  }

  @Test func aSecondWithdrawalDoesNotCancelTheMarkOfTheFirst() {
    var shelf = shelf()
    let photo = name(1)
    shelf.keep(jpeg(10), as: photo)
    settle(&shelf)
    shelf.withdraw()
    shelf.withdraw()
    let steps = settle(&shelf)
    #expect(steps == [.mark, .remove(photo), .unmark])
  }

  @Test func whereSizesAreUniqueAPhotoReplacesTheOlderOneOfItsSize() {
    var limits = PhotoShelf.Limits(count: 10, isStored: true)
    limits.hasUniqueSizes = true
    var shelf = PhotoShelf(limits: limits, isStored: true)
    let names = (0..<5).map { name(Int64($0)) }
    for (name, size) in zip(names, [10, 20, 30, 20, 10]) {
      shelf.keep(jpeg(size), as: name)
      settle(&shelf)
    }
    #expect(shelf.photos.map(\.name) == [names[4], names[3], names[2]])
    #expect(shelf.place(of: names[0]) == nil)
    // Those of an earlier process, too.
    var next = PhotoShelf(limits: limits, isStored: true)
    next.takeUp(zip(names, [10, 20, 30, 20, 10]).map { ($0, $1) }, isMarked: false)
    #expect(next.photos.map(\.name) == [names[4], names[3], names[2]])
    let steps = settle(&next)
    #expect(Set(steps) == [.remove(names[0]), .remove(names[1])])
  }

  @Test func aLifeThatEndedInAWithdrawalLeavesNothing() {
    var shelf = shelf()
    let names = [name(1), name(2)]
    shelf.takeUp(names.map { ($0, 10) }, isMarked: true)
    #expect(shelf.photos.isEmpty)
    let steps = settle(&shelf)
    #expect(Set(steps) == [.remove(names[0]), .remove(names[1]), .unmark])
  }

  @Test func anotherLifeTakesUpTheNewest() {
    var shelf = shelf(count: 2)
    let names = [name(3), name(1), name(2)]
    shelf.takeUp(names.map { ($0, 10) }, isMarked: false)
    #expect(shelf.photos.map(\.name) == [names[0], names[2]])
    let steps = settle(&shelf)
    #expect(steps == [.remove(names[1])])
  }

  @Test func withoutADiskNothingIsWritten() {
    var shelf = shelf(isStored: false)
    for number in 0..<9 { shelf.keep(jpeg(10), as: name(Int64(number))) }
    let next = shelf.next()
    #expect(next == nil && shelf.photos.count == 3)
    shelf.withdraw()
    let after = shelf.next()
    #expect(after == nil && shelf.photos.isEmpty)
  }

  /// Whatever comes in whatever order, on a disk that fails at times: the bounds hold, and once the disk is good it holds
  /// the very photos that are listed.
  @Test(arguments: 0..<200)
  func anyHistoryEndsWithTheListedPhotosOnDisk(seed: UInt64) {
    var dice = SystemRandomNumberGenerator()
    var shelf = shelf(count: 4, bytes: 200, memory: 90)
    var disk: Set<PhotoName> = []
    func work(_ shelf: inout PhotoShelf, isGood: Bool) {
      while let step = shelf.next() {
        if !isGood, Bool.random(using: &dice) {
          if shelf.failed(step) { continue } else { return }
        }
        // Things happen while the disk works.
        if !isGood, Int.random(in: 0..<9, using: &dice) == 0 { shelf.withdraw() }
        switch step {
        case .write(let name): disk.insert(name)
        case .remove(let name): disk.remove(name)
        case .mark, .unmark: break
        }
        shelf.did(step)
      }
    }
    for number in 0..<40 {
      switch Int.random(in: 0..<12, using: &dice) {
      case 0: shelf.withdraw()
      default: shelf.keep(jpeg(Int.random(in: 1..<60, using: &dice)), as: name(Int64(number)))
      }
      #expect(shelf.photos.count <= 4 && shelf.photos.reduce(0) { $0 + $1.bytes } <= 200 && shelf.memoryBytes <= 90)
      work(&shelf, isGood: false)
    }
    shelf.keep(jpeg(1), as: name(99))
    work(&shelf, isGood: true)
    #expect(disk == Set(shelf.photos.map(\.name)), "seed \(seed)")
  }
}

@Suite struct PhotoNameTests {
  @Test func aNameSaysAllAndIsReadAgain() throws {
    var generator = SystemRandomNumberGenerator()
    let size = PictureSize(width: 1920, height: 1280)
    let name = PhotoName(time: WallTime(milliseconds: 1_795_980_600_123), size: size, using: &generator)
    #expect(PhotoName(name.description) == name)
    let other = PhotoName(time: name.time, size: size, using: &generator)
    #expect(other != name, "the same moment comes twice where a clock steps")
  }

  @Test(arguments: [
    "", "photo.jpg", "photo-1-64x48-0123456789abcde.jpg", "photo-1-64x48-0123456789abcdeg.jpg",
    "photo-01-64x48-0123456789abcdef.jpg", "photo-1-064x48-0123456789abcdef.jpg", "photo--1-64x48-0123456789abcdef.jpg",
    "photo-1-64x48-0123456789ABCDEF.jpg", "../photo-1-64x48-0123456789abcdef.jpg",
    "photo-1-64x48-0123456789abcdef.jpg/",
    "photo-1-64x48-0123456789abcdef.jpeg", "photo-1-0x48-0123456789abcdef.jpg",
  ])
  func whatIsNoName(text: String) { #expect(PhotoName(text) == nil) }
}
