import NIOCore

/// What a camera's folder in the store should hold.
///
/// The mirror gets the whole of it each time and works out what to do. So a disk that cannot keep up skips states
/// instead of falling behind, and an error is corrected by the next state.
struct MirrorContents: Sendable {
  /// Files that never change: init segments and segments.
  var media: [String: ByteBuffer] = [:]
  /// Files that are replaced, each with a version that rises when its content changes. They are written in this order,
  /// after all media, so that a playlist never lists what is not there yet.
  var documents: [Document] = []

  /// How high the media sequence can go before the folder must know of it: a process that restarts with these contents
  /// begins with this number.
  var reservedSequence = 0

  /// How often everything was withdrawn. When it rises, the old files are removed before anything is written.
  var withdrawals: Int64 = 0

  /// All files by name, as another loop of the camera reads them.
  var files: [String: ByteBuffer] {
    documents.reduce(into: media) { files, document in files[document.name] = document.bytes }
  }

  /// A file that is replaced.
  struct Document: Sendable {
    let name: String
    let version: Int64
    let bytes: ByteBuffer
  }
}

/// What must be done to a folder so that it holds what it should, and what is known to be in it.
struct MirrorPlan: Sendable {
  /// One step.
  enum Step: Hashable, Sendable {
    /// Write this file under another name and rename it.
    case write(String)
    /// Remove this file.
    case remove(String)
  }

  /// Files that say what the folder holds, and pictures that stand alone: nothing may be listed that is not there, so
  /// these are removed first if media must be removed before others are written.
  private static let listing = [StreamPublisher.playlistName, StreamPublisher.latestName]

  private var media: Set<String>
  private var versions: [String: Int64] = [:]
  private var withdrawals: Int64 = 0
  /// Whether there was no space: then unwanted files are removed before anything is written.
  private var isFull = false

  /// A plan for a folder with these files.
  init(present: Set<String>) { media = present }

  /// The steps to `contents`, in order: media, then documents, then the removal of what is not listed. On a full disk
  /// the removal comes first, together with the playlist that lists the files; and after a withdrawal, once the state
  /// says so.
  func steps(to contents: MirrorContents) -> [Step] {
    let missing = contents.media.keys.filter { !media.contains($0) }.sorted()
    let names = Set(contents.documents.map(\.name))
    let leftOver = media.filter { contents.media[$0] == nil && !names.contains($0) }.sorted()
    guard isFull || isWithdrawing(contents) else {
      let changed = contents.documents.filter { versions[$0.name] != $0.version }.map(\.name)
      return (missing + changed).map(Step.write) + leftOver.map(Step.remove)
    }
    let gone = Self.listing + leftOver
    let changed = contents.documents.filter { versions[$0.name] != $0.version || Self.listing.contains($0.name) }
      .map(\.name)
    // A process that ends meanwhile must not return to what was withdrawn.
    let first = isWithdrawing(contents) ? changed.filter { $0 == StreamState.fileName } : []
    let rest = changed.filter { !first.contains($0) }
    return first.map(Step.write) + gone.map(Step.remove) + (missing + rest).map(Step.write)
  }

  /// Whether withdrawn media may still be there.
  func isWithdrawing(_ contents: MirrorContents) -> Bool { withdrawals != contents.withdrawals }

  /// Notes that a step is done.
  mutating func did(_ step: Step, contents: MirrorContents) {
    switch step {
    case .write(let name):
      if let document = contents.documents.first(where: { $0.name == name }) {
        versions[name] = document.version
      } else {
        media.insert(name)
      }
    case .remove(let name):
      media.remove(name)
      versions[name] = nil
    }
  }

  /// Notes that all steps to `contents` are done.
  mutating func didAll(_ contents: MirrorContents) {
    withdrawals = contents.withdrawals
    isFull = false
  }

  /// Notes what is really there: what somebody else has taken away has to be written again.
  ///
  /// - Returns: how many files are missing.
  mutating func found(_ present: Set<String>) -> Int {
    let gone = media.subtracting(present)
    let changed = versions.keys.filter { !present.contains($0) }
    media.subtract(gone)
    for name in changed { versions[name] = nil }
    return gone.count + changed.count
  }

  /// Notes that there was no space for a step.
  mutating func ranOut() { isFull = true }
}
