#pragma once
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavdevice/avdevice.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libavutil/pixelutils.h>
#include <libswscale/swscale.h>

// Swift does not import macros with casts or arguments. Quietcam needs these.

static inline int qc_error_again(void) { return AVERROR(EAGAIN); }
static inline int qc_error_eof(void) { return AVERROR_EOF; }
static inline int qc_error_exit(void) { return AVERROR_EXIT; }
static inline int qc_error_invalid_data(void) { return AVERROR_INVALIDDATA; }
static inline int qc_error_no_memory(void) { return AVERROR(ENOMEM); }
static inline int qc_error_unsupported(void) { return AVERROR_PATCHWELCOME; }
static inline int64_t qc_no_pts(void) { return AV_NOPTS_VALUE; }

// A file in memory, without a name, that the programs which this one starts do not get; -1 where there is none.
// (`memfd_create` with MFD_CLOEXEC: its header hides it without _GNU_SOURCE.)
extern int memfd_create(const char *name, unsigned int flags);
static inline int qc_memory_file(const char *name) { return memfd_create(name, 1); }

// The display matrix that a container gives for a stream, nine numbers of 16.16 bits; null where it gives none.
static inline const int32_t *qc_display_matrix(const AVStream *stream) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
  const AVPacketSideData *data = av_packet_side_data_get(
      stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return data && data->size >= 36 ? (const int32_t *)data->data : NULL;
#else
  size_t size = 0;
  const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data && size >= 36 ? (const int32_t *)data : NULL;
#endif
}
