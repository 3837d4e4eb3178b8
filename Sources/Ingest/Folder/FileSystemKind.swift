import CFileSystem

/// Whether a file system notifies this machine of all changes.
enum FileSystemKind {
  /// The numbers (statfs(2), linux/magic.h) of those that can change without the kernel's knowledge: by another
  /// machine, or by a program behind FUSE.
  private static let remote: [UInt: String] = [
    0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x6573_5546: "FUSE", 0x0102_1997: "9P",
    0x00C3_6400: "Ceph", 0x5346_414F: "AFS", 0x6B41_4653: "AFS", 0x7375_7245: "Coda", 0x0BD0_0BD0: "Lustre",
    0x0116_1970: "GFS2", 0x7461_636F: "OCFS2", 0x786F_4256: "VirtualBox's shared folders",
    0x564C: "NCP", 0xBACB_ACBC: "VMware's shared folders", 0xAAD7_AAEA: "PanFS", 0x4750_4653: "GPFS",
  ]

  /// The name of the file system at `path` if changes to it can go unnoticed.
  static func remote(at path: String) -> String? { remote[UInt(qc_filesystem_type(path))] }
}
