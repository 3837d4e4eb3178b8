// The board around the sketch: the driver shows one file, the clock is a variable, and the loop runs a few times.
#include "Arduino.h"
#include <sys/time.h>
#include <time.h>
static timeval boardClock;
static int setBoardClock(const timeval *now, const void *) {
  boardClock = *now;
  return 0;
}
#define settimeofday setBoardClock
#define loop sketchLoop
#include SKETCH
#undef loop

static uint8_t bytes[1 << 20];
static camera_fb_t frame = {bytes, 0};
static bool isTaken;
camera_fb_t *esp_camera_fb_get() {
  if (isTaken) return nullptr;
  isTaken = true;
  FILE *file = fopen("newest.jpg", "rb");
  frame.len = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  return &frame;
}
void esp_camera_fb_return(camera_fb_t *) { isTaken = false; }

int main() {
  setenv("TZ", "UTC", 1);
  for (int count = 0; count < 3; count++) {
    printf("pause %u\n", upload());
    printf("clock %ld\n", (long)boardClock.tv_sec);
  }
}
