import Picture
import Testing

@testable import Ingest

@Suite struct FolderScanTests {
  private func file(_ path: String, size: Int = 100, at modified: Int64) -> FoundFile {
    FoundFile(path: path, stamp: .init(inode: .random(in: 0...9), size: size, modified: modified, changed: modified))
  }

  private func look(_ scan: inout FolderScan, _ files: FoundFile...) -> [String] {
    for file in files { scan.see(file) }
    return scan.finish().map(\.path)
  }

  @Test func whatWasThereBeforeIsNoNewsUntilItChanges() {
    var scan = FolderScan(news: .none)
    #expect(look(&scan, file("a.jpg", at: 1)).isEmpty)
    #expect(look(&scan, file("a.jpg", at: 1)).isEmpty)
    #expect(look(&scan, file("a.jpg", at: 2)).isEmpty)
    #expect(look(&scan, file("a.jpg", at: 2)) == ["a.jpg"])
    #expect(look(&scan, file("a.jpg", at: 2)).isEmpty)
  }

  @Test func aFileIsReadyOnceTwoLooksSeeItAlike() {
    var scan = FolderScan(news: .none)
    _ = look(&scan)
    #expect(look(&scan, file("a.jpg", size: 10, at: 1)).isEmpty)
    #expect(look(&scan, file("a.jpg", size: 20, at: 1)).isEmpty)
    #expect(look(&scan, file("a.jpg", size: 20, at: 2)).isEmpty)
    #expect(look(&scan, file("a.jpg", size: 20, at: 2)) == ["a.jpg"])
  }

  @Test func deletedAndUploadedAgainIsNews() {
    var scan = FolderScan(news: .none)
    _ = look(&scan, file("video.jpg", at: 1))
    _ = look(&scan)
    _ = look(&scan, file("video.jpg", at: 5))
    #expect(look(&scan, file("video.jpg", at: 5)) == ["video.jpg"])
  }

  @Test func ofManyTheNewestAreReadOldestFirst() {
    var scan = FolderScan(news: .none)
    _ = look(&scan)
    for _ in 0..<2 {
      for number in 0..<100 { scan.see(file("\(number).jpg", at: Int64(number * 37 % 100))) }
      let ready = scan.finish().map(\.stamp.modified)
      #expect(ready.isEmpty || ready == [96, 97, 98, 99])
    }
  }

  @Test func clocksThatStepBackHideNothing() {
    var scan = FolderScan(news: .none)
    _ = look(&scan, file("a.jpg", at: 1_000_000))
    _ = look(&scan, file("a.jpg", at: 1_000_000), file("b.jpg", at: 3))
    #expect(look(&scan, file("a.jpg", at: 1_000_000), file("b.jpg", at: 3)) == ["b.jpg"])
  }

  @Test func sortingStillsAwayIsNoNews() {
    var scan = FolderScan(news: .none)
    _ = look(&scan, file("a.jpg", at: 1), file("b.jpg", at: 2))
    for _ in 0..<3 { #expect(look(&scan, file("old/a.jpg", at: 1), file("b.jpg", at: 2)).isEmpty) }
  }

  @Test func aFolderThatComesBackBringsOldStillsAndNewOnes() {
    var scan = FolderScan(news: .since(50))
    _ = look(&scan, file("old.jpg", at: 49), file("new.jpg", at: 50))
    #expect(look(&scan, file("old.jpg", at: 49), file("new.jpg", at: 50)) == ["new.jpg"])
  }

  @Test func tooManyFilesAreToldOf() {
    var scan = FolderScan(news: .none)
    for number in 0...FolderScan.mostFiles { scan.see(file("\(number)", at: 1)) }
    #expect(scan.isOverfull)
  }
}
