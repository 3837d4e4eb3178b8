import Access

extension AnswerTimes.Kind {
  /// What a request asks for.
  ///
  /// - Parameter target: its path, with the query if it has one.
  init(target: String) {
    let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
    func ends(_ word: String) -> Bool { path.suffix(word.utf8.count).elementsEqual(word.utf8) }
    self =
      if path.starts(with: "/ingest/".utf8) {
        .still
      } else if path.starts(with: "/cameras/".utf8) || ends("/status") || ends("/metrics") {
        .operation
      } else if ends(".m3u8") {
        path.count < target.utf8.count && target.contains("_HLS_msn=") ? .reload : .playlist
      } else if ends(".mp4") {
        .media
      } else if ends(".jpg") {
        .picture
      } else if ends("/events") {
        .events
      } else {
        .page
      }
  }
}
