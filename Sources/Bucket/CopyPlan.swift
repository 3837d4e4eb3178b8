import Media
import NIOCore
import Packager
import Playlist
import Station

/// What has to be done so that a bucket holds what one camera's viewers can get: in which order objects are written and
/// removed. Rules without a network, a lock or a clock.
///
/// Whatever requests fail, arrive late or were carried out although they seemed to fail: a playlist is written after all
/// media that it lists, and nothing is removed that it may list. What was withdrawn goes before anything else is done.
struct CopyPlan: Sendable {
  static let playlistName = "plain.m3u8"
  static let photosName = "photos.json"
  static let latestName = "latest.jpg"
  /// How many requests of one camera are on their way at once.
  static let mostAtOnce = 4
  /// How long a photo stays after the list has lost it.
  private static let photoTime = Ticks.seconds(60)
  /// How long a playlist that lists something withdrawn waits for one that does not, and for the first of a process.
  private static let patienceAfterWithdrawal = Ticks.seconds(2)
  private static let patienceAfterStart = Ticks.seconds(10)
  /// How long after its failure a request may still be carried out.
  private static let lateness = Ticks.seconds(60)
  /// How far apart the versions of the list of photos are, and of the newest picture.
  private static let pause = Ticks.seconds(1)

  /// What is known of an object.
  private enum Presence { case there, perhaps }

  /// What was counted since the process began.
  struct Counters: Hashable, Sendable {
    var written: Int64 = 0
    var writtenBytes: Int64 = 0
    var removed: Int64 = 0
    var failures: Int64 = 0
    /// Segments that were never written, because their time was over before the bucket took them.
    var skipped: Int64 = 0
  }

  private(set) var counters = Counters()
  private(set) var line = CopyLine()
  private var hasLooked = false
  private var isClosed = false
  /// The bytes of media that is not in the bucket, and of all init segments.
  private var media: [String: ByteBuffer] = [:]
  private var objects: [String: Presence] = [:]
  private var busy: Set<String> = []
  /// What must go as soon as nothing lists it.
  private var withdrawn: Set<String> = []
  /// Objects whose writing failed: the server may carry such a request out much later, also after a removal.
  private var late: Set<String> = []
  /// When what was removed is removed once more, because a late request may have brought it back.
  private var removedAgainAt: [String: Ticks] = [:]
  /// Since when nothing needs an object.
  private var idleSince: [String: Ticks] = [:]
  private var playlist = CopyDocument()
  private var photoList = CopyDocument()
  private var photos: [(name: PhotoName, bytes: Int)] = []
  private var photosWritten = Ticks(Int64.min / 2)
  /// The newest picture.
  private var latest: (version: Int64, jpeg: ByteBuffer)?
  private var latestVersion: Int64 = 0
  /// The version in the bucket; `nil` if that is not known.
  private var latestThere: Int64?
  private var latestComing: Int64?
  /// How often everything was withdrawn before each of the versions that may be in the bucket.
  private var latestMayBe: Set<Int> = []
  /// When the newest picture is written once more, because a late request may have brought an older one back.
  private var latestAgainAt: Ticks?
  private var latestWritten = Ticks(Int64.min / 2)
  private var withdrawals = 0
  /// How often everything was withdrawn when the request that is on its way began.
  private var latestBegun = 0
  /// Whether a request failed while something withdrawn is still listed: then the playlist goes instead of waiting.
  private var mustRemovePlaylist = false
  /// Until when a playlist that lists something withdrawn waits for the next one; then it is removed.
  private var patience: Ticks?
  /// What is removed because the camera is not copied any more: the documents.
  private var endings: Set<String> = []

  // MARK: What comes

  /// Takes what an earlier loop or process has left.
  mutating func restore(_ entries: [CopyLine.Entry], media left: [String: ByteBuffer], targetDuration: Int) {
    guard !isClosed else { return }
    line.restore(entries, targetDuration: targetDuration)
    let needed = names(in: line.entries.indices)
    take(left.map { ($0.key, $0.value) }, needed)
  }

