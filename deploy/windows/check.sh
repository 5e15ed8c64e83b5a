#!/usr/bin/env bash
# Run the program and its tests for Windows in the place that build.sh has made:
#     check.sh FOLDER [TESTS...]      results and the screenshot are left in FOLDER/out
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
project="$(cd "$here/../.." && pwd)"
place="$(cd "$1" && pwd)"
shift
program="$place/prefix/drive_c/mattecam"
out="$place/prefix/drive_c/out"
rm -rf "$program" "$out"
mkdir -p "$program" "$out"
# The tracked files alone: an environment of Linux beside run.py would be replaced.
git -C "$project" ls-files -z | tar -c -C "$project" --null -T - -f - | tar -x -C "$program" -f -
cd "$place"

step() { # step LIMIT NAME COMMAND...: print what is done, and its log where it fails
    local limit="$1" name="$2"
    shift 2
    echo "== Windows: $name"
    timeout --kill-after=30s "$limit" "$@" >"$out/$name.log" 2>&1 || {
        tail -n 40 "$out/$name.log"
        echo "== failed: $name"
        return 1
    }
    tail -n 1 "$out/$name.log"
}

on_screen() { # on_screen COMMAND...: run it on an X server of its own, and photograph the window after a minute
    ./w bash -c '
        Xvfb :77 -screen 0 1366x768x24 &
        screen=$!
        trap "kill $screen" EXIT
        sleep 3
        cd /h/prefix/drive_c/mattecam
        DISPLAY=:77 wine "C:\\Python311\\python.exe" "$@" &
        window=$!
        sleep 75
        DISPLAY=:77 import -window root /h/prefix/drive_c/out/window.png
        wait "$window"
    ' _ "$@"
}

echo '{}' >"$out/settings.json" # nothing but what each step says
demo=(--source demo --size 640x360 --model mattecam --config 'C:\out\settings.json')

step 5m version ./wpy run.py version
step 15m headless ./wpy run.py headless "${demo[@]}" --frames 60 --virtual-camera off --record 'C:\out\recorded.mp4'
step 15m convert ./wpy run.py convert 'C:\out\recorded.mp4' 'C:\out\converted.mp4' --background blur
step 5m doctor ./wpy run.py doctor --json || true # without a camera, and without OBS, it has problems to name

# The key by which OBS's filter is found; its memory is read by a second program.
./w wine reg add 'HKCR\CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}' /ve /d OBS /f >/dev/null
./wpy run.py headless "${demo[@]}" --seconds 60 --virtual-camera auto >"$out/sender.log" 2>&1 &
sender=$!
cp "$here/reader.py" prefix/drive_c/reader.py
step 5m reader ./wpy 'C:\reader.py' 45 'C:\out\received.png'
wait "$sender" || true

step 10m window on_screen run.py "${demo[@]}" --frames 400 --virtual-camera off
[[ -s "$out/recorded.mp4" && -s "$out/converted.mp4" && -s "$out/received.png" && -s "$out/window.png" ]]

step 180m tests ./wpy -m pytest -q -n 2 -p no:cacheprovider -m "not slow and not vm and not long" "$@"
echo "== Windows: all checks passed; look at $out/window.png"
