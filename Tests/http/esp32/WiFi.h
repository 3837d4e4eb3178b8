#pragma once
#include "Arduino.h"

class WiFiClient {
  int socket_ = -1;
  bool ended = false;

public:
  ~WiFiClient() { stop(); }
  void setTimeout(int seconds) { timeout = seconds; }
  int connect(const char *host, uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host, &address.sin_addr);
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    timeval limit = {timeout, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return ::connect(socket_, (sockaddr *)&address, sizeof address) == 0;
  }
  size_t write(const uint8_t *bytes, size_t count) {
    ssize_t sent = send(socket_, bytes, count < 700 ? count : 700, MSG_NOSIGNAL);  // Not always all that was asked.
    return sent > 0 ? sent : 0;
  }
  void printf(const char *format, ...) {
    char text[1024];
    va_list list;
    va_start(list, format);
    int count = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (int sent = 0; sent < count;) sent += write((const uint8_t *)text + sent, count - sent);
  }
  bool connected() { return socket_ >= 0 && !ended; }
  int available() {
    char byte;
    return socket_ >= 0 && recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }
  String readStringUntil(char end) {
    std::string text;
    char byte;
    while (true) {
      ssize_t count = recv(socket_, &byte, 1, 0);
      if (count <= 0) ended = true;
      if (count <= 0 || byte == end) break;
      text += byte;
    }
    return text;
  }
  void stop() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }

private:
  int timeout = 1;
};
