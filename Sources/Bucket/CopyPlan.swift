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
  private static let documents: Set = [playlistName, photosName, latestName]
  /// How many requests of one camera are on their way at once.
  static let mostAtOnce = 4
  /// How long a photo stays after the list has lost it.
  private static let photoTime = Ticks.seconds(60)
  /// How long a playlist that lists something withdrawn waits for one that does not, and for the first of a process.
  private static let patienceAfterWithdrawal = Ticks.seconds(2)
  private static let patienceAfterStart = Ticks.seconds(10)

  /// What was forgotten of the objects, so that they have to be listed once more.
  private enum Forgotten { case nothing, idle, withdrawn }

  private(set) var counters = CopyCounters()
  private var hasLooked = false
  private var isClosed = false
  private var media = CopyMedia()
  private var photos = CopyPhotos()
  private var latest = CopyPicture()
  private(set) var objects = CopyObjects()
  private var forgotten = Forgotten.nothing
  private var busy: Set<String> = []
  /// What must go as soon as nothing lists it.
  private var withdrawn: Set<String> = []
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
    media.restore(entries, media: left, targetDuration: targetDuration, objects)
  }

  /// Takes a version of the playlist, with the media that is new in it.
  ///
  /// - Parameter most: how many segments it can list.
  mutating func publish(_ version: MediaPlaylist, adding: [(name: String, bytes: ByteBuffer)], most: Int) {
    if isClosed { (isClosed, endings) = (false, []) }
    counters.skipped += Int64(media.publish(version, adding: adding, most: most, objects))
    // A camera that is copied again before it was taken back.
    withdrawn.subtract(media.names)
  }

  /// Takes the newest picture.
  mutating func show(_ jpeg: ByteBuffer) {
    guard !isClosed else { return }
    latest.show(jpeg)
  }

  /// Takes the photos that are kept now, newest first.
  mutating func keep(_ photos: [(name: PhotoName, bytes: Int)]) {
    guard !isClosed else { return }
    self.photos.keep(photos.filter { !withdrawn.contains("\($0.name)") })
  }

  /// Takes everything back: it is removed first, and what comes next begins anew.
  mutating func withdraw(at now: Ticks) {
    withdrawn.formUnion(media.names.union(objects.names).union(photos.names))
    // They have no pictures, and the next ones may have the same names.
    withdrawn = withdrawn.filter { !Self.isInit($0) }
    if forgotten != .nothing { forgotten = .withdrawn }
    media.clear()
    photos.clear()
    latest.withdraw()
    patience = now + Self.patienceAfterWithdrawal
    mustRemovePlaylist = false
  }

  /// Takes everything back for good: the camera is not copied any more.
  mutating func close(at now: Ticks) {
    guard !isClosed else { return }
    withdraw(at: now)
    isClosed = true
    if hasLooked { endings = Self.documents }
  }

  // MARK: What is to be done

  /// Whether all is done that can be done now and later, except for what waits for its time to be removed.
  var isSettled: Bool { busy.isEmpty && waiting == 0 }

  /// How many requests are owed: what is to be written, and what was withdrawn.
  var waiting: Int {
    guard hasLooked else { return 1 }
    return media.owed(objects).count + (media.isPlaylistOwed(objects) ? 1 : 0) + photos.waiting(objects)
      + (latest.isOwed ? 1 : 0) + (forgotten == .nothing ? 0 : 1) + endings.count
      + withdrawn.count { objects.mayBeThere($0) || busy.contains($0) }
  }

  /// The next request; `nil` if there is none now. Each must be reported to `finish`.
  mutating func next(at now: Ticks) -> CopyJob? {
    guard busy.count < Self.mostAtOnce else { return nil }
    // The stream has told what an earlier process has left before it shows anything.
    guard hasLooked else {
      return busy.isEmpty && (isClosed || latest.isWanted || media.line.hasBegun) ? begin(.look) : nil
    }
    // What was withdrawn may be among what was forgotten.
    if forgotten != .nothing, !busy.contains(CopyJob.look.name) { return begin(.look) }
    return nextOfWithdrawal(at: now) ?? nextMedia ?? nextPlaylist(mustAdvance: false) ?? nextPhoto
      ?? nextPhotoList(at: now) ?? nextLatest(at: now) ?? nextRemoval(at: now)
  }

  /// When something is due that is not now; `nil` if nothing is.
  func deadline(after now: Ticks) -> Ticks? {
    let due =
      objects.deadlines(after: time, besides: busy) + latest.deadlines
      + [photos.deadline(objects), patience].compactMap { $0 }
    return due.filter { $0 > now }.min()
  }

  // MARK: What became of it

  /// Takes what a look has found.
  ///
  /// - Parameters:
  ///   - found: the names of the objects in the camera's folder.
  ///   - text: the playlist; `nil` if there is none that can be read.
  mutating func looked(_ found: [String], playlist read: MediaPlaylist?, at now: Ticks) {
    busy.remove(CopyJob.look.name)
    if hasLooked { lookedAgain(found, at: now) } else { lookedFirst(found, playlist: read, at: now) }
    settle(at: now)
  }

  private mutating func lookedFirst(_ found: [String], playlist read: MediaPlaylist?, at now: Ticks) {
    hasLooked = true
    let ours = Set(found.filter(Self.isOurs))
    let line = media.names
    for name in ours {
      objects.found(name)
      if line.contains(name) { media.drop(name) }
    }
    media.found(read.flatMap { CopyLine.isSound($0) ? $0 : nil }, media: ours.filter(Self.isMedia))
    photos.found(ours.filter { PhotoName($0) != nil })
    // What the server itself does not serve any more may have been withdrawn while the bucket was away.
    let kept = line.union(photos.names)
    withdrawn.formUnion(ours.filter { !kept.contains($0) && !Self.isInit($0) })
    if found.contains(Self.latestName) { latest.found() }
    patience = max(patience ?? now, now + Self.patienceAfterStart)
    if isClosed { endings = Self.documents.intersection(found) }
  }

  /// Takes what was forgotten: no playlist has ever listed it, or its time was over.
  private mutating func lookedAgain(_ found: [String], at now: Ticks) {
    for name in found where Self.isOurs(name) && !objects.mayBeThere(name) && !busy.contains(name) {
      objects.found(name)
      objects.expire(name, after: time(of: name), at: now)
      if forgotten == .withdrawn, !needed.contains(name), !Self.isInit(name) { withdrawn.insert(name) }
    }
    forgotten = .nothing
  }

  /// Notes what became of a request.
  mutating func finish(_ job: CopyJob, _ outcome: CopyOutcome, at now: Ticks) {
    busy.remove(job.name)
    let isDone = if case .done = outcome { true } else { false }
    switch (outcome, job.work) {
    case (.failed, _):
      counters.failures += 1
      if !withdrawn.isDisjoint(with: media.playlist.mayList) { mustRemovePlaylist = true }
    case (.done, .put(let bytes)):
      counters.written += 1
      counters.writtenBytes += Int64(bytes.readableBytes)
    case (.done, .putPhoto(let photo)):
      counters.written += 1
      counters.writtenBytes += Int64(photos.bytes(of: photo))
    case (.done, .delete): counters.removed += 1
    case (.done, .look), (.gone, _): break
    }
    switch job.name {
    case CopyJob.look.name: break
    case Self.playlistName:
      media.finishPlaylist(isDone: isDone)
      if isDone, withdrawn.isDisjoint(with: media.playlist.mayList) { mustRemovePlaylist = false }
    case Self.photosName: photos.finishList(isDone: isDone)
    case Self.latestName: latest.finish(isDone: isDone, at: now)
    default: finishObject(job, outcome, at: now)
    }
    if isDone, case .delete = job.work { endings.remove(job.name) }
    settle(at: now)
  }

  private mutating func finishObject(_ job: CopyJob, _ outcome: CopyOutcome, at now: Ticks) {
    switch (job.work, outcome) {
    case (.put, .failed), (.putPhoto, .failed): objects.failedToWrite(job.name)
    case (.delete, .done):
      objects.removed(job.name, at: now)
      withdrawn.remove(job.name)
    case (.put, .done), (.putPhoto, .done):
      objects.wrote(job.name)
      media.drop(job.name)
    case (.putPhoto(let photo), .gone):
      if objects.mayBeThere(job.name), !objects.isThere(job.name) { withdrawn.insert(job.name) }
      photos.remove(photo)
    default: break
    }
  }

  // MARK: Each kind of request

  private mutating func begin(_ job: CopyJob) -> CopyJob {
    busy.insert(job.name)
    return job
  }

  /// What was withdrawn goes first: the lists that name it are replaced, then it is removed.
  private mutating func nextOfWithdrawal(at now: Ticks) -> CopyJob? {
    for name in endings.sorted().reversed() where !busy.contains(name) { return removal(of: name) }
    if !withdrawn.isDisjoint(with: media.playlist.mayList), !media.playlist.isBusy {
      if let job = nextPlaylist(mustAdvance: true) { return job }
      // Media of the next playlist comes first, if there is any and nothing has gone wrong so far.
      let isComing = !media.owed(objects).isEmpty || !busy.isDisjoint(with: media.needed)
      if mustRemovePlaylist || !(isComing || patience.map { now < $0 } ?? false) {
        return removal(of: Self.playlistName)
      }
    }
    if !withdrawn.isDisjoint(with: photos.list.mayList), let job = nextPhotoList(at: nil) { return job }
    if latest.isWithdrawn, !busy.contains(Self.latestName) {
      if let job = nextLatest(at: nil) { return job }
      if patience.map({ now >= $0 }) ?? true { return removal(of: Self.latestName) }
    }
    return withdrawn.filter { objects.mayBeThere($0) && isFree($0) }.min().map { removal(of: $0) }
  }

  private mutating func removal(of name: String) -> CopyJob {
    switch name {
    case Self.playlistName: media.beginRemovalOfPlaylist()
    case Self.photosName: photos.beginRemovalOfList()
    case Self.latestName: latest.beginRemoval()
    default: objects.beginRemoval(name)
    }
    return begin(CopyJob(name: name, work: .delete))
  }

  private var nextMedia: CopyJob? { mutating get { media.next(objects, besides: busy).map { write($0) } } }

  private var nextPhoto: CopyJob? {
    mutating get {
      photos.next(objects, besides: busy).map { write(CopyJob(name: "\($0)", work: .putPhoto($0))) }
    }
  }

  private mutating func write(_ job: CopyJob) -> CopyJob {
    objects.beginWriting(job.name)
    return begin(job)
  }

  private mutating func nextPlaylist(mustAdvance: Bool) -> CopyJob? {
    media.nextPlaylist(objects, mustAdvance: mustAdvance).map { begin($0) }
  }

  /// - Parameter now: `nil` does not wait.
  private mutating func nextPhotoList(at now: Ticks?) -> CopyJob? {
    photos.nextList(at: now, objects).map { begin($0) }
  }

  private mutating func nextLatest(at now: Ticks?) -> CopyJob? {
    guard !busy.contains(Self.latestName), let jpeg = latest.next(at: now) else { return nil }
    return begin(CopyJob(name: Self.latestName, work: .put(jpeg), seconds: 1))
  }

  private mutating func nextRemoval(at now: Ticks) -> CopyJob? {
    if let name = objects.expired(at: now, after: time).filter(isFree).min() { return removal(of: name) }
    return objects.removedAgain(at: now).filter(isFree).min().map { begin(CopyJob(name: $0, work: .delete)) }
  }

  // MARK: What is needed

  /// What the lists in the bucket may name.
  private var mayList: Set<String> { media.playlist.mayList.union(photos.list.mayList) }

  private var needed: Set<String> { media.needed.union(photos.names).union(mayList) }

  /// Whether an object can be removed: nothing lists it, and no request for it is on its way.
  private func isFree(_ name: String) -> Bool {
    !busy.contains(name) && !media.playlist.mayList.contains(name) && !photos.list.mayList.contains(name)
  }

  /// How long an object stays that nothing needs.
  private func time(of name: String) -> Ticks { Self.isMedia(name) ? media.time : Self.photoTime }

  /// Notes which objects nothing needs any more, from now on.
  private mutating func settle(at now: Ticks) {
    objects.settle(needed: needed, at: now)
    let lost = objects.forget(at: now, after: time, besides: busy)
    if !lost.isEmpty, forgotten != .withdrawn {
      forgotten = withdrawn.isDisjoint(with: lost) ? .idle : .withdrawn
    }
    withdrawn = withdrawn.filter { objects.mayBeThere($0) || !isFree($0) }
    if let patience, now >= patience, withdrawn.isDisjoint(with: media.playlist.mayList), !latest.isWithdrawn {
      self.patience = nil
    }
  }
}