  /// Takes a version of the playlist, with the media that is new in it.
  ///
  /// - Parameter most: how many segments it can list.
  mutating func publish(_ version: MediaPlaylist, adding: [(name: String, bytes: ByteBuffer)], most: Int) {
    if isClosed { (isClosed, endings) = (false, []) }
    let before = names(in: line.entries.indices)
    line.append(version, most: most)
    let needed = names(in: line.entries.indices)
    // A camera that is copied again before it was taken back.
    withdrawn.subtract(needed)
    take(adding, needed)
    for name in before.subtracting(needed) where media.removeValue(forKey: name) != nil && objects[name] == nil {
      counters.skipped += 1
    }
  }

  private mutating func take(_ files: [(name: String, bytes: ByteBuffer)], _ needed: Set<String>) {
    for (name, bytes) in files where needed.contains(name) && (objects[name] != .there || Self.isInit(name)) {
      media[name] = bytes
    }
  }

  /// Takes the newest picture.
  mutating func show(_ jpeg: ByteBuffer) {
    guard !isClosed else { return }
    latestVersion += 1
    latest = (latestVersion, jpeg)
  }

  /// Takes the photos that are kept now, newest first.
  mutating func keep(_ photos: [(name: PhotoName, bytes: Int)]) {
    guard !isClosed else { return }
    self.photos = photos.filter { !withdrawn.contains("\($0.name)") }
  }

  /// Takes everything back: it is removed first, and what comes next begins anew.
  mutating func withdraw(at now: Ticks) {
    withdrawn.formUnion(names(in: line.entries.indices))
    withdrawn.formUnion(objects.keys)
    withdrawn.formUnion(photos.map { "\($0.name)" })
    // They have no pictures, and the next ones may have the same names.
    withdrawn = withdrawn.filter { !Self.isInit($0) }
    media.removeAll()
    line.clear()
    photos.removeAll()
    latest = nil
    withdrawals += 1
    patience = now + Self.patienceAfterWithdrawal
    mustRemovePlaylist = false
  }

  /// Takes everything back for good: the camera is not copied any more.
  mutating func close(at now: Ticks) {
    guard !isClosed else { return }
    withdraw(at: now)
    isClosed = true
    if hasLooked { endings = [Self.playlistName, Self.photosName, Self.latestName] }
  }

  // MARK: What is to be done

  /// Whether all is done that can be done now and later, except for what waits for its time to be removed.
  var isSettled: Bool { busy.isEmpty && waiting == 0 }

  /// How many requests are owed: what is to be written, and what was withdrawn.
  var waiting: Int {
    guard hasLooked else { return 1 }
    let photosOwed = photos.count { objects["\($0.name)"] != .there }
    let documents =
      (listableNames.map { $0 != playlist.published } ?? false ? 1 : 0)
      + (photoNames != photoList.published && !(photoNames.isEmpty && photoList.mayList.isEmpty) ? 1 : 0)
      + (latest.map { $0.version != latestThere } ?? isLatestWithdrawn ? 1 : 0)
    return mediaOwed.count + photosOwed + documents + endings.count
      + withdrawn.count { objects[$0] != nil || busy.contains($0) }
  }

  /// The next request; `nil` if there is none now. Each must be reported to `finish`.
  mutating func next(at now: Ticks) -> CopyJob? {
    guard busy.count < Self.mostAtOnce else { return nil }
    // The stream has told what an earlier process has left before it shows anything.
    guard hasLooked else {
      return busy.isEmpty && (isClosed || latest != nil || line.hasBegun) ? begin(CopyJob(name: "", work: .look)) : nil
    }
    return nextOfWithdrawal(at: now) ?? nextMedia ?? nextPlaylist(mustAdvance: false) ?? nextPhoto
      ?? nextPhotoList(at: now) ?? nextLatest(at: now) ?? nextRemoval(at: now)
  }

  /// When something is due that is not now; `nil` if nothing is.
  func deadline(after now: Ticks) -> Ticks? {
    var due = idleSince.compactMap { name, since in busy.contains(name) ? nil : since + time(of: name) }
    if photoNames != photoList.published { due.append(photosWritten + Self.pause) }
    if let latest, latest.version != latestThere { due.append(latestWritten + Self.pause) }
    if let patience { due.append(patience) }
    due += removedAgainAt.values
    if let latestAgainAt { due.append(latestAgainAt) }
    return due.filter { $0 > now }.min()
  }

