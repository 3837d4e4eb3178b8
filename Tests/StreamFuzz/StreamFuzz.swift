import Foundation
import Media
import NIOCore
import Packager

// Holds that no bytes of a stream that is read back, of a recorded loop or of a store, crash its readers, and that what
// is rewritten in the headers of slices leaves everything else as it was.
//
// `make fuzz` builds it with `--sanitize fuzzer -Xswiftc -DLIBFUZZER`: then libFuzzer makes the bytes and its options are
// this program's. Built as usual it reads the files that it is given, such as those that libFuzzer leaves.

#if LIBFUZZER
  @_cdecl("LLVMFuzzerTestOneInput")
  func tryOne(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> CInt {
    hold(ByteBuffer(bytes: UnsafeRawBufferPointer(start: bytes, count: length)))
    return 0
  }
#else
  @main struct StreamFuzz {
    static func main() throws {
      for name in CommandLine.arguments.dropFirst() {
        hold(ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: name))))
      }
    }
  }
#endif

/// Ends the program where the readers break what they promise.
private func hold(_ bytes: ByteBuffer) {
  holdBoxes(bytes)
  holdUnits(bytes)
}

/// The bytes as an init segment, or as parts, with or without the boxes that tell what was shown.
private func holdBoxes(_ bytes: ByteBuffer) {
  if let length = try? FragmentReader.initLength(in: bytes) {
    precondition(length <= bytes.readableBytes, "an init segment of \(length) bytes")
  }
  _ = ParameterSets(initSegment: bytes).flatMap(SliceSyntax.init)
  if let parts = try? FragmentReader.parts(in: bytes) {
    let count = parts.reduce(0) { $0 + $1.byteCount }
    precondition(count == bytes.readableBytes, "parts of \(count) of \(bytes.readableBytes) bytes")
  }
  _ = try? FragmentReader.items(in: bytes)
}

/// The bytes as a picture of an encoder (ITU-T H.264, annex B); a second picture parameter set is that of the stream.
private func holdUnits(_ bytes: ByteBuffer) {
  var (sequences, pictures) = ([[UInt8]](), [[UInt8]]())
  var isIDR = false
  let samples = bytes.withUnsafeReadableBytes { bytes in
    AnnexB.forEachUnit(in: bytes) { kind, unit in
      if kind == AnnexB.Kind.sequenceParameterSet { sequences.append(Array(unit)) }
      if kind == AnnexB.Kind.pictureParameterSet { pictures.append(Array(unit)) }
      if kind == AnnexB.Kind.idrSlice { isIDR = true }
    }
    return AnnexB.lengthPrefixed(bytes)
  }
  let picture = CodedPicture(bytes: samples, isIDR: isIDR)
  guard let sequence = sequences.first, let first = pictures.first, let last = pictures.last,
    let own = sets(sequence, first), let syntax = SliceSyntax(own)
  else { return }
  let headers = syntax.headers(of: picture)
  if isIDR { holdIDR(picture, headers, syntax) }
  if let published = sets(sequence, last), let target = SliceSyntax(published),
    let rewriter = ReferenceRewriter(from: own, to: published), let result = rewriter.rewritten(picture)
  {
    // Only slices of pictures that are no IDR picture are rewritten; x264 makes no P slices in an IDR picture.
    let rewritten = target.headers(of: result).filter { !$0.isIDR }
    let expected = headers.filter { !$0.isIDR }
    precondition(rewritten.count == expected.count, "\(rewritten.count) slices and not \(expected.count)")
    for (old, var new) in zip(expected, rewritten) {
      if old.references == nil, old.type % 5 == 0 {
        precondition(new.references != nil, "a P slice that does not say its references")
        new.references = nil
      }
      precondition(new == old, "\(new) and not \(old)")
    }
  }
  if let skipped = SkippedPicture(syntax), let more = skipped.pictures(after: picture, order: 1, count: 2) {
    for picture in more { precondition(syntax.headers(of: picture).count == 1, "a repeat that cannot be read") }
  }
  if let ordering = PictureOrdering(own, pictures: 4),
    let result = ordering.ordered(picture, order: 3, idrPictureID: 0)
  {
    for header in ordering.syntax.headers(of: result.picture) {
      precondition(header.pictureOrder == 6, "another order: \(header)")
    }
  }
}

private func holdIDR(_ picture: CodedPicture, _ headers: [SliceHeader], _ syntax: SliceSyntax) {
  let rewritten = syntax.headers(of: syntax.writing(idrPictureID: 7, in: picture))
  precondition(rewritten.count == headers.count, "\(rewritten.count) slices and not \(headers.count)")
  for (old, new) in zip(headers, rewritten) where new.idrPictureID != old.idrPictureID {
    var expected = old
    expected.idrPictureID = 7
    precondition(new == expected, "\(new) and not \(expected)")
  }
}

private func sets(_ sequence: [UInt8], _ picture: [UInt8]) -> ParameterSets? {
  let bytes = [0, 0, 1] + sequence + [0, 0, 1] + picture
  return bytes.withUnsafeBytes { ParameterSets(annexB: $0) }
}
