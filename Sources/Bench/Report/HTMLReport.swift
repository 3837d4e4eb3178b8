import Foundation

/// The figures of a bandwidth bench as one page without other files: charts, the table, and how it was measured.
package struct HTMLReport {
  private let result: BandwidthResult

  /// The page of a result.
  package init(_ result: BandwidthResult) { self.result = result }

  private static var kinds: [(name: String, path: KeyPath<WireBytes, Int>, colour: String)] {
    [
      ("media", \.media, "var(--media)"), ("playlists and events", \.playlists, "var(--playlists)"),
      ("response headers", \.headers, "var(--headers)"), ("requests", \.requests, "var(--requests)"),
      ("TLS and HTTP/2 framing", \.framing, "var(--framing)"),
    ]
  }

  /// The page's text, UTF-8.
  package var html: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>What a viewer costs: \(Chart.escape(result.source))</title>
    <link rel="icon" href="data:,">
    <style>\(Self.style)</style>
    </head>
    <body>
    <main>
    <h1>What a viewer costs</h1>
    <p class="lead">\(lead)</p>
    <p class="facts">\(facts)</p>
    \(result.warning.map { "<p class=\"warning\">\(Chart.escape($0))</p>" } ?? "")
    <section>
    <h2>Bytes of a viewer's minute</h2>
    <p>Steady state, everything on the wire both ways, in kB.</p>
    \(legend)
    \(perMinute)
    </section>
    \(quality)
    <section>
    <h2>Latency</h2>
    <p>From the moment a still is pushed until the bytes that first show it have been fetched: the median, in seconds.
    What a player keeps in its buffer comes on top.</p>
    \(families)
    \(latency)
    </section>
    <section>
    <h2>9,000 visitors of one minute each</h2>
    <p>In GB, with each visitor's join. The pale end is page and player library where no visitor has them cached.</p>
    \(families)
    \(visitors)
    </section>
    <section class="wide">
    <h2>All figures</h2>
    \(table)
    \(checks)
    </section>
    <section>
    <h2>What was done</h2>
    <dl>\(explanations)</dl>
    </section>
    </main>
    </body>
    </html>

    """
  }

  private var measured: [BandwidthResult.Entry] { result.entries.filter { $0.perMinute != nil } }

  private var lead: String {
    guard let polling = result.entries.first(where: { $0.way == .cameraPolling })?.perMinute?.total,
      let entry = result.entries.first(where: { $0.way == .lowLatency }), let share = entry.ofPolling,
      let bytes = entry.perMinute?.total
    else { return "Bytes on the wire for each way to show a still camera." }
    return "Polling the camera’s JPEGs costs a viewer <b>\(kilobytes(polling)) kB a minute</b>; Quietcam’s stream "
      + "<b>\(kilobytes(bytes)) kB</b>, <b>\(format(100 * share, 1)) %</b> of it."
  }

  private var facts: String {
    var facts = [
      "\(result.source): \(result.stills) stills, \(result.stillBytes) bytes each on average",
      "one each \(format(result.every, 1)) s", result.transport, "\(format(result.seconds, 0)) s measured",
      "parts of \(format(result.part, 1)) s, segments of \(format(result.segment, 0)) s",
    ]
    if !result.settings.isEmpty { facts.append(result.settings) }
    return facts.map(Chart.escape).joined(separator: " · ")
  }

  private var legend: String {
    "<p class=\"legend\">"
      + Self.kinds.map { "<span><i style=\"background:\($0.colour)\"></i>\($0.name)</span>" }.joined() + "</p>"
  }

  private var families: String {
    "<p class=\"legend\">"
      + ["JPEG", "plain HLS", "Quietcam"].map {
        "<span><i style=\"background:\(Self.colour(of: $0))\"></i>\($0)</span>"
      }.joined() + "</p>"
  }

  private var perMinute: String {
    Chart.bars(
      measured.map { entry in
        let bytes = entry.perMinute ?? WireBytes()
        return Chart.Bar(
          title: entry.title,
          slices: Self.kinds.map {
            Chart.Slice(
              name: "\($0.name) \(kilobytes(bytes[keyPath: $0.path])) kB", value: Double(bytes[keyPath: $0.path]),
              colour: $0.colour)
          }, label: kilobytes(bytes.total))
      }, name: "Bytes of a viewer's minute by way and kind")
  }

  private var quality: String {
    let isScene = measured.contains { $0.ssimToScene != nil }
    let dots = measured.compactMap { entry -> Chart.Dot? in
      guard let ssim = isScene ? entry.ssimToScene : entry.ssimToStill, let bytes = entry.perMinute else { return nil }
      return Chart.Dot(
        title: entry.title, x: Double(bytes.total) / 1000, y: ssim, colour: Self.colour(of: entry.family))
    }
    guard !dots.isEmpty else { return "" }
    let line = isScene ? result.ssimOfStills.map { (value: $0 - 0.004, name: "the stills less 0.004") } : nil
    let chart = Chart.plane(
      dots, x: "kB a minute", y: "SSIM", lineAt: line, name: "Quality over bytes, one mark for each way")
    return """
      <section>
      <h2>Quality for these bytes</h2>
      <p>Structural similarity of what a viewer sees to \(isScene ? "the true scene" : "the pushed still"); left and up is better.</p>
      \(families)
      \(chart)
      </section>
      """
  }

  private static func colour(of family: String) -> String {
    switch family {
    case "JPEG": "var(--requests)"
    case "plain HLS": "var(--headers)"
    default: "var(--media)"
    }
  }

  private var latency: String {
    Chart.bars(
      measured.compactMap { entry in
        entry.latency.map {
          Chart.Bar(
            title: entry.title,
            slices: [Chart.Slice(name: "\(format($0, 2)) s", value: $0, colour: Self.colour(of: entry.family))],
            label: format($0, 2))
        }
      }, name: "Median latency by way")
  }

  private var visitors: String {
    Chart.bars(
      measured.compactMap { entry in
        guard let stream = entry.visitorsGB, let all = entry.visitorsWithPlayerGB else { return nil }
        let slices = [
          Chart.Slice(name: "stream \(format(stream, 2)) GB", value: stream, colour: Self.colour(of: entry.family)),
          Chart.Slice(
            name: "page and player \(format(all - stream, 2)) GB", value: all - stream, colour: "var(--pale)"),
        ]
        return Chart.Bar(
          title: entry.title, slices: slices,
          label: all > stream ? "\(format(stream, 2)) + \(format(all - stream, 2))" : format(stream, 2))
      }, name: "Gigabytes of 9,000 visitors by way")
  }

  private var table: String {
    let heads = [
      "way", "kB/min", "of polling", "media", "playlists", "headers", "requests", "framing", "join, kB", "player, kB",
      "SSIM to still", "SSIM to scene", "VMAF", "latency, s", "95 %", "shown", "9,000 × 1 min, GB", "100 all month, GB",
    ]
    let rows = result.entries.map { entry -> String in
      let bytes = entry.perMinute
      var cells: [String] = [kilobytes(bytes?.total), entry.ofPolling.map { format(100 * $0, 1) + " %" } ?? "–"]
      for kind in Self.kinds { cells.append(kilobytes(bytes?[keyPath: kind.path])) }
      cells += [kilobytes(entry.join?.total), kilobytes(entry.playerBytes)]
      cells += [format(entry.ssimToStill, 4), format(entry.ssimToScene, 4), format(entry.vmaf, 1)]
      cells += [format(entry.latency, 2), format(entry.latency95, 2)]
      cells.append(entry.shown.map { "\($0)/\(result.pushed)" } ?? "–")
      cells += [format(entry.visitorsGB, 2), format(entry.monthGB, 0)]
      return "<tr><th scope=\"row\">\(Chart.escape(entry.title))</th>"
        + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
    }
    return "<div class=\"scroll\"><table><thead><tr>" + heads.map { "<th scope=\"col\">\($0)</th>" }.joined()
      + "</tr></thead><tbody>" + rows.joined(separator: "\n") + "</tbody></table></div>"
  }

  private var checks: String {
    guard !result.checks.isEmpty else { return "" }
    return "<h3>The kernel’s count beside ours</h3><ul>"
      + result.checks.map {
        "<li>\(Chart.escape($0.way.title)): \($0.counted) bytes counted, \($0.kernel) by <code>ss</code>, "
          + "\(format($0.difference, 3)) % apart</li>"
      }.joined() + "</ul>"
  }

  private var explanations: String {
    result.entries.map { entry in
      "<dt>\(Chart.escape(entry.title))</dt><dd>\(Chart.escape(entry.note))"
        + (entry.problem.map { " <em>\(Chart.escape($0))</em>" } ?? "") + "</dd>"
    }.joined(separator: "\n")
  }

  private func kilobytes(_ bytes: Int?) -> String {
    bytes.map { format(Double($0) / 1000, $0 < 99_950 ? 1 : 0) } ?? "–"
  }

  private func format(_ number: Double?, _ decimals: Int) -> String {
    number.map { String(format: "%.\(decimals)f", $0) } ?? "–"
  }

  private static let style = """
    :root{color-scheme:light dark;--back:#fbfaf8;--text:#22252a;--soft:#6c727b;--line:#dedbd5;--card:#fff;
    --media:#2f6f9f;--playlists:#e0a03a;--headers:#7d9b5c;--requests:#c0634f;--framing:#8d84b4;--pale:#bfc6cf}
    @media (prefers-color-scheme:dark){:root{--back:#15171a;--text:#e6e7ea;--soft:#979da8;--line:#30343b;--card:#1d2025;
    --media:#63a5d8;--playlists:#e4b35f;--headers:#98b977;--requests:#dd8470;--framing:#a79fd0;--pale:#4a515c}}
    *{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--text);
    font:16px/1.5 system-ui,"DejaVu Sans",sans-serif}main{max-width:1060px;margin:0 auto;padding:2.5rem 1.25rem 4rem}
    h1{font-size:2rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.2rem;margin:0 0 .25rem}h3{font-size:1rem;margin:1.5rem 0 .25rem}
    .lead{font-size:1.15rem;margin:0 0 .5rem}.facts,section>p,dd,li{color:var(--soft)}.facts{font-size:.9rem;margin:0}
    section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.25rem 1.5rem;margin-top:1.5rem}
    .warning{border-left:4px solid var(--requests);padding:.4rem .8rem;margin:1rem 0 0;background:var(--card)}
    section>p{margin:0 0 .75rem;font-size:.92rem}svg{width:100%;height:auto;display:block}
    svg text{fill:var(--text);font:13px system-ui,"DejaVu Sans",sans-serif}svg .value{fill:var(--soft)}svg .axis{fill:var(--soft)}
    svg .grid{stroke:var(--line);stroke-width:1}svg .mark{stroke:var(--requests);stroke-width:1.5;stroke-dasharray:6 4}
    .legend span{margin-right:1.25rem;white-space:nowrap}.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;
    margin-right:.4em;vertical-align:-.05em}.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.82rem;
    font-variant-numeric:tabular-nums}th,td{padding:.35rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
    th{font-weight:600}tbody th,thead th:first-child{text-align:left;font-weight:500;position:sticky;left:0;background:var(--card)}
    .wide{width:min(1500px,96vw);margin-left:50%;transform:translateX(-50%)}
    dt{font-weight:600;margin-top:.6rem}dd{margin:0;font-size:.92rem}ul{margin:0;padding-left:1.2rem;font-size:.9rem}em{color:var(--requests)}
    """
}