  /// Takes what a look has found.
  ///
  /// - Parameters:
  ///   - found: the names of the objects in the camera's folder.
  ///   - text: the playlist; `nil` if there is none that can be read.
  mutating func looked(_ found: [String], playlist read: MediaPlaylist?, at now: Ticks) {
    let text = read.flatMap { CopyLine.isSound($0) ? $0 : nil }
    busy.remove("")
    hasLooked = true
    let ours = found.filter(Self.isOurs)
    for name in ours { objects[name] = .there }
    let line = names(in: self.line.entries.indices)
    for name in ours where Self.isMedia(name) && line.contains(name) { drop(name) }
    playlist.found(
      mayList: Set(ours.filter(Self.isMedia)).union(text?.segments.map(\.uri).filter(Self.isOurs) ?? []),
      published: text?.segments.map(\.uri))
    photoList.found(mayList: Set(ours.filter { PhotoName($0) != nil }), published: nil)
    self.line.anchor(to: text)
    // What the server itself does not serve any more may have been withdrawn while the bucket was away.
    let kept = line.union(photos.map { "\($0.name)" })
    withdrawn.formUnion(ours.filter { !kept.contains($0) && !Self.isInit($0) })
    if found.contains(Self.latestName) { latestMayBe.insert(-1) }
    patience = max(patience ?? now, now + Self.patienceAfterStart)
    let documents: Set = [Self.playlistName, Self.photosName, Self.latestName]
    if isClosed { endings = documents.intersection(found) }
    settle(at: now)
  }

  /// Notes what became of a request.
  mutating func finish(_ job: CopyJob, _ outcome: CopyOutcome, at now: Ticks) {
    busy.remove(job.name)
    let isDone = if case .done = outcome { true } else { false }
    switch (outcome, job.work) {
    case (.failed, _):
      counters.failures += 1
      if !withdrawn.isDisjoint(with: playlist.mayList) { mustRemovePlaylist = true }
    case (.done, .put(let bytes)):
      counters.written += 1
      counters.writtenBytes += Int64(bytes.readableBytes)
    case (.done, .putPhoto(let photo)):
      counters.written += 1
      counters.writtenBytes += Int64(photos.first { $0.name == photo }?.bytes ?? 0)
    case (.done, .delete): counters.removed += 1
    case (.done, .look), (.gone, _): break
    }
    switch job.name {
    case "": break
    case Self.playlistName:
      playlist.finish(isDone: isDone)
      if isDone, withdrawn.isDisjoint(with: playlist.mayList) { mustRemovePlaylist = false }
    case Self.photosName: photoList.finish(isDone: isDone)
    case Self.latestName: finishLatest(isDone: isDone, at: now)
    default: finishObject(job, outcome, at: now)
    }
    if isDone, case .delete = job.work { endings.remove(job.name) }
    settle(at: now)
  }

  private mutating func finishObject(_ job: CopyJob, _ outcome: CopyOutcome, at now: Ticks) {
    switch (job.work, outcome) {
    case (.put, .failed), (.putPhoto, .failed): late.insert(job.name)
    case (.delete, .done):
      let isAgain = removedAgainAt.removeValue(forKey: job.name) != nil
      if late.remove(job.name) != nil, !isAgain { removedAgainAt[job.name] = now + Self.lateness }
      objects[job.name] = nil
      withdrawn.remove(job.name)
      idleSince[job.name] = nil
    case (.put, .done), (.putPhoto, .done):
      objects[job.name] = .there
      drop(job.name)
    case (.putPhoto(let photo), .gone):
      if objects[job.name] == .perhaps { withdrawn.insert(job.name) }
      photos.removeAll { $0.name == photo }
    default: break
    }
  }

  private mutating func finishLatest(isDone: Bool, at now: Ticks) {
    if !isDone { latestAgainAt = now + Self.lateness }
    latestThere = isDone ? latestComing : nil
    if isDone { latestMayBe = latestMayBe.intersection(latestComing == nil ? [] : [latestBegun]) }
    latestComing = nil
  }

  /// Whether a picture that was withdrawn may be in the bucket as the newest.
  private var isLatestWithdrawn: Bool { latestMayBe.contains { $0 < withdrawals } }

  // MARK: Each kind of request

  private mutating func begin(_ job: CopyJob) -> CopyJob {
    busy.insert(job.name)
    return job
  }

