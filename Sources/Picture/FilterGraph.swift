import CFFmpeg
import Media

/// A configured libavfilter graph with one or more inputs and one output.
struct FilterGraph: ~Copyable {
  /// An input for pictures of one shape, and its label in the chain.
  typealias Input = (label: String, size: PictureSize, format: AVPixelFormat)

  private let graph: UnsafeMutablePointer<AVFilterGraph>
  private let sources: [UnsafeMutablePointer<AVFilterContext>]
  private let sink: UnsafeMutablePointer<AVFilterContext>
  private let chain: String

  /// Parses and configures `chain` for full-range pictures of this size and format.
  init(_ chain: String, size: PictureSize, format: AVPixelFormat) throws(FFmpegError) {
    try self.init(chain, inputs: [("in", size, format)])
  }

  /// Parses and configures `chain`, whose open inputs have the labels of `inputs`.
  init(_ chain: String, inputs: [Input]) throws(FFmpegError) {
    let parts = try Self.configure(chain, inputs: inputs)
    (graph, sources, sink) = parts
    self.chain = chain
  }

  deinit {
    var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
    avfilter_graph_free(&graph)
  }

  private typealias Parts = (
    UnsafeMutablePointer<AVFilterGraph>, [UnsafeMutablePointer<AVFilterContext>], UnsafeMutablePointer<AVFilterContext>
  )

  private static func configure(_ chain: String, inputs: [Input]) throws(FFmpegError) -> Parts {
    let graph = try allocated(avfilter_graph_alloc(), "avfilter_graph_alloc")
    do throws(FFmpegError) {
      graph.pointee.nb_threads = 1  // Cameras share the encode threads; a graph must not make its own.
      var sources: [UnsafeMutablePointer<AVFilterContext>] = []
      var opened: UnsafeMutablePointer<AVFilterInOut>?
      var ends = avfilter_inout_alloc()
      defer {
        avfilter_inout_free(&opened)
        avfilter_inout_free(&ends)
      }
      for input in inputs.reversed() {
        var source: UnsafeMutablePointer<AVFilterContext>?
        let shape = "video_size=\(input.size):pix_fmt=\(input.format.rawValue):time_base=1/90000:pixel_aspect=1/1"
        try checked(
          avfilter_graph_create_filter(&source, avfilter_get_by_name("buffer"), input.label, shape, nil, graph),
          "filter buffer=\(shape)")
        sources.insert(try allocated(source, "avfilter_graph_create_filter"), at: 0)
        let end = try allocated(avfilter_inout_alloc(), "avfilter_inout_alloc")
        end.pointee.name = av_strdup(input.label)
        end.pointee.filter_ctx = source
        end.pointee.next = opened
        opened = end
      }
      var sink: UnsafeMutablePointer<AVFilterContext>?
      try checked(
        avfilter_graph_create_filter(&sink, avfilter_get_by_name("buffersink"), "out", nil, nil, graph),
        "filter buffersink")
      ends?.pointee.name = av_strdup("out")
      ends?.pointee.filter_ctx = sink
      try checked(avfilter_graph_parse_ptr(graph, chain, &ends, &opened, nil), "avfilter_graph_parse_ptr \(chain)")
      try checked(avfilter_graph_config(graph, nil), "avfilter_graph_config \(chain)")
      return (graph, sources, try allocated(sink, "avfilter_graph_create_filter"))
    } catch {
      var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
      avfilter_graph_free(&graph)
      throw error
    }
  }

  /// Sends one picture through the graph; every filter used here returns one for one.
  func process(_ frame: borrowing Frame) throws(FFmpegError) -> Frame { try process([frame.pointer]) }

  /// Sends one picture through each input; the graph returns one.
  func process(_ frames: [UnsafeMutablePointer<AVFrame>]) throws(FFmpegError) -> Frame {
    try process(frames, flags: Int32(AV_BUFFERSRC_FLAG_KEEP_REF))
  }

  /// Sends one picture through the graph, whose filters then need no memory for another where they can work on its own
  /// planes.
  func process(inPlace frame: consuming Frame) throws(FFmpegError) -> Frame { try process([frame.pointer], flags: 0) }

  private func process(_ frames: [UnsafeMutablePointer<AVFrame>], flags: Int32) throws(FFmpegError) -> Frame {
    for (source, frame) in zip(sources, frames) {
      try checked(av_buffersrc_add_frame_flags(source, frame, flags), "av_buffersrc_add_frame \(chain)")
    }
    let output = try Frame()
    try checked(av_buffersink_get_frame(sink, output.pointer), "av_buffersink_get_frame \(chain)")
    return output
  }
}
