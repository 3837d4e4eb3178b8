import Media
import Origin
import Packager
import Picture

extension Setting {
  /// Every setting, in the order of the help: the process, its limits, the camera's identity, picture, encoder,
  /// timeline, ingest, and what is shown when it is off.
  package static let all: [Setting] = process + limits + identity + picture + encoder + time + ingest + absence

  /// The setting of a key.
  package static func named(_ key: String) -> Setting? { byKey[key] }

  private static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

  private static let process: [Setting] = [
    .server("public", .address, \.settings.publicAddress, "Where viewers come in"),
    .server("private", .address, \.settings.privateAddress, "Where cameras push stills and operators come in"),
    .server(
      "public-certificate", ValueType<String>.path.optional, \.publicCertificate,
      "The PEM file with the public address's certificate and its chain, for HTTPS and HTTP/2",
      standard: "none: plain HTTP"),
    .server(
      "public-key", ValueType<String>.path.optional, \.publicKey, "The PEM file with that certificate's key",
      standard: "none"),
    .server(
      "private-certificate", ValueType<String>.path.optional, \.privateCertificate,
      "The PEM file with the private address's certificate and its chain", standard: "none: plain HTTP"),
    .server(
      "private-key", ValueType<String>.path.optional, \.privateKey, "The PEM file with that certificate's key",
      standard: "none"),
    .server("store", .store, \.settings.store, "Where playlists and media are kept"),
    .server(
      "operator-token", ValueType<String>.token.wrapped(SecretSource.text), \.operatorToken,
      "The secret that operators show for the status, the metrics and the switches",
      standard: "none: whoever reaches the private address may read, and nobody may switch"),
    .server(
      "operator-token-file", ValueType<String>.path.wrapped(SecretSource.file), \.operatorToken,
      "A file with that secret, in place of operator-token", standard: "none"),
    .server(
      "link-key", ValueType<String>.linkKey.wrapped(SecretSource.text), \.linkKey,
      "The secret that the links to cameras with access: signed are made with", standard: "none"),
    .server(
      "link-key-file", ValueType<String>.path.wrapped(SecretSource.file), \.linkKey,
      "A file with that secret, in place of link-key", standard: "none"),
    .server(
      "allow-origin", .allowedOrigin, \.settings.site.allowedOrigin,
      "Which sites' scripts may load playlists and media"),
    .server("embed", .frameAncestors, \.settings.site.frameAncestors, "Which sites may show the pages in a frame"),
    .server("log", .choice, \.settings.logLevel, "How much is logged"),
    .server("demo", .truth, \.settings.isDemo, "Add a camera named demo that paints its own scene"),
    .server(
      "camera", ValueType<CameraName>.cameraName.optional, \.camera,
      "The camera that the flags and variables of a camera are for",
      standard: "every camera of the file", layers: [.environment, .flag]),
  ]

  private static let limits: [Setting] = [
    .server(
      "public-connections", ValueType<Int>.whole(1...1_000_000).optional, \.settings.publicConnections,
      "The most connections of viewers", standard: "by the open files that the system allows"),
    .server(
      "private-connections", .whole(1...1_000_000), \.settings.privateConnections,
      "The most connections of cameras and operators"),
    .server(
      "connections-per-address", ValueType<Int>.whole(1...1_000_000).optional, \.settings.connectionsPerAddress,
      "The most connections from one address at each door",
      standard: "256, and any number from loopback and private networks, where proxies stand"),
    .server(
      "upload-megabytes", .whole(1...65_536), \.settings.uploadMegabytes,
      "The most memory of all stills on their way in together"),
    .server(
      "patience", .duration(.seconds(1)...(.seconds(600)), accepted: "1 to 600 seconds"), \.settings.patience,
      "How long a client may send nothing in the middle of a request, or take nothing of an answer"),
  ]

  private static let identity: [Setting] = [
    .camera(
      "token", ValueType<String>.token.wrapped(SecretSource.text), \.token,
      "The secret that the camera pushes its stills with", standard: "none: one is needed"),
    .camera(
      "token-file", ValueType<String>.path.wrapped(SecretSource.file), \.token,
      "A file with that secret, in place of token", standard: "none"),
    .camera("signature", .choice, \.signing, "Whether stills are signed, in place of showing the token"),
    .camera("access", .choice, \.access, "Who may see the camera: everyone, or those with a link of `quietcam link`"),
  ]

  private static let picture: [Setting] = [
    .camera("size", .streamSize, \.picture.size, "The size of the stream"),
    .camera("fit", .choice, \.picture.fit, "Whether pictures of another shape get bars or lose their edges"),
    .camera(
      "crop", ValueType<UnitRect>.rectangle.optional, \.picture.crop, "The part of the upright picture that is shown",
      standard: "the whole picture", layers: [.file]),
    .camera("masks", .masks, \.picture.masks, "Areas of the upright picture that nobody sees", layers: [.file]),
    .camera("gray", .truth, \.picture.isGray, "Drop the colours"),
    .camera("blur", .whole(0...100, "pixels of the stream"), \.picture.blur, "The radius of a blur"),
    .camera("denoise", .whole(0...30), \.picture.denoise, "The strength of the denoiser over successive stills"),
    .camera(
      "max-pixels", .whole(1024...400_000_000), \.picture.maxPixels,
      "The most pixels that a still may have before it is refused"),
  ]