  /// What was withdrawn goes first: the lists that name it are replaced, then it is removed.
  private mutating func nextOfWithdrawal(at now: Ticks) -> CopyJob? {
    for name in endings.sorted().reversed() where !busy.contains(name) { return removal(of: name) }
    if !withdrawn.isDisjoint(with: playlist.mayList), !playlist.isBusy {
      if let job = nextPlaylist(mustAdvance: true) { return job }
      // Media of the next playlist comes first, if there is any and nothing has gone wrong so far.
      let comes = !mediaOwed.isEmpty || mediaIsComing || patience.map { now < $0 } ?? false
      if mustRemovePlaylist || !comes { return removal(of: Self.playlistName) }
    }
    if !withdrawn.isDisjoint(with: photoList.mayList), let job = nextPhotoList(at: nil) { return job }
    if isLatestWithdrawn, !busy.contains(Self.latestName) {
      if let job = nextLatest(at: nil) { return job }
      if patience.map({ now >= $0 }) ?? true { return removal(of: Self.latestName) }
    }
    let free = withdrawn.filter { name in
      objects[name] != nil && !busy.contains(name) && !playlist.mayList.contains(name)
        && !photoList.mayList.contains(name)
    }
    return free.min().map { removal(of: $0) }
  }

  private mutating func removal(of name: String) -> CopyJob {
    switch name {
    case Self.playlistName: playlist.begin(nil)
    case Self.photosName: photoList.begin(nil)
    case Self.latestName: latestComing = nil
    // It may be gone from now on.
    default: objects[name] = .perhaps
    }
    return begin(CopyJob(name: name, work: .delete))
  }

  /// Whether media that can be listed is on its way.
  private var mediaIsComing: Bool { !busy.isDisjoint(with: names(in: neededIndices)) }

  private var nextMedia: CopyJob? {
    mutating get {
      guard let name = mediaOwed.first(where: { !busy.contains($0) }), let bytes = media[name] else { return nil }
      objects[name] = objects[name] ?? .perhaps
      return begin(CopyJob(name: name, work: .put(bytes)))
    }
  }

  /// The playlist, if it lists something else than the one in the bucket: once nothing of it is owed, or when it is
  /// three segments ahead.
  private mutating func nextPlaylist(mustAdvance: Bool) -> CopyJob? {
    guard !playlist.isBusy, let range = line.listable({ objects[$0] == .there }) else { return nil }
    let names = line.entries[range].map(\.listed.uri)
    guard names != playlist.published else { return nil }
    // How many segments it is ahead of the one in the bucket; what has nothing in common with that one waits to be whole.
    let ahead = playlist.published?.last.flatMap { names.firstIndex(of: $0) }.map { names.count - $0 - 1 }
    guard mustAdvance || mediaOwed.isEmpty || ahead.map({ $0 >= 3 }) ?? (names.count == line.most) else { return nil }
    // What it needs besides the segments must not be removed either.
    playlist.begin(names, besides: maps(in: range))
    let text = line.playlist(range)
    return begin(
      CopyJob(name: Self.playlistName, work: .put(text.render()), seconds: max(1, text.targetDuration / 2)))
  }

  private var nextPhoto: CopyJob? {
    mutating get {
      let owed = photos.first { photo in
        let name = "\(photo.name)"
        return objects[name] != .there && !busy.contains(name)
      }
      guard let photo = owed?.name else { return nil }
      objects["\(photo)"] = objects["\(photo)"] ?? .perhaps
      return begin(CopyJob(name: "\(photo)", work: .putPhoto(photo)))
    }
  }

  /// The list of the photos that are in the bucket.
  ///
  /// - Parameter now: `nil` writes it at once.
  private mutating func nextPhotoList(at now: Ticks?) -> CopyJob? {
    let names = photoNames
    guard !photoList.isBusy, names != photoList.published, !(names.isEmpty && photoList.mayList.isEmpty) else {
      return nil
    }
    if let now {
      let isComplete = photos.allSatisfy { objects["\($0.name)"] == .there }
      guard now >= photosWritten + Self.pause, isComplete || now >= photosWritten + Self.pause * 5 else { return nil }
      photosWritten = now
    }
    photoList.begin(names)
    let there = photos.filter { objects["\($0.name)"] == .there }
    return begin(CopyJob(name: Self.photosName, work: .put(CameraPhotos.text(of: there)), seconds: 1))
  }

