import NIOCore

/// What a camera's folder in the store should hold.
///
/// The mirror is told the whole of it each time and works out what to do, so a disk that cannot keep up skips states
/// instead of falling behind, and nothing that went wrong once stays wrong.
struct MirrorContents: Sendable {
  /// Files that never change once they are there: init and segments.
  var media: [String: ByteBuffer] = [:]
  /// Files that are replaced, each with a version that rises when its content changes; written in this order, after
  /// all media, so that a playlist never lists what is not there yet.
  var documents: [Document] = []

  /// A file that is replaced.
  struct Document: Sendable {
    let name: String
    let version: Int64
    let bytes: ByteBuffer
  }
}

/// What has to be done to a folder so that it holds what it should, and what is known to be in it.
struct MirrorPlan: Sendable {
  /// One step.
  enum Step: Equatable, Sendable {
    /// Put this file there under a name of its own and rename it.
    case write(String)
    /// Take this file away.
    case remove(String)
  }

  private var media: Set<String>
  private var versions: [String: Int64] = [:]

  /// A plan for a folder that holds these files now.
  init(present: Set<String>) { media = present }

  /// The steps to `contents`, in their order: media, then documents, then what nobody lists any more.
  func steps(to contents: MirrorContents) -> [Step] {
    let missing = contents.media.keys.filter { !media.contains($0) }.sorted()
    let changed = contents.documents.filter { versions[$0.name] != $0.version }.map(\.name)
    let documents = Set(contents.documents.map(\.name))
    let leftOver = media.filter { contents.media[$0] == nil && !documents.contains($0) }.sorted()
    return (missing + changed).map(Step.write) + leftOver.map(Step.remove)
  }

  /// Notes that a step is done.
  mutating func did(_ step: Step, contents: MirrorContents) {
    switch step {
    case .write(let name):
      if let document = contents.documents.first(where: { $0.name == name }) {
        versions[name] = document.version
      } else {
        media.insert(name)
      }
    case .remove(let name): media.remove(name)
    }
  }
}
