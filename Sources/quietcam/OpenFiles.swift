import Glibc

/// The limit of open descriptors of the process: each connection takes one.
enum OpenFiles {
  /// With fewer the process cannot even begin.
  static let least = 64

  /// What the operator is told where there are fewer.
  static func tooFew(_ count: Int) -> String {
    "the system lets this process open \(count) files, and it needs \(least) to begin and one for each connection; raise "
      + "the limit with `ulimit -n 4096`, LimitNOFILE= in a systemd unit or `--ulimit nofile=` in a container"
  }

  /// Raises the limit as far as an ordinary process can, and returns it.
  static func raiseLimit() -> Int {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 1024 }
    var raised = limit
    raised.rlim_cur = limit.rlim_max
    if setrlimit(resource, &raised) == 0 { limit = raised }
    return Int(clamping: limit.rlim_cur)
  }
}
