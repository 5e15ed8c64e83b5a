#!/usr/bin/env bash
# Run the program and its tests for Windows in the place that build.sh has made:
#     check.sh FOLDER [TESTS...|all|none]      results, counts and screenshots are left in C:\out of FOLDER
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

# on_screen NAME ARGUMENTS...: run the program on an X server of its own, and photograph its window
on_screen=(./w bash -c '
    picture="/h/prefix/drive_c/out/$1.png"
    shift
    Xvfb :77 -screen 0 1366x768x24 -nolisten tcp &
    screen=$!
    trap "kill $screen" EXIT
    sleep 3
    export DISPLAY=:77
    cd /h/prefix/drive_c/mattecam
    engines() { cat /h/prefix/drive_c/users/*/AppData/Local/mattecam/logs/mattecam.log | grep -c "The engine is"; }
    before=$(engines)
    wine "C:\\Python311\\python.exe" -m mattecam "$@" &
    window=$!
    ends=$((SECONDS + 600))
    until xdotool search --onlyvisible --name Mattecam >/dev/null 2>&1 || ((SECONDS > ends)); do
        sleep 2
    done
    until (($(engines) > before)) || ((SECONDS > ends)); do
        sleep 2
    done
    sleep 5 # until it shows frames
    import -window root "$picture"
    wait "$window"
' _)

# What differs most between systems: files, processes, pipes, devices, and the window.
first=(tests/test_run.py tests/api tests/capture tests/config tests/control tests/core tests/doctor tests/gui tests/output
    tests/system)

counts() { # counts RESULTS.xml: what passed, failed and was skipped in each folder of tests
    python3 - "$1" <<'COUNTS'
import collections, sys
import xml.etree.ElementTree as tree
counts = collections.defaultdict(collections.Counter)
for case in tree.parse(sys.argv[1]).getroot().iter("testcase"):
    outcomes = {child.tag for child in case} & {"failure", "error", "skipped"}
    if not outcomes:
        outcome = "passed"
    elif outcomes == {"skipped"}:
        outcome = "skipped"
    else:
        outcome = "failed"
    for part in (case.get("classname").split(".")[1], "all"):
        counts[part][outcome] += 1
for part, found in counts.items():
    print(f"{part}: {found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped")
COUNTS
}

tests() { # tests FOLDERS...: one run with two processes, and the counts of each folder
    local failed=0
    step 200m tests ./wpy -m pytest -q -n 2 --max-worker-restart=20 --timeout 300 -p no:cacheprovider \
        -m "not slow and not vm and not long" --junitxml 'C:\out\tests.xml' "$@" || failed=1
    counts "$out/tests.xml" | tee "$out/tests.txt"
    return "$failed"
}

echo '{}' >"$out/settings.json" # nothing but what each step says
shown=(--source demo --size 640x360 --model mattecam)
demo=("${shown[@]}" --config 'C:\out\settings.json')
mattecam=(./wpy -m mattecam)

step 5m version "${mattecam[@]}" version
# Minutes on a quiet machine, and many on a busy one: before what has a limit of its own.
step 60m kernels ./wpy -c '
import importlib
from app.matting.choice.trials import KERNELS
for name in KERNELS:
    importlib.import_module(name)
'
step 15m headless "${mattecam[@]}" headless "${demo[@]}" --frames 60 --virtual-camera off --record 'C:\out\recorded.mp4'
step 15m convert "${mattecam[@]}" convert 'C:\out\recorded.mp4' 'C:\out\converted.mp4' --background blur
# Without a camera, and without OBS, the doctor has problems to name, and a code that says so.
step 5m doctor bash -c '"$@" || (($? == 1))' _ "${mattecam[@]}" doctor --json

# The key by which OBS's filter is found; its memory is read by a second program.
./w wine reg add 'HKCR\CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}' /ve /d OBS /f >/dev/null
"${mattecam[@]}" headless "${demo[@]}" --seconds 60 --virtual-camera auto >"$out/sender.log" 2>&1 &
sender=$!
cp "$here/reader.py" prefix/drive_c/reader.py
step 10m reader ./wpy 'C:\reader.py' 30 'C:\out\received.png'
wait "$sender" || true

for theme in light dark; do
    echo "{\"window\": {\"theme\": \"$theme\", \"language\": \"de\"}}" >"$out/$theme.json"
    ./w wineserver -k || true # what has begun without a screen shows no window
    step 20m "$theme" "${on_screen[@]}" "$theme" "${shown[@]}" --config "C:\\out\\$theme.json" --frames 600 --virtual-camera off
done
for file in recorded.mp4 converted.mp4 received.png light.png dark.png; do
    [[ -s "$out/$file" ]]
done

if [[ "${1:-}" == none ]]; then
    echo "== Windows: all checks but the tests passed; look at $out/light.png and dark.png"
    exit
fi
[[ $# -gt 0 ]] || set -- "${first[@]}"
[[ "$1" != all ]] || set -- tests
tests "$@"
echo "== Windows: all checks passed; look at $out/light.png and dark.png"
