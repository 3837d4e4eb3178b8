import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// The usual way without Quietcam: ffmpeg's hls muxer with segments of two seconds, served by nginx.
package final class PlainHLSRival: Sendable {
  private let newest = NIOLockedValueBox<ByteBuffer?>(nil)
  private let port: Int
  /// The playlist.
  package var url: String { "http://127.0.0.1:\(port)/live.m3u8" }

  /// Whether both programs are installed.
  package static var isInstalled: Bool { ExternalProgram.ffmpeg.isInstalled && ExternalProgram.nginx.isInstalled }

  /// - Parameter port: a free port of loopback for nginx.
  package init(port: Int) { self.port = port }

  /// Takes the newest still.
  package func push(_ still: ByteBuffer) { newest.withLockedValue { $0 = still } }

  /// Runs both programs and feeds ffmpeg two pictures a second, the newest again where none came, until it is cancelled.
  ///
  /// - Throws: when one of them does not start, or ends.
  package func run() async throws {
    try await withBenchFolder { folder in
      let media = folder.appending(path: "media")
      try FileManager.default.createDirectory(at: media, withIntermediateDirectories: true)
      let configuration = folder.appending(path: "nginx.conf")
      try Data(nginx(folder, media: media).utf8).write(to: configuration)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await ExternalProgram.nginx.run(["-c", configuration.path, "-e", "/dev/null"]) }
        group.addTask { try await self.encode(into: media) }
        defer { group.cancelAll() }
        try await group.next()
      }
    }
  }

  private func encode(into media: URL) async throws {
    let input = ["-v", "error", "-f", "mjpeg", "-framerate", "2", "-probesize", "32", "-i", "pipe:0"]
    let codec = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "4"]
    let muxer = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "6", "-hls_flags", "delete_segments"]
    let output = media.appending(path: "live.m3u8").path
    try await ExternalProgram.ffmpeg.run(input + codec + muxer + [output]) { write in
      let start = ContinuousClock.now
      for index in 0... {
        try await Task.sleep(until: start + .milliseconds(500) * index, clock: .continuous)
        if let still = newest.withLockedValue({ $0 }) { try await write(still) }
      }
    }
  }

  private func nginx(_ folder: URL, media: URL) -> String {
    """
    daemon off; master_process off; pid \(folder.path)/pid; error_log /dev/null;
    events {}
    http {
      access_log off; client_body_temp_path \(folder.path)/body; proxy_temp_path \(folder.path)/proxy;
      fastcgi_temp_path \(folder.path)/fastcgi; uwsgi_temp_path \(folder.path)/uwsgi;
      scgi_temp_path \(folder.path)/scgi;
      types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
      server {
        listen 127.0.0.1:\(port); root \(media.path);
        add_header Access-Control-Allow-Origin *; add_header Cache-Control no-cache;
      }
    }
    """
  }
}