  private mutating func nextLatest(at now: Ticks?) -> CopyJob? {
    guard let latest, !busy.contains(Self.latestName) else { return nil }
    if let now, let again = latestAgainAt, now >= again { (latestThere, latestAgainAt) = (nil, nil) }
    guard latest.version != latestThere else { return nil }
    if let now {
      guard now >= latestWritten + Self.pause else { return nil }
      latestWritten = now
    }
    (latestComing, latestBegun) = (latest.version, withdrawals)
    latestMayBe.insert(withdrawals)
    return begin(CopyJob(name: Self.latestName, work: .put(latest.jpeg), seconds: 1))
  }

  private mutating func nextRemoval(at now: Ticks) -> CopyJob? {
    let due = idleSince.filter { name, since in
      !busy.contains(name) && objects[name] != nil && since + time(of: name) <= now
        && !playlist.mayList.contains(name) && !photoList.mayList.contains(name)
    }
    if let name = due.keys.min() { return removal(of: name) }
    let again = removedAgainAt.filter { name, time in
      time <= now && !busy.contains(name) && objects[name] == nil && !playlist.mayList.contains(name)
    }
    return again.keys.min().map { begin(CopyJob(name: $0, work: .delete)) }
  }

  // MARK: What is needed

  /// The segments that a later playlist can list: those from the first on that the one in the bucket lists.
  private var neededIndices: Range<Int> {
    let first = playlist.published?.first.flatMap { first in line.entries.firstIndex { $0.listed.uri == first } }
    return (first ?? 0)..<line.entries.count
  }

  /// The media that is to be written, in this order.
  private var mediaOwed: [String] {
    var owed: [String] = []
    for index in neededIndices {
      for name in names(at: index) where objects[name] != .there && media[name] != nil && !owed.contains(name) {
        owed.append(name)
      }
    }
    return owed
  }

  private var listableNames: [String]? {
    line.listable { objects[$0] == .there }.map { line.entries[$0].map(\.listed.uri) }
  }

  private var photoNames: [String] { photos.map { "\($0.name)" }.filter { objects[$0] == .there } }

  /// The init segment and the segment at an index, in the order in which they are written.
  private func names(at index: Int) -> [String] {
    let segment = line.entries[index].listed
    return [segment.map?.uri, segment.uri].compactMap { $0 }
  }

  private func names(in range: Range<Int>) -> Set<String> { Set(range.flatMap { names(at: $0) }) }

  private func maps(in range: Range<Int>) -> [String] {
    Array(Set(line.entries[range].compactMap { $0.listed.map?.uri })).sorted()
  }

  /// How long an object stays that nothing needs: players may have an older playlist (rfc8216bis, section 6.2.2).
  private func time(of name: String) -> Ticks {
    Self.isMedia(name) ? .seconds(Int64(line.targetDuration * (line.most + 4))) : Self.photoTime
  }

  /// Notes which objects nothing needs any more, from now on.
  private mutating func settle(at now: Ticks) {
    let needed = names(in: neededIndices).union(photos.map { "\($0.name)" }).union(playlist.mayList)
      .union(photoList.mayList)
    for name in objects.keys {
      if needed.contains(name) {
        idleSince[name] = nil
      } else if idleSince[name] == nil {
        idleSince[name] = now
      }
    }
    idleSince = idleSince.filter { objects[$0.key] != nil }
    withdrawn = withdrawn.filter {
      objects[$0] != nil || busy.contains($0) || playlist.mayList.contains($0) || photoList.mayList.contains($0)
    }
    if let patience, now >= patience, withdrawn.isDisjoint(with: playlist.mayList), !isLatestWithdrawn {
      self.patience = nil
    }
  }

  /// Forgets the bytes of what is in the bucket; init segments are small and can be needed again.
  private mutating func drop(_ name: String) { if !Self.isInit(name) { media[name] = nil } }

  private static func isInit(_ name: String) -> Bool { name.hasPrefix("init-") }

  /// Whether an object is one that this program writes, other than the documents.
  static func isOurs(_ name: String) -> Bool { isMedia(name) || PhotoName(name) != nil }

  private static func isMedia(_ name: String) -> Bool {
    guard name.hasSuffix(".mp4"), !SegmentName.isPart(name) else { return false }
    if isInit(name) {
      return name.utf8.count < 100 && name.dropFirst(5).dropLast(4).allSatisfy { $0.isHexDigit }
    }
    return SegmentName(file: name).map(\.isPlain) ?? false && SegmentName.number(inFile: name) != nil
  }
}
