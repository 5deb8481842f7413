#!/bin/sh
# Run a command on a screen of its own with a window manager: sh packaging/on-a-screen.sh COMMAND...
set -eu

folder=$(mktemp -d)
trap 'kill $manager $server 2>/dev/null || true; rm -rf "$folder"' EXIT INT TERM

manager= server=
mkfifo "$folder/display"
Xvfb -displayfd 3 -screen 0 1920x1080x24 -nolisten tcp 3>"$folder/display" 2>"$folder/server" &
server=$!
read -r number <"$folder/display"
export DISPLAY=":$number" QT_QPA_PLATFORM=xcb XDG_CONFIG_HOME="$folder"
herbstluftwm --locked 2>"$folder/manager" &
manager=$!
sleep 1
"$@"
