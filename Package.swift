// swift-tools-version: 6.2
import PackageDescription

// Targets are in the order of the pipeline; each imports only targets above it.

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// For the scene, which computes each pixel: tests wait for it, and it takes nine times as long otherwise.
let fast: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let locks: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle: Target.Dependency = .product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
  name: "quietcam",
  products: [
    .executable(name: "quietcam", targets: ["quietcam"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-http-structured-headers", from: "1.7.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CFFmpeg",
      pkgConfig: "libavdevice libavfilter libavformat libavcodec libswscale libavutil",
      providers: [
        .apt([
          "libavdevice-dev", "libavfilter-dev", "libavformat-dev", "libavcodec-dev",
          "libswscale-dev", "libavutil-dev",
        ])
      ]),
    .systemLibrary(name: "CFileSystem"),
    .systemLibrary(name: "CProcess"),
    .systemLibrary(name: "CClock"),
    .systemLibrary(name: "CProcessTime"),
    .target(name: "CMemory"),
    .target(name: "CWebFiles", exclude: ["entry.h"]),
    .target(name: "WebFiles", dependencies: ["CWebFiles", nio], swiftSettings: strict),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CBrotli", pkgConfig: "libbrotlienc libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CLcms", pkgConfig: "lcms2", providers: [.apt(["liblcms2-dev"])]),
    .target(name: "Media", dependencies: ["CBrotli", "CZlib", "CZstd", nio], swiftSettings: strict),
    .target(
      name: "Access",
      dependencies: ["Media", nio, nioPosix, locks, .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    .target(
      name: "Ingest", dependencies: ["CFileSystem", "Media", nio, log, lifecycle], swiftSettings: strict),
    .target(
      name: "Picture", dependencies: ["CFFmpeg", "CLcms", "Media", "Ingest", nio, locks, log], swiftSettings: strict),
    .target(name: "Playlist", dependencies: ["Media", nio], swiftSettings: strict),
    .target(
      name: "Packager", dependencies: ["Media", "Playlist", nio], swiftSettings: strict),
    .target(name: "Hours", dependencies: ["Media"], swiftSettings: strict),
    .target(
      name: "Station",
      dependencies: [
        "CClock", "Hours", "Media", "Ingest", "Picture", "Playlist", "Packager", nio, nioPosix, locks, log, lifecycle,
        system, .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
    .target(
      name: "Records",
      dependencies: [
        "Media", nio, nioPosix, locks, log, lifecycle, .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .target(
      name: "Notify",
      dependencies: [
        "Media", nio, locks, log, lifecycle, .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ],
      swiftSettings: strict),
    .target(
      name: "Bucket",
      dependencies: [
        "Media", "Playlist", "Packager", "Station", nio, locks, log, lifecycle,
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ],
      swiftSettings: strict),
    .target(
      name: "Origin",
      dependencies: [
        "Access", "Records", "Bucket", "Media", "Picture", "Packager", "Station", "Ingest", "WebFiles", nio, locks, log,
        lifecycle,
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOExtras", package: "swift-nio-extras"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "RawStructuredFieldValues", package: "swift-http-structured-headers"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdHTTP2", package: "hummingbird"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"), nioPosix,
      ],
      exclude: ["Web"],
      swiftSettings: strict),
    .target(
      name: "Settings",
      dependencies: [
        "Access", "Hours", "Media", "Ingest", "Picture", "Packager", "Station", "Notify", "Bucket", "Origin",
        "Yams",
      ],
      swiftSettings: strict),
    .target(
      name: "Camera",
      dependencies: [
        "Media", "Ingest", "Picture", nio, nioPosix, locks, log, lifecycle,
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ],
      swiftSettings: strict),
    .target(name: "Demo", dependencies: ["Media", "Picture", "Camera", nio], swiftSettings: strict + fast),
    .target(
      name: "Check",
      dependencies: [
        "Media", "Playlist", nio, log,
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ],
      swiftSettings: strict),
    .target(
      name: "Bench",
      dependencies: [
        "CBrotli", "CProcessTime", "CZlib", "CZstd", "Access", "Media", "Ingest", "Picture", "Playlist", "Packager",
        "Station", "Camera", "Demo", "WebFiles", nio, nioPosix, locks, log, lifecycle, system,
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdHTTP2", package: "hummingbird"),
      ],
      exclude: ["Web"],
      swiftSettings: strict),
    .executableTarget(
      name: "quietcam",
      dependencies: [
        "CProcess", "CMemory", "Access", "Notify", "Bucket", "Records", "Media", "Ingest", "Picture", "Packager",
        "Station",
        "Origin", "Settings",
        "Camera", "Demo", "Check", "Bench", nio, locks, log, lifecycle, signals, nioPosix,
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Packaging"],
      swiftSettings: strict),

    .target(
      name: "TestSupport",
      dependencies: [
        "Access", "Media", "Picture", "Packager", "Station", nio, nioPosix, locks, log,
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      path: "Tests/TestSupport", swiftSettings: strict),
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        "TestSupport", "Ingest", "Picture", "Media", nio, log,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Fuzz", exclude: ["corpus.py", "fuzz_requests.py"], swiftSettings: strict),
    .executableTarget(
      name: "PlaylistFuzz", dependencies: ["Media", "Playlist", nio], path: "Tests/PlaylistFuzz",
      exclude: ["hls.dict", "seeds"], swiftSettings: strict),
    .executableTarget(
      name: "AnswerFuzz", dependencies: ["Bucket", "Ingest", "Media", nio], path: "Tests/AnswerFuzz",
      exclude: ["http.dict", "seeds"], swiftSettings: strict),
    .executableTarget(
      name: "StreamFuzz", dependencies: ["Media", "Packager", nio], path: "Tests/StreamFuzz", exclude: ["seeds"],
      swiftSettings: strict),
    .testTarget(name: "MediaTests", dependencies: ["Media", nio], swiftSettings: strict),
    .testTarget(
      name: "AccessTests", dependencies: ["TestSupport", "Access", "Media", nio, locks], swiftSettings: strict),
    .testTarget(
      name: "PictureTests", dependencies: ["TestSupport", "Picture", "Ingest", "Media", nio], swiftSettings: strict),
    .testTarget(
      name: "PlaylistTests", dependencies: ["TestSupport", "Playlist", "Media", nio], swiftSettings: strict),
    .testTarget(
      name: "PackagerTests", dependencies: ["TestSupport", "Packager", "Playlist", "Picture", "Media", nio],
      swiftSettings: strict),
    .testTarget(
      name: "StationTests",
      dependencies: [
        "TestSupport", "Access", "Hours", "Station", "Packager", "Playlist", "Picture", "Ingest", "Media", nio, locks,
        log,
        system,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "IngestTests", dependencies: ["TestSupport", "Ingest", "Picture", "Media", nio, log],
      swiftSettings: strict),
    .testTarget(
      name: "OriginTests",
      dependencies: [
        "Access", "Origin", "Station", "Packager", "Ingest", "Media", "WebFiles", nio, log,
        "Playlist", "Records", "TestSupport",
        .product(name: "InMemoryLogging", package: "swift-log"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOExtras", package: "swift-nio-extras"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CameraTests",
      dependencies: [
        "TestSupport", "Camera", "Ingest", "Picture", "Media", nio, nioPosix, locks,
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "NotifyTests",
      dependencies: ["TestSupport", "Notify", "Media", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    .testTarget(
      name: "BucketTests",
      dependencies: ["TestSupport", "Bucket", "Station", "Packager", "Playlist", "Media", nio], swiftSettings: strict),
    .testTarget(name: "HoursTests", dependencies: ["TestSupport", "Hours", "Media"], swiftSettings: strict),
    .testTarget(
      name: "RecordsTests",
      dependencies: [
        "TestSupport", "Records", "Media", nio, locks, log, .product(name: "InMemoryLogging", package: "swift-log"),
        .product(name: "Crypto", package: "swift-crypto"), .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .testTarget(name: "DemoTests", dependencies: ["Demo", "Media", "Picture", nio], swiftSettings: strict),
    .testTarget(
      name: "CheckTests",
      dependencies: [
        "TestSupport",
        "Check", "Playlist", "Media", nio, nioPosix, locks,
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "BenchTests",
      dependencies: [
        "TestSupport", "Bench", "Picture", "Media", "Playlist", nio, nioPosix, locks,
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "SettingsTests",
      dependencies: [
        "TestSupport", "Access", "Bucket", "Hours", "Notify", "Settings", "Origin", "Media", "Ingest", "Picture",
        "Packager",
        "Station",
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
