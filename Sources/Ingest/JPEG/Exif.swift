/// What the EXIF of an APP1 segment says that matters for showing the picture (Exif 2.32, section 4.6).
///
/// A picture is never refused for its metadata: what is damaged says nothing.
struct Exif {
  /// How the picture has to be turned; `nil` where it says nothing, or nonsense.
  private(set) var orientation: Orientation?
  /// Whether the colours are Adobe RGB: cameras that have no ICC profile to put in say so by the interoperability index
  /// `R03` (DCF 2.0, optional colour space).
  private(set) var isAdobeRGB = false

  /// Reads a segment's payload; `nil` where it is no EXIF.
  init?(_ segment: UnsafeRawBufferPointer) {
    guard segment.count >= 14, segment.prefix(6).elementsEqual([0x45, 0x78, 0x69, 0x66, 0, 0]),
      let tiff = TIFF(UnsafeRawBufferPointer(rebasing: segment[6...]))
    else { return nil }
    guard let main = tiff.number(at: 4, bytes: 4) else { return }
    if let entry = tiff.entry(0x0112, in: main), let value = tiff.integer(entry) {
      orientation = UInt16(exactly: value).flatMap(Orientation.init(rawValue:))
    }
    guard let exif = tiff.entry(0x8769, in: main).flatMap(tiff.integer) else { return }
    let space = tiff.entry(0xA001, in: exif).flatMap(tiff.integer)
    guard space != 1, let interoperability = tiff.entry(0xA005, in: exif).flatMap(tiff.integer),
      let index = tiff.entry(1, in: interoperability)
    else { return }
    // Four bytes of text stand in the entry itself.
    isAdobeRGB = tiff.text(index).starts(with: Array("R03".utf8))
  }

  /// The numbers of a TIFF structure (TIFF 6.0, section 2).
  private struct TIFF {
    private let bytes: UnsafeRawBufferPointer
    private let isBigEndian: Bool

    init?(_ bytes: UnsafeRawBufferPointer) {
      guard bytes.count >= 8, bytes[0] == bytes[1], bytes[0] == 0x4D || bytes[0] == 0x49 else { return nil }
      self.bytes = bytes
      isBigEndian = bytes[0] == 0x4D
      guard number(at: 2, bytes: 2) == 42 else { return nil }
    }

    func number(at offset: Int, bytes count: Int) -> Int? {
      guard offset >= 0, offset <= bytes.count - count else { return nil }
      return (0..<count).reduce(0) { sum, index in
        sum | Int(bytes[offset + index]) << (8 * (isBigEndian ? count - 1 - index : index))
      }
    }

    /// Where the entry of a tag begins in the directory at an offset.
    func entry(_ tag: Int, in directory: Int) -> Int? {
      guard let count = number(at: directory, bytes: 2) else { return nil }
      for index in 0..<count {
        let at = directory + 2 + 12 * index
        guard let found = number(at: at, bytes: 2) else { return nil }
        if found == tag { return at }
      }
      return nil
    }

    /// The value of an entry whose type is SHORT or LONG.
    func integer(_ entry: Int) -> Int? {
      switch number(at: entry + 2, bytes: 2) {
      case 3: number(at: entry + 8, bytes: 2)
      case 4: number(at: entry + 8, bytes: 4)
      default: nil
      }
    }

    /// The four bytes of an entry that hold its value.
    func text(_ entry: Int) -> [UInt8] {
      guard number(at: entry + 2, bytes: 2) == 2, entry + 12 <= bytes.count else { return [] }
      return Array(bytes[entry + 8..<entry + 12])
    }
  }
}
