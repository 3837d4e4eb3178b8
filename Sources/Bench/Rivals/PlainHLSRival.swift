import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// The usual way without Quietcam: ffmpeg's hls muxer with segments of two seconds, served by nginx.
package final class PlainHLSRival: Sendable {
  private let pipe = Pipe()
  private let newest = NIOLockedValueBox<ByteBuffer?>(nil)
  private let encoder: ChildProcess
  private let server: ChildProcess
  /// The playlist.
  package let url: String

  /// Whether both programs are installed.
  package static var isInstalled: Bool {
    ChildProcess.path(of: "ffmpeg") != nil && ChildProcess.path(of: "nginx") != nil
  }

  /// Starts both on a free port.
  ///
  /// - Throws: if one of them does not start.
  package init(port: Int) throws {
    signal(SIGPIPE, SIG_IGN)  // If ffmpeg ends, writing to it must not end the bench.
    encoder = try ChildProcess("ffmpeg", input: pipe) { folder in
      let input = ["-v", "error", "-f", "mjpeg", "-framerate", "2", "-probesize", "32", "-i", "pipe:0"]
      let codec = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "4"]
      let muxer = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "6", "-hls_flags", "delete_segments"]
      return input + codec + muxer + [folder.appending(path: "live.m3u8").path]
    }
    let media = encoder.folder
    server = try ChildProcess("nginx") { folder in
      let configuration = """
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
      let file = folder.appending(path: "nginx.conf")
      try Data(configuration.utf8).write(to: file)
      return ["-c", file.path, "-e", "/dev/null"]
    }
    url = "http://127.0.0.1:\(port)/live.m3u8"
  }

  /// Takes the newest still.
  package func push(_ still: ByteBuffer) { newest.withLockedValue { $0 = still } }

  /// Gives ffmpeg two pictures a second, the newest again if none came, until it is cancelled.
  package func run() async throws {
    let start = ContinuousClock.now
    for index in 0... {
      try await Task.sleep(until: start + .milliseconds(500) * index, clock: .continuous)
      if let still = newest.withLockedValue({ $0 }) {
        try pipe.fileHandleForWriting.write(contentsOf: Data(still.readableBytesView))
      }
    }
  }

  /// Ends both.
  package func end() {
    try? pipe.fileHandleForWriting.close()
    encoder.end()
    server.end()
  }
}
