#!/usr/bin/env bash
# Installs what building (setup.sh build), testing (setup.sh test) or packing (setup.sh deb) needs and the machine lacks;
# Swift itself is only asked for (setup.sh swift). Quick when nothing is missing. On systems without apt it says what to
# install.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "setup: $*" >&2
  exit 1
}

# Debian packages, installed only if dpkg does not have them.
install() {
  local missing=()
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing, and only root can install them: ${missing[*]}"
    root=(sudo)
  fi
  echo "setup: installing ${missing[*]}"
  local log status denies=
  policy=/usr/sbin/policy-rc.d
  log=$(mktemp)
  # Only programs and libraries are wanted: Debian would also start the servers among them, now and at each boot.
  if [ ! -e $policy ]; then
    denies=yes
    trap '"${root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" env install -m 755 /dev/stdin $policy
  fi
  {
    "${root[@]}" apt-get update &&
      "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "${missing[@]}"
  } >"$log" 2>&1 && status=0 || status=$?
  if [ -n "$denies" ]; then
    "${root[@]}" rm -f "$policy"
    trap - EXIT
  fi
  if [ "$status" -ne 0 ]; then
    tail -20 "$log" >&2
    fail "apt-get could not install: ${missing[*]}"
  fi
  rm -f "$log"
  command -v systemctl >/dev/null || return 0
  local server
  for server in apache2 caddy haproxy nginx varnish varnishncsa; do
    [[ " ${missing[*]} " != *" ${server%ncsa}"[-\ ]* ]] || "${root[@]}" systemctl disable --quiet $server 2>/dev/null || true
  done
}

check_swift() {
  command -v swift >/dev/null || fail "Swift 6.2 or later is missing; see https://www.swift.org/install"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -1)
  local major=${version%%.*} minor=${version#*.}
  [ "${major:-0}" -gt 6 ] || { [ "${major:-0}" -eq 6 ] && [ "${minor:-0}" -ge 2 ]; } ||
    fail "Swift 6.2 or later is needed and this is ${version:-unknown}; see https://www.swift.org/install"
}

build() {
  check_swift
  if command -v apt-get >/dev/null; then
    install pkg-config libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev libswscale-dev \
      liblcms2-dev zlib1g-dev libbrotli-dev brotli libzstd-dev libsqlite3-dev
    command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 || install python3 python3-pip
  fi
  local module
  for module in libavcodec libavdevice libavfilter libavformat libavutil libswscale lcms2 zlib libbrotlienc libzstd sqlite3; do
    pkg-config --exists "$module" 2>/dev/null ||
      fail "the development files of $module are missing; install FFmpeg 5 or later with libx264, Little CMS 2, SQLite 3, brotli, Zstandard and zlib"
  done
}

# Servers of which the tests use a program, unpacked below .build: installing one would start it, and the FTP servers
# cannot be installed beside one another.
unpack() {
  local folder=$1 package=$2 program=$3
  [ -x "$folder/$program" ] && return
  mkdir -p "$folder/packages"
  (cd "$folder/packages" && apt-get download -q "$package" >/dev/null 2>&1 && dpkg-deb -x "$package"_*.deb ..) || {
    echo "setup: cannot download $package; its tests will be skipped" >&2
  }
}

# Programs that judge what Quietcam makes, real browsers among them, and a Python of the project's own.
test() {
  command -v apt-get >/dev/null || fail "the tests need Debian or Ubuntu; see .ci/test-packages.txt for what they use"
  # shellcheck disable=SC2046
  install $(grep -v '^#' .ci/test-packages.txt)
  unpack .build/ftp vsftpd usr/sbin/vsftpd
  unpack .build/ftp pure-ftpd usr/sbin/pure-ftpd
  unpack .build/prometheus prometheus usr/bin/promtool
  local stamp=.build/python/requirements.txt
  if ! cmp -s Tests/browser/requirements.txt "$stamp"; then
    python3 -m venv .build/python 2>/dev/null || { install python3-venv && python3 -m venv .build/python; }
    .build/python/bin/python -m pip install -q --disable-pip-version-check -r Tests/browser/requirements.txt
    # Only its script is used, which Chromium and Firefox run: no need for the driver that it depends on.
    .build/python/bin/python -m pip install -q --disable-pip-version-check --no-deps axe-playwright-python==0.1.8
    cp Tests/browser/requirements.txt "$stamp"
  fi
}

# What makes the Debian package, and a bare Debian to try it in.
deb() {
  command -v apt-get >/dev/null || fail "the package is made on Debian or Ubuntu"
  install debhelper debootstrap lintian man-db patchelf
}

case "${1:-}" in
  swift) check_swift ;;
  build) build ;;
  test) test ;;
  deb) deb ;;
  *) fail "usage: setup.sh swift|build|test|deb" ;;
esac
