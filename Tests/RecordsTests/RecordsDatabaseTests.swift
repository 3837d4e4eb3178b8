import TestSupport
import Testing

@testable import Records

@Suite struct RecordsDatabaseTests {
  @Test func aFileIsMadeAndOpensAgain() throws {
    try withFolder { folder in
      let path = "\(folder)/\(RecordsDatabase.fileName)"
      _ = try RecordsDatabase(path: path)
      _ = try RecordsDatabase(path: path)
    }
  }
}
