// As much of Arduino's core and of the ESP32's libraries as the sketch in the handbook uses, on a computer's sockets.
#pragma once
#include <arpa/inet.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

class String {
  std::string text;

public:
  String(const char *text = "") : text(text) {}
  String(const std::string &text) : text(text) {}
  unsigned length() const { return text.size(); }
  const char *c_str() const { return text.c_str(); }
  bool startsWith(const char *start) const { return text.rfind(start, 0) == 0; }
  int indexOf(const char *piece) const {
    size_t at = text.find(piece);
    return at == std::string::npos ? -1 : (int)at;
  }
  String substring(unsigned from) const { return from < text.size() ? text.substr(from) : ""; }
  String substring(unsigned from, unsigned to) const {
    return from < text.size() && from < to ? text.substr(from, to - from) : "";
  }
  long toInt() const { return atol(text.c_str()); }
};

struct SerialPort {
  void printf(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    fflush(stdout);
  }
};
inline SerialPort Serial;

inline void delay(uint32_t milliseconds) { usleep(milliseconds * 1000); }
