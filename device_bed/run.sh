#!/bin/bash
# Builds the test bed (a throw-away Linux with a real V4L2 kernel) and runs the device checks in it.
#   device_bed/run.sh [EXPRESSION]      as pytest's -k takes it, such as `source or contract`; without one: all of them
# MATTECAM_BED: the folder with build.sh and run.sh (default ../shared/vm beside the repository)
# VM_DIR: where the bed is built, 6 GiB (default /tmp/vm); building takes about 7 minutes, once. Needs root.
# VM_EXTRA_PKGS: packages of the guest beside those of build.sh; checks without their program are skipped
# PYTHON: an interpreter with the program's packages; its folders are lent to the guest where the guest can mount them
# LOOPBACK: the version of Debian's v4l2loopback-dkms to test (0.13.2-1~bpo12+1, 0.15.0-2, 0.15.4-2), in place of that
#   of the guest's suite; fetched by name from the folder of apt's own package, and built for the user-mode kernel alone
# PACKAGE: a Debian package of the program; checks named program_... run the program that it installs, with its network
# SLACK: factor on the limits of time (1), for a machine that does other work; STEADY_S: how long the rate is watched (60)
# STARTS: how often a browser opens the camera (4); the twenty of a version run by hand
# Exit codes: 0 passed, 1 a check failed, 3 there is no bed here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
bed=${MATTECAM_BED:-$root/../shared/vm}
python=${PYTHON:-$(command -v python3)}
if [ ! -x "$bed/build.sh" ] || [ ! -x "$bed/run.sh" ]; then
  echo "device_bed: there is no test bed in $bed, so nothing was checked on real devices" >&2
  exit 3
fi
export VM_DIR=${VM_DIR:-/tmp/vm}
# what the guest's own interpreter gets, in the versions of the program: enough for the checks without a network
wanted='^(aiohttp|av|numpy|opencv-python-headless|pillow|platformdirs|psutil|pydantic|pytest|pyvirtualcam|rich|typer|typing-extensions)=='
VM_PIP=$(cat "$root"/requirements{,-dev}.txt | grep -E "$wanted" | grep -v 'python_version < ' | sed 's/;.*//' | tr '\n' ' ')
export VM_PIP
export VM_EXTRA_PKGS=${VM_EXTRA_PKGS-firefox-esr}
[ -s "$VM_DIR/stamp.img" ] || nice -n 15 "$bed/build.sh" >&2
LEND=$("$python" -c 'import sys; print(sys.prefix, sys.base_prefix)')
LOOPBACK_KO=
if [ -n "${LOOPBACK:-}" ]; then
  built=$VM_DIR/loopback-$LOOPBACK
  LOOPBACK_KO=$built/v4l2loopback.ko
  if [ ! -s "$LOOPBACK_KO" ]; then
    rm -rf "$built" && mkdir -p "$built"
    pool=$(dirname "$(apt-get download --print-uris v4l2loopback-dkms | cut -d"'" -f2)")
    curl -fsS -o "$built/package.deb" "$pool/v4l2loopback-dkms_${LOOPBACK}_all.deb" >&2 || {
      echo "device_bed: v4l2loopback $LOOPBACK cannot be fetched, so it was not checked" >&2
      exit 3
    }
    dpkg-deb -x "$built/package.deb" "$built/package"
    cp "$built"/package/usr/src/v4l2loopback-*/* "$built"
    make -C "$VM_DIR/uml/src" ARCH=um M="$built" modules >&2
  fi
  LEND="$LEND $built"
fi
if [ -n "${PACKAGE:-}" ]; then
  PACKAGE=$(realpath "$PACKAGE")
  LEND="$LEND $(dirname "$PACKAGE")"
fi
PROGRAM_PYTHON=$("$python" -c 'import sys; print(sys.executable)')
export LEND LOOPBACK_KO PROGRAM_PYTHON
export VM_ENV="LEND LOOPBACK_KO PROGRAM_PYTHON${PACKAGE:+ PACKAGE}${STEADY_S:+ STEADY_S}${STARTS:+ STARTS}${SLACK:+ SLACK}"
exec "$bed/run.sh" --share "$root" --timeout "${VM_TIMEOUT:-3600}" -- bash device_bed/in_guest.sh "$@"
