#pragma once
#include <lcms2.h>

// Swift imports no macros with casts or arguments.

static inline cmsUInt32Number qc_lcms_rgb(void) { return TYPE_RGB_8; }
static inline cmsUInt32Number qc_lcms_gray(void) { return TYPE_GRAY_8; }
