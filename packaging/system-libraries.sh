#!/bin/sh
# Make sure that the libraries Qt needs from the system are there, and packages that are named: install them as root,
# else say how.
set -eu

packages="libglib2.0-0 libgl1 libegl1 libdbus-1-3 libfontconfig1 libxkbcommon0 libxcb-cursor0 libxcb-icccm4
libxcb-keysyms1 libxcb-shape0 libxkbcommon-x11-0 $*"
python3 -c "import ensurepip" 2>/dev/null || packages="$packages python3-venv"

command -v dpkg-query >/dev/null 2>&1 || exit 0   # not a Debian: the window says itself what is missing

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -q '^installed$'; }

missing=""
for package in $packages; do
    installed "$package" || installed "${package}t64" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
    echo "installing:$missing"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "System packages are missing. Install them with" >&2
    echo "    sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
