import CFFmpeg
import Media

/// A configured libavfilter graph with one input and one output.
struct FilterGraph: ~Copyable {
  private let graph: UnsafeMutablePointer<AVFilterGraph>
  private let source: UnsafeMutablePointer<AVFilterContext>
  private let sink: UnsafeMutablePointer<AVFilterContext>
  private let chain: String

  /// Parses and configures `chain` for full-range pictures of this size and format.
  init(_ chain: String, size: PictureSize, format: AVPixelFormat) throws(FFmpegError) {
    let parts = try Self.configure(chain, size: size, format: format)
    (graph, source, sink) = parts
    self.chain = chain
  }

  deinit {
    var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
    avfilter_graph_free(&graph)
  }

  private typealias Parts = (
    UnsafeMutablePointer<AVFilterGraph>, UnsafeMutablePointer<AVFilterContext>, UnsafeMutablePointer<AVFilterContext>
  )

  private static func configure(_ chain: String, size: PictureSize, format: AVPixelFormat) throws(FFmpegError) -> Parts
  {
    let graph = try allocated(avfilter_graph_alloc(), "avfilter_graph_alloc")
    do throws(FFmpegError) {
      graph.pointee.nb_threads = 1  // Cameras share the encode threads; a graph must not make its own.
      var source: UnsafeMutablePointer<AVFilterContext>?
      var sink: UnsafeMutablePointer<AVFilterContext>?
      let input = "video_size=\(size):pix_fmt=\(format.rawValue):time_base=1/90000:pixel_aspect=1/1"
      try checked(
        avfilter_graph_create_filter(&source, avfilter_get_by_name("buffer"), "in", input, nil, graph),
        "filter buffer=\(input)")
      try checked(
        avfilter_graph_create_filter(&sink, avfilter_get_by_name("buffersink"), "out", nil, nil, graph),
        "filter buffersink")
      var outputs = avfilter_inout_alloc()
      var inputs = avfilter_inout_alloc()
      defer {
        avfilter_inout_free(&outputs)
        avfilter_inout_free(&inputs)
      }
      outputs?.pointee.name = av_strdup("in")
      outputs?.pointee.filter_ctx = source
      inputs?.pointee.name = av_strdup("out")
      inputs?.pointee.filter_ctx = sink
      try checked(avfilter_graph_parse_ptr(graph, chain, &inputs, &outputs, nil), "avfilter_graph_parse_ptr \(chain)")
      try checked(avfilter_graph_config(graph, nil), "avfilter_graph_config \(chain)")
      guard let source, let sink else {
        throw FFmpegError(code: FFmpegError.noMemory, call: "avfilter_graph_create_filter")
      }
      return (graph, source, sink)
    } catch {
      var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
      avfilter_graph_free(&graph)
      throw error
    }
  }

  /// Sends one picture through the graph; every filter of ours answers one for one.
  func process(_ frame: borrowing Frame) throws(FFmpegError) -> Frame {
    let fed = av_buffersrc_add_frame_flags(source, frame.pointer, Int32(AV_BUFFERSRC_FLAG_KEEP_REF))
    try checked(fed, "av_buffersrc_add_frame \(chain)")
    let output = try Frame()
    try checked(av_buffersink_get_frame(sink, output.pointer), "av_buffersink_get_frame \(chain)")
    return output
  }
}
