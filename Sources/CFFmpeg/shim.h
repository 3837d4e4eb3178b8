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
