import Bucket
import Media
import Notify
import Origin
import Packager
import Picture
import Station

extension Setting {
  /// Every setting, in the order of the help: the process, its limits, the camera's identity, picture, encoder,
  /// timeline, ingest, and what is shown when the camera is off.
  package static let all: [Setting] = process + limits + identity + picture + encoder + time + ingest + absence

  /// The setting of a key.
  package static func named(_ key: String) -> Setting? { byKey[key] }

  private static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

  private static let process: [Setting] = [
    .server("public", .address, \.settings.publicAddress, "The address for viewers"),
    .server("private", .address, \.settings.privateAddress, "The address for cameras and operators"),
    .server(
      "public-certificate", ValueType<String>.path.optional, \.publicCertificate,
      "A PEM file with the public address's certificate and its chain, for HTTPS and HTTP/2",
      standard: "none: plain HTTP"),
    .server(
      "public-key", ValueType<String>.path.optional, \.publicKey, "A PEM file with the key of that certificate",
      standard: "none"),
    .server(
      "private-certificate", ValueType<String>.path.optional, \.privateCertificate,
      "A PEM file with the private address's certificate and its chain", standard: "none: plain HTTP"),
    .server(
      "private-key", ValueType<String>.path.optional, \.privateKey, "A PEM file with the key of that certificate",
      standard: "none"),
    .server("store", .store, \.settings.store, "Where playlists, media and loops are stored"),
    .server(
      "bucket", .bucket, \.bucket,
      "S3-compatible storage that cameras are copied to, for players without low latency", standard: "none"),
    .server(
      "bucket-endpoint", .bucketEndpoint, \.bucketEndpoint, "The address of that storage",
      standard: "Amazon's in the region"),
    .server("bucket-region", .region, \.bucketRegion, "The region that its requests are signed for"),
    .server(
      "bucket-style", ValueType<BucketSettings.Style>.choice.optional, \.bucketStyle,
      "Whether requests name the bucket before the host or before the path",
      standard: "path with bucket-endpoint, else host"),
    .server(
      "bucket-key", ValueType<String>.accessKey.wrapped(SecretSource.text), \.bucketKey, "The key for that storage",
      standard: "none"),
    .server(
      "bucket-key-file", ValueType<String>.path.wrapped(SecretSource.file), \.bucketKey,
      "A file with that key, instead of bucket-key", standard: "none"),
    .server(
      "keep-visits", .whole(0...3660, "days"), \.settings.keepVisits,
      "For how many days the sums of visits are kept; 0 counts no visitors"),
    .server(
      "operator-token", ValueType<String>.token.wrapped(SecretSource.text), \.operatorToken,
      "The secret of the operator, for the status, the metrics and the commands",
      standard: "made at the first start, in the file operator-token of the store"),
    .server(
      "operator-token-file", ValueType<String>.path.wrapped(SecretSource.file), \.operatorToken,
      "A file with that secret, instead of operator-token", standard: "none"),
    .server(
      "private-hosts", .hostNames, \.settings.privateHosts,
      "The host names by which the private address can be asked, besides IP addresses, localhost and its own name"),
    .server(
      "link-key", ValueType<String>.linkKey.wrapped(SecretSource.text), \.linkKey,
      "The secret that signs the links to cameras with access: signed", standard: "none"),
    .server(
      "link-key-file", ValueType<String>.path.wrapped(SecretSource.file), \.linkKey,
      "A file with that secret, instead of link-key", standard: "none"),
    .server(
      "notify", .webhooks, \.settings.notify.receivers,
      "Addresses that get a message when a camera goes off or comes back, visitors wave, the disk or a certificate is in "
        + "trouble, or tokens are guessed at", standard: "none"),
    .server(
      "notify-secret", ValueType<String>.linkKey.wrapped(SecretSource.text), \.notifySecret,
      "The secret that signs these messages", standard: "none"),
    .server(
      "notify-secret-file", ValueType<String>.path.wrapped(SecretSource.file), \.notifySecret,
      "A file with that secret, instead of notify-secret", standard: "none"),
    .server(
      "allow-origin", .allowedOrigin, \.settings.site.allowedOrigin,
      "The sites whose scripts can load playlists and media"),
    .server(
      "base-url", ValueType<String>.baseURL.optional, \.settings.site.baseURL,
      "The public address as visitors see it, for link previews and oEmbed",
      standard: "from each request: Host, and X-Forwarded-Proto and X-Forwarded-Prefix of a proxy in a private network"),
    .server(
      "site-title", ValueType<String>.title.optional, \.settings.site.title,
      "The name of the site, on the list of cameras and in link previews", standard: "Cameras"),
    .server(
      "favicon", ValueType<String>.path.optional, \.settings.site.iconFile,
      "A file with the icon of the pages, in .svg, .png or .ico", standard: "Quietcam's own"),
    .server("embed", .frameAncestors, \.settings.site.frameAncestors, "The sites that can show the pages in a frame"),
    .server(
      "trusted-proxies", .proxies, \.settings.trustedProxies,
      "The proxies whose X-Forwarded-For or Forwarded says where a viewer comes from, for counts and limits"),
    .server("log", .log, \.settings.log, "The lowest level that is logged, and whether each line is a JSON object"),
    .server(
      "step-down", .truth, \.settings.stepsDown,
      "Encode all cameras with less work while the machine has too little room for them, so that parts come in time"),
    .server("demo", .truth, \.settings.isDemo, "Add a camera named demo that paints its own scene"),
    .server(
      "camera", ValueType<CameraName>.cameraName.optional, \.camera,
      "The camera that a camera's flags and variables apply to",
      standard: "every camera of the file", layers: [.environment, .flag]),
  ]

