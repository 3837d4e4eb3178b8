import Foundation

/// A folder of its own for each test that asks for one.
package enum TemporaryFolder {
  /// A path at which nothing is yet; whoever makes something there removes it.
  package static func path() -> String {
    FileManager.default.temporaryDirectory.appending(path: "quietcam-test-\(UUID().uuidString)").path
  }
}

/// Runs a test with a new, empty folder that is removed afterwards.
package func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = TemporaryFolder.path()
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Runs a test with a new, empty folder that is removed afterwards.
package func withFolder<Result>(
  isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Result
) async throws -> Result {
  let folder = TemporaryFolder.path()
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

/// Runs a test with a new folder that holds these files, by their paths in it, and is removed afterwards.
package func withFolder<Result>(
  isolation: isolated (any Actor)? = #isolation, files: [String: Data], _ body: (String) async throws -> Result
) async throws -> Result {
  try await withFolder { folder in
    for (name, data) in files {
      let file = URL(fileURLWithPath: folder).appendingPathComponent(name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try data.write(to: file)
    }
    return try await body(folder)
  }
}
