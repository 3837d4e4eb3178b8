#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// What to do about an error of the operating system.
package enum SystemAdvice {
  /// What the system calls the error, and what to do about it where that is known.
  ///
  /// - Parameter code: an `errno`.
  package static func sentence(_ code: CInt) -> String {
    let words = String(cString: strerror(code)).lowercased()
    guard let advice = advice(code) else { return words }
    return "\(words); \(advice)"
  }

  /// What to do; `nil` where the error alone does not tell.
  package static func advice(_ code: CInt) -> String? {
    switch code {
    case EMFILE:
      "this process has as many files open as it may: raise the limit with `ulimit -n`, LimitNOFILE= in a systemd unit or "
        + "`--ulimit nofile=` in a container"
    case ENFILE: "the whole system has as many files open as it may: raise fs.file-max with sysctl"
    case ENOSPC, EDQUOT: "make space on the disk"
    case EACCES, EPERM: "give this user the right to it"
    case EROFS: "the file system is mounted read-only: mount it anew, or choose another"
    default: nil
    }
  }
}
