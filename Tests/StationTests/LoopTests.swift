import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import TestSupport
import Testing

@testable import Station

@Suite struct LoopTests: LoopMaking {
  private func why(_ folder: String, _ settings: CameraSettings) throws -> String {
    do {
      _ = try StoredLoop(path: folder + "/loop", settings: settings, parameterSets: try parameterSets(settings))
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func aStoredLoopIsCodedAsTheCamerasOwnPicturesAre() throws {
    try withFolder { folder in
      let settings = try settings()
      let product = try make(in: folder, settings)
      #expect(product.segments == 2 && product.length == .seconds(8) && product.pictures == 5)
      #expect(product.filled == .milliseconds(1500))
      let loop = try #require(try open(folder, settings))
      #expect(loop.count == 2 && !loop.isBuiltIn)
      // A camera that has shown the slate and then takes the same stills in the same rhythm.
      var line = try PictureLine.open(settings, logger: logger)
      _ = try line.encode(.idr)
      #expect(loop.parameterSets == line.parameterSets)
      for index in 0..<2 {
        let segment = try loop.segment(index)
        #expect(segment.pictures.map(\.isIDR) == (0..<8).map { $0 == 0 })
        var changes: [Int] = []
        for step in 0..<8 {
          // The second came at step 3 and the fourth at step 9: each was the first of its slot, which begins a step
          // before.
          if let number = [0, 2, 6, 8, 12].firstIndex(of: 8 * index + step) {
            let jpeg = try still(gray: grays[number])
            try line.show(jpeg)
            changes.append(step)
            #expect(segment.changes.first { $0.step == step }?.jpeg == (try line.jpeg()))
          }
          let role: PictureEncoder.Role = step == 0 ? .idr : changes.last == step ? .new : .repeated
          #expect(segment.pictures[step] == (try line.encode(role)), "segment \(index), step \(step)")
          if step == 0 { #expect(segment.opening == (try line.jpeg())) }
        }
        #expect(segment.changes.map(\.step) == changes)
      }
    }
  }

  @Test func theBuiltInLoopIsOneWholeSegment() throws {
    let settings = try settings()
    var line = try PictureLine.open(settings, logger: logger)
    let loop = try Loop.builtIn(&line, timeline: settings.timeline)
    #expect(loop.isBuiltIn && loop.count == 1)
    #expect(try loop.parameterSets == parameterSets(settings))
    let segment = try loop.segment(0)
    #expect(segment.pictures.map(\.isIDR) == (0..<8).map { $0 == 0 })
    #expect(segment.changes.map(\.step) == [0] && segment.changes[0].jpeg == segment.opening)
  }

  @Test func thereIsNoLoopBeforeOneWasMade() throws {
    try withFolder { folder in
      let loop = try open(folder, try settings())
      #expect(loop == nil)
    }
  }

  @Test(arguments: [
    "size", "fit", "crop", "masks", "gray", "blur", "denoise", "preset", "crf", "ssim", "references", "max-kilobits",
    "rate", "part", "segment", "latest-quality",
  ])
  func aLoopThatWasMadeWithAnotherSettingIsRefusedByItsName(_ key: String) throws {
    try withFolder { folder in
      try make(in: folder, try settings(), path: NSTemporaryDirectory())
      let other = try settings { settings in
        switch key {
        case "size": settings.picture.size = PictureSize(width: 320, height: 240)
        case "fit": settings.picture.fit = .cover
        case "crop": settings.picture.crop = UnitRect(x: 0, y: 0, width: 0.5, height: 1)
        case "masks": settings.picture.masks = [PrivacyMask(rectangle: UnitRect(x: 0, y: 0, width: 0.1, height: 0.1))]
        case "gray": settings.picture.isGray = true
        case "blur": settings.picture.blur = 3
        case "denoise": settings.picture.denoise = 6
        case "preset": settings.encoder.preset = .veryfast
        case "crf": settings.encoder.crf = 30
        case "ssim": settings.encoder.ssim = 900
        case "references": settings.encoder.references = 3
        case "max-kilobits": settings.encoder.maxKilobits = 333
        case "rate": settings.timeline = try TimelineSettings(rate: 4, part: .seconds(1), segment: .seconds(4))
        case "part": settings.timeline = try TimelineSettings(rate: 2, part: .seconds(2), segment: .seconds(4))
        case "segment": settings.timeline = try TimelineSettings(rate: 2, part: .seconds(1), segment: .seconds(6))
        default: settings.latestQuality = 50
        }
      }
      #expect(try open(folder, other) == nil)
      let reason = try why(folder, other)
      #expect(reason.contains("(\(key)") && reason.contains("`quietcam loop --camera desk`"), "\(reason)")
    }
  }

  @Test func aLoopOfAVersionThatDidNotNoteTheSimilarityIsPlayed() throws {
    let now = LoopSettings(try settings())
    var values = now.values
    values["ssim"] = nil
    #expect(LoopSettings(values: values).differences(from: now).isEmpty)
    values["crf"] = "1"
    #expect(LoopSettings(values: values).differences(from: now) == "crf 1, now 22")
  }

  /// Earlier versions left `idr_pic_id` as x264 counts it.
  @Test func theIDRPicturesOfAnEarlierVersionsLoopGetTheIdentifierOfAll() throws {
    try withFolder { folder in
      let settings = try settings()
      let sets = try parameterSets(settings)
      let syntax = try #require(SliceSyntax(sets))
      try make(in: folder + "/new", settings)
      let new = try #require(try open(folder + "/new", settings))
      var maker = try LoopMaker.open(folder: folder + "/old", settings: settings, logger: logger)
      for index in 0..<2 {
        let segment = try new.segment(index)
        #expect(syntax.idrPictureID(of: segment.pictures[0]) == 0)
        for (step, picture) in segment.pictures.enumerated() {
          let jpeg = step == 0 ? segment.opening : segment.changes.first { $0.step == step }?.jpeg
          try maker.append(
            syntax.writing(idrPictureID: 1, in: picture),
            showing: jpeg.map { ShownPicture(step: step, jpeg: $0) })
        }
      }
      _ = try maker.finish(source: LoopSource(kind: .stills, path: "/stills"), made: .now)
      let stored = try LoopFolder.read("\(folder)/old/loop/\(LoopManifest.mediaName(1))", mostBytes: 1 << 20)
      #expect(syntax.idrPictureID(of: try FragmentReader.parts(in: stored)[0].pictures[0]) == 1)
      let opened = try open(folder + "/old", settings)
      let old = try #require(opened)
      for index in 0..<2 { #expect(try old.segment(index).pictures == new.segment(index).pictures) }
    }
  }

  @Test func whatDoesNotTouchThePicturesKeepsTheLoop() throws {
    try withFolder { folder in
      try make(in: folder, try settings())
      let other = try settings { settings in
        settings.maxStillBytes = 1 << 20
        settings.interval = .seconds(5)
        settings.picture.maxPixels = 1_000_000
        settings.timeline = try TimelineSettings(
          rate: 2, part: .seconds(1), segment: .seconds(4), listedSegments: 9)
      }
      let loop = try #require(try open(folder, other))
      #expect(try loop.segment(1).pictures.count == 8)
    }
  }

  @Test func movedMasksAreOtherMasks() throws {
    func key(_ x: Double) throws -> LoopSettings {
      LoopSettings(
        try settings {
          $0.picture.masks = [PrivacyMask(rectangle: UnitRect(x: x, y: 0, width: 0.1, height: 0.1))]
        })
    }
    #expect(try key(0.2) == key(0.2))
    #expect(try key(0.2).differences(from: key(0.21)) == "masks")
    #expect(try LoopSettings(json: key(0.2).json) == key(0.2))
  }

  @Test func aSourceThatIsGoneIsAskedFor() throws {
    try withFolder { folder in
      try make(in: folder, try settings(), path: "/nowhere/at/all")
      #expect(try why(folder, try settings { $0.encoder.crf = 20 }).contains("`quietcam loop SOURCE --camera desk`"))
      #expect(LoopSource.ofLoop(in: folder)?.path == "/nowhere/at/all")
    }
  }

  @Test(arguments: ["0.mp4", "0.mjpeg", "init.mp4", "loop.json"])
  func aDamagedBeginningIsNoLoop(name: String) throws {
    let settings = try settings()
    try withFolder { base in
      try make(in: base + "/whole", settings)
      for damage in ["cut", "flip", "gone", "long", "empty", "folder"] {
        let folder = "\(base)/\(damage)"
        try FileManager.default.copyItem(atPath: base + "/whole", toPath: folder)
        let path = "\(folder)/loop/\(name)"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        switch damage {
        case "cut": bytes.removeLast(bytes.count / 3)
        case "flip": bytes[bytes.count / 2] ^= 0x40
        case "long": bytes.append(contentsOf: [0, 1])
        case "empty": bytes = Data()
        default: break
        }
        // White space behind a manifest is none of its matter, nor is every bit of its text.
        if name == "loop.json", ["long", "flip"].contains(damage) { bytes[0] = 0x5B }
        try FileManager.default.removeItem(atPath: path)
        if damage == "folder" {
          try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        } else if damage != "gone" {
          try bytes.write(to: URL(fileURLWithPath: path))
        }
        #expect(try open(folder, settings) == nil, "\(damage)")
        if damage != "gone" { #expect(try why(folder, settings).contains("make it again with"), "\(damage)") }
      }
    }
  }

  @Test func aSegmentThatIsDamagedLaterIsAnErrorAndTheOthersAreNot() throws {
    let settings = try settings()
    try withFolder { folder in
      try make(in: folder, settings)
      let loop = try #require(try open(folder, settings))
      let path = URL(fileURLWithPath: "\(folder)/loop/1.mp4")
      var bytes = try Data(contentsOf: path)
      bytes[bytes.count - 5] ^= 1
      try bytes.write(to: path)
      #expect(try loop.segment(0).pictures.count == 8)
      #expect { try loop.segment(1) } throws: { "\($0)".contains("1.mp4") }
    }
  }

  @Test func aMakerThatEndsEarlyLeavesTheOldLoopAndNothingElse() throws {
    let settings = try settings()
    try withFolder { folder in
      try make(in: folder, settings, path: "/old")
      do {
        var maker = try LoopMaker.open(folder: folder, settings: settings, logger: logger)
        try maker.append(try still(gray: 10))
        try maker.hold(until: .seconds(9))
        #expect { try make(in: folder, settings) } throws: { "\($0)".contains("another `quietcam loop` is at work") }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["loop"])
      // Killed: what it left is swept up by the next, and does not get into its loop.
      try FileManager.default.createDirectory(atPath: folder + "/.loop-new", withIntermediateDirectories: false)
      try Data([1]).write(to: URL(fileURLWithPath: folder + "/.loop-new/77.mp4"))
      #expect(LoopSource.ofLoop(in: folder)?.path == "/old")
      try make(in: folder, settings, path: "/new")
      #expect(LoopSource.ofLoop(in: folder)?.path == "/new")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/loop").sorted()
      #expect(names == ["0.mjpeg", "0.mp4", "1.mjpeg", "1.mp4", "init.mp4", "loop.json"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["loop"])
    }
  }

  @Test func aMakerThatIsKilledBetweenItsLastTwoStepsLeavesTheOldLoop() throws {
    let settings = try settings()
    try withFolder { folder in
      try make(in: folder, settings)
      try FileManager.default.moveItem(atPath: folder + "/loop", toPath: folder + "/.loop-old")
      #expect(try open(folder, settings)?.count == 2)
      try make(in: folder, settings)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["loop"])
    }
  }

  @Test func aLoopIsClosedToOtherUsers() throws {
    try withFolder { folder in
      try make(in: folder, try settings())
      let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/loop")
      #expect(attributes[.posixPermissions] as? Int == 0o700)
    }
  }
}