  private static let encoder: [Setting] = [
    .camera("preset", .choice, \.encoder.preset, "x264's preset: how much work goes into a picture"),
    .camera("crf", .whole(0...51), \.encoder.crf, "x264's rate factor at its finest: 6 more halves the bytes"),
    .camera(
      "ssim", .whole(0...999, "thousandths"), \.encoder.ssim,
      "The likeness to the picture that is enough; 0 always takes crf"),
    .camera(
      "references", .whole(1...16, "pictures"), \.encoder.references,
      "How many pictures back is looked for what comes into view again: more is fewer bytes and more memory"),
    .camera(
      "max-kilobits", ValueType<Int>.whole(10...100_000).optional, \.encoder.maxKilobits,
      "The most kilobits a second over a segment", standard: "by the size"),
  ]

  private static let time: [Setting] = [
    .camera(
      "rate",
      .whole(
        accepted: "pictures a second, one of "
          + (1...30).filter { Int(Ticks.perSecond) % $0 == 0 }.map(String.init).joined(separator: ", ")), \.rate,
      "Pictures a second"),
    .camera(
      "part", .duration(accepted: "0.2 to 6 seconds in whole picture intervals"), \.part,
      "The length of a part: how far viewers are behind"),
    .camera(
      "segment", .duration(accepted: "1 to 60 whole seconds in whole parts"), \.segment,
      "The length of a segment: longer is fewer bytes"),
    .camera("window", .whole(accepted: "6 to 100 segments"), \.window, "Segments that a playlist lists"),
    .camera(
      "plain-segment", .duration(accepted: "1 to 10 whole seconds"), \.plainSegment,
      "The length of a segment for players that know no parts; they are three behind"),
  ]

  private static let ingest: [Setting] = [
    .camera("latest-quality", .whole(1...100), \.latestQuality, "The JPEG quality of latest.jpg"),
    .camera("max-still-bytes", .whole(1024...268_435_456, "bytes"), \.maxStillBytes, "The most bytes of one still"),
    .camera(
      "still-choice", .stillChoice, \.stillChoice,
      "Which picture is shown of a push that brings several, such as a doorbell's number plate and scene"),
    .camera("max-rate", .whole(1...1000), \.maxRate, "The most stills a second that are taken"),
    .camera(
      "interval", .duration(.milliseconds(100)...(.seconds(3600)), accepted: "0.1 to 3600 seconds"), \.interval,
      "How often the camera is advised to send a still"),
    .camera(
      "folder", ValueType<String>.folder.optional, \.folder, "A folder that new stills are taken from, at any depth",
      standard: "none"),
    .camera(
      "folder-scan", .truth, \.scansFolder,
      "Look at that folder twice a second even where the system would tell of changes"),
    .camera(
      "at-once", ValueType<Bool>.truth.optional, \.showsAtOnce,
      "Show stills in latest.jpg and the events as soon as they have come, not with the next part",
      standard: "true for a camera with a folder and no delay or veil-every, else false"),
  ]
}

extension Setting {
  private static let day = Ticks.seconds(86_400)

  fileprivate static let absence: [Setting] = [
    .camera(
      "hold", ValueType<Ticks?>.duration(.seconds(1)...day, or: "forever", accepted: "1 to 86400 seconds"),
      \.presence.hold,
      "How long the last picture stands when no stills come, before the loop is shown"),
    .camera(
      "steady", .duration(.zero...day, accepted: "0 to 86400 seconds"), \.presence.steady,
      "How long stills must keep coming before the loop gives way to them"),
    .camera(
      "off", .choice, \.off,
      "The loop's splice: seamless suits every player, cached costs an off camera next to no bytes"),
    .camera(
      "veil-every",
      ValueType<ClosedRange<Ticks>?>.durations(.seconds(1)...day, or: "never", accepted: "two of 1 to 86400 seconds"),
      \.veilEvery, "The time from one veil to the next, drawn from this range: recorded pictures in place of live ones",
      standard: "never"),
    .camera(
      "veil-for", .durations(.seconds(1)...day, accepted: "two of 1 to 86400 seconds"), \.veilLength,
      "How long a veil lasts, drawn from this range"),
    .camera(
      "delay", .duration(.zero ... .seconds(600), accepted: "0 to 600 seconds"), \.delay,
      "How long stills are kept back, so that a withdrawal comes in time"),
    .camera("mark-recorded", .truth, \.marksRecorded, "Tell in playlists and events when recorded pictures are shown"),
    .camera(
      "remember", .duration(.zero ... .seconds(7200), accepted: "0 to 7200 seconds"), \.remember,
      "How much of what was shown stays in memory to make a loop of"),
  ]
}

extension ValueType where Value == String {
  /// The same text as another type, which need not be there.
  func wrapped<Other>(_ wrap: @escaping @Sendable (String) -> Other) -> ValueType<Other?> {
    ValueType<Other?>(valueName, accepted: accepted, text: { _ in "none" }) { [read] given, path, problems in
      read(given, path, &problems).map(wrap)
    }
  }
}
