#pragma once
#include "Arduino.h"

// The driver: one frame buffer, which has to be given back before the next picture.
struct camera_fb_t {
  uint8_t *buf;
  size_t len;
};
camera_fb_t *esp_camera_fb_get();
void esp_camera_fb_return(camera_fb_t *picture);