  private static let limits: [Setting] = [
    .server(
      "public-connections", ValueType<Int>.whole(1...1_000_000).optional, \.settings.publicConnections,
      "The most connections of viewers", standard: "what the system's limit of open files allows"),
    .server(
      "private-connections", .whole(1...1_000_000), \.settings.privateConnections,
      "The most connections of cameras and operators"),
    .server(
      "connections-per-address", ValueType<Int>.whole(1...1_000_000).optional, \.settings.connectionsPerAddress,
      "The most connections from one address, at the public and at the private address",
      standard: "256; no limit for loopback and private networks, where proxies are"),
    .server(
      "upload-megabytes", .whole(1...65_536), \.settings.uploadMegabytes,
      "The most memory for all stills that are being received, in MiB"),
    .server(
      "remember-megabytes", .whole(1...65_536), \.settings.rememberMegabytes,
      "The most memory for what all cameras remember together, in MiB; the one that has the most forgets first"),
    .server(
      "patience", .duration(.seconds(1)...(.seconds(600)), accepted: "1 to 600 seconds"), \.settings.patience,
      "How long a client can send nothing in the middle of a request, or read nothing of an answer"),
  ]

  private static let identity: [Setting] = [
    .camera(
      "token", ValueType<String>.token.wrapped(SecretSource.text), \.token,
      "The secret that the camera sends with its stills", standard: "none: one is required"),
    .camera(
      "token-file", ValueType<String>.path.wrapped(SecretSource.file), \.token,
      "A file with that secret, instead of token", standard: "none"),
    .camera("signature", .choice, \.door.signing, "Whether the camera signs its stills instead of sending the token"),
    .camera(
      "title", ValueType<String>.title.optional, \.stream.title,
      "The title of the camera, on its pages and in link previews",
      standard: "the camera's name"),
    .camera(
      "access", .choice, \.door.access,
      "Who can see the camera: everyone, or viewers with a link made by `quietcam link`"),
    .camera(
      "bucket-copy", .choice, \.bucketCopy,
      "Whether the camera is copied to the bucket: with access: open, always, or never; the bucket's own rules say who "
        + "can see it there"),
  ]

  private static let picture: [Setting] = [
    .camera("size", .streamSize, \.stream.picture.size, "The size of the stream"),
    .camera(
      "fit", .choice, \.stream.picture.fit,
      "Whether pictures of another shape get bars (contain) or lose their edges (cover)"),
    .camera(
      "crop", ValueType<UnitRect>.rectangle.optional, \.stream.picture.crop,
      "The part of the upright picture that is shown",
      standard: "the whole picture", layers: [.file]),
    .camera(
      "masks", .masks, \.stream.picture.masks, "Areas of the upright picture that are blacked out for everyone",
      layers: [.file]),
    .camera("gray", .truth, \.stream.picture.isGray, "Remove the colours"),
    .camera("blur", .whole(0...100, "pixels of the stream"), \.stream.picture.blur, "The radius of a blur"),
    .camera("denoise", .whole(0...30), \.stream.picture.denoise, "The strength of the temporal denoiser"),
    .camera(
      "max-pixels", .whole(1024...400_000_000), \.stream.picture.maxPixels,
      "The most pixels of a still; larger ones are refused"),
  ]

  private static let encoder: [Setting] = [
    .camera("preset", .choice, \.stream.encoder.preset, "x264's preset: slower ones save bytes"),
    .camera("crf", .whole(0...51), \.stream.encoder.crf, "x264's finest rate factor; 6 more halves the bytes"),
    .camera(
      "ssim", .whole(0...999, "thousandths"), \.stream.encoder.ssim,
      "The similarity to the still (SSIM) that is enough; 0 always encodes with crf"),
    .camera(
      "references", .whole(1...16, "pictures"), \.stream.encoder.references,
      "How many earlier stills the encoder searches; more saves bytes and takes memory"),
    .camera(
      "max-kilobits", ValueType<Int>.whole(10...100_000).optional, \.stream.encoder.maxKilobits,
      "The most kilobits a second, averaged over a segment", standard: "depends on size"),
  ]

