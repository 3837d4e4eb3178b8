#!/usr/bin/env bash
# Makes the Debian package of a program that is built, and says where it is and how large:
#
#   build-deb.sh PROGRAM CHECKOUTS FOLDER [VERSION]
#
# CHECKOUTS is the folder with the sources of the Swift packages that are linked in, for their notices. The version is the
# program's own unless another is given, as the tests of upgrades do. Needs debhelper (.ci/setup.sh deb).
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: $0 PROGRAM CHECKOUTS FOLDER [VERSION]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
program=$(realpath "$1") checkouts=$(realpath "$2")
mkdir -p "$3"
folder=$(realpath "$3")
version=${4:-$("$program" --version)}

work=$(mktemp -d "$folder/package.XXXXXX")
trap 'rm -rf "$work"' EXIT
source=$work/quietcam
mkdir -p "$source"/{completions/{bash,zsh,fish},handbook,notices}
cp -r "$here/debian" "$source/"
cp "$here"/quietcam.{service,socket} "$source/debian/"
cp "$here"/{quietcam.yaml,grafana-dashboard.json} "$root/README.md" "$source/"
cp "$program" "$source/quietcam"
# Nothing is to be looked for where Swift was on the machine that built it.
patchelf --remove-rpath "$source/quietcam"
cp -r "$root"/Sources/quietcam/Handbook.docc/. "$source/handbook/"
# In the package the handbook is beside the README.
sed -i 's|Sources/quietcam/Handbook\.docc/|handbook/|g' "$source/README.md"
sed -i 's|(\.\./\.\./\.\./README\.md|(../README.md|g' "$source"/handbook/*.md

for shell in bash zsh fish; do
  "$program" --generate-completion-script "$shell" >"$work/completion"
  case $shell in
    # It is read by the shell, not run.
    bash) sed '1{/^#!/d}' "$work/completion" >"$source/completions/bash/quietcam" ;;
    zsh) cp "$work/completion" "$source/completions/zsh/_quietcam" ;;
    fish) cp "$work/completion" "$source/completions/fish/quietcam.fish" ;;
  esac
done
python3 "$here/manpages.py" "$program" "$source/man"

# What is linked in must be in the copyright file, and its notices in the package.
for package in "$checkouts"/*/; do
  name=$(basename "$package")
  grep -Eq "linked/${name//./\\.}( |$)" "$here/debian/copyright" ||
    { echo "build-deb: $name is linked in and not named in $here/debian/copyright; add it there" >&2; exit 1; }
  for notice in "$package"NOTICE*; do
    [ ! -f "$notice" ] || cp "$notice" "$source/notices/$name.txt"
  done
done

date=$(git -C "$root" log -1 --format=%cD 2>/dev/null || date -R)
cat >"$source/debian/changelog" <<CHANGELOG
quietcam ($version) unstable; urgency=medium

  * Made of the project's sources; their history says what changed.

 -- Quietcam's maintainers <maintainers@quietcam.example>  $date
CHANGELOG

(cd "$source" && DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage --build=binary --unsigned-changes --no-check-builddeps \
  >"$work/log" 2>&1) || { tail -40 "$work/log" >&2; exit 1; }
package=quietcam_${version}_amd64.deb
mv "$work/$package" "$folder/"
echo "$folder/$package: $(du -k --apparent-size "$folder/$package" | cut -f 1) kB," \
  "$(dpkg-deb -f "$folder/$package" Installed-Size) kB installed"