  private static let time: [Setting] = [
    .camera(
      "rate",
      .whole(
        accepted: "pictures a second, one of "
          + (1...30).filter { Int(Ticks.perSecond) % $0 == 0 }.map(String.init).joined(separator: ", ")),
      \.timeline.rate,
      "Pictures a second in the stream"),
    .camera(
      "part", .duration(accepted: "0.2 to 6 seconds in whole picture intervals"), \.timeline.part,
      "The length of a part; hls.js is two to three parts behind, the element shows each part when it is published"),
    .camera(
      "segment", .duration(accepted: "1 to 60 whole seconds in whole parts"), \.timeline.segment,
      "The length of a segment; longer ones save bytes"),
    .camera("window", .whole(accepted: "6 to 100 segments"), \.timeline.window, "How many segments a playlist lists"),
    .camera(
      "plain-segment", .duration(accepted: "1 to 10 whole seconds"), \.timeline.plainSegment,
      "The length of a segment of plain.m3u8, for players without low latency; they are three segments behind"),
  ]

  private static let ingest: [Setting] = [
    .camera("latest-quality", .whole(1...100), \.stream.latestQuality, "The JPEG quality of latest.jpg"),
    .camera(
      "photo-size", .photoSize, \.photoSize,
      "The most that latest.jpg and photos measure where stills show more than the stream does",
      standard: "1920x1280; stream where a veil may fall: with veil-every, or with operator-token and without at-once"),
    .camera(
      "keep-photos", .whole(0...10_000), \.stream.keepPhotos,
      "How many of the pictures that were shown last are kept for photos.json, in the store too"),
    .camera(
      "still-choice", .stillChoice, \.stream.stillChoice,
      "Which picture is shown of a push that brings several, such as a doorbell's number plate and scene"),
    .camera(
      "max-still-bytes", .whole(1024...268_435_456, "bytes"), \.stream.maxStillBytes, "The most bytes of one still"),
    .camera("max-rate", .whole(1...1000), \.door.maxRate, "The most stills a second that are accepted"),
    .camera(
      "interval", .duration(.milliseconds(100)...(.seconds(3600)), accepted: "0.1 to 3600 seconds"), \.stream.interval,
      "The time between stills that the camera is advised to keep"),
    .camera(
      "folder", ValueType<String>.folder.optional, \.door.folder,
      "A folder whose new files are the stills, at any depth",
      standard: "none"),
    .camera(
      "folder-scan", .truth, \.door.scansFolder,
      "Scan that folder twice a second, even where the system notifies of changes"),
    .camera(
      "at-once", ValueType<Bool>.truth.optional, \.showsAtOnce,
      "Show stills in latest.jpg and the events as soon as they have arrived, not with the next part",
      standard: "true for a camera with a folder and no delay or veil-every, else false"),
  ]
}

extension Setting {
  private static let day = Ticks.seconds(86_400)

  fileprivate static let absence: [Setting] = [
    .camera(
      "hold", ValueType<Ticks?>.duration(.seconds(1)...day, or: "forever", accepted: "1 to 86400 seconds"),
      \.stream.presence.hold,
      "How long the last picture stays when no stills come, before the loop is shown"),
    .camera(
      "steady", .duration(.zero...day, accepted: "0 to 86400 seconds"), \.stream.presence.steady,
      "How long stills must keep coming before the camera is shown again"),
    .camera(
      "off", .choice, \.stream.off,
      "How the loop is spliced in: seamless suits every player, cached costs an off camera almost no bytes"),
    .camera(
      "hours", .hours, \.stream.hours,
      "When the camera is shown, by the clock of a time zone or by the sun at a place; outside of it the loop is, as when "
        + "the camera is paused", standard: "always"),
    .camera(
      "veil-every",
      ValueType<ClosedRange<Ticks>?>.durations(.seconds(1)...day, or: "never", accepted: "two of 1 to 86400 seconds"),
      \.veilEvery, "The time from one veil (the loop shown as if it were live) to the next, drawn from this range",
      standard: "never"),
    .camera(
      "veil-for", .durations(.seconds(1)...day, accepted: "two of 1 to 86400 seconds"), \.veilLength,
      "How long a veil lasts, drawn from this range"),
    .camera(
      "delay", .duration(.zero ... .seconds(600), accepted: "0 to 600 seconds"), \.stream.delay,
      "How long stills are kept back, so that a withdrawal can come before they are shown"),
    .camera("mark-recorded", .truth, \.stream.marksRecorded, "Say in playlists and events when the loop is shown"),
    .camera(
      "remember", .duration(.zero ... .seconds(7200), accepted: "0 to 7200 seconds"), \.stream.remember,
      "How much of what was shown is kept in memory, for `quietcam loop --record`; less of it where all cameras together "
        + "have as much as remember-megabytes allows"),
  ]
}

extension ValueType where Value == String {
  /// The same text as another, optional type.
  func wrapped<Other>(_ wrap: @escaping @Sendable (String) -> Other) -> ValueType<Other?> {
    ValueType<Other?>(valueName, accepted: accepted, text: { _ in "none" }) { [read] given, path, problems in
      read(given, path, &problems).map(wrap)
    }
  }
}
