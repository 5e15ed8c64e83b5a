#!/bin/bash
# Runs in the bed as root: lends the host's interpreter where the guest can mount host folders, then the checks. Its disk is thrown away afterwards.
set -uo pipefail
export PYTHONDONTWRITEBYTECODE=1 OPENCV_LOG_LEVEL=ERROR HOME=/root
chmod 711 /root  # the lent interpreter may lie in there, and ordinary users run it too
mkdir -p /run/systemd/{seats,sessions,users,machines}  # WirePlumber does not start without these folders of logind
cd /mnt/host
for folder in ${LEND-}; do
  mkdir -p "$folder"
  mount -t hostfs -o "$folder" none "$folder" 2>/dev/null || true
done
if [ -n "${LOOPBACK_KO-}" ]; then
  find "/lib/modules/$(uname -r)" -name 'v4l2loopback.ko*' -delete
  install -D "$LOOPBACK_KO" "/lib/modules/$(uname -r)/updates/v4l2loopback.ko"
  depmod
fi
if [ -n "${PACKAGE-}" ]; then
  # The libraries of windows are not in this guest; tests/packaging proves that what the package depends on is enough.
  dpkg --force-depends --install "$PACKAGE" >/tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }
  export PROGRAM=/usr/bin/mattecam
fi
if ! "${PROGRAM_PYTHON:-/none}" -c 'import numpy' 2>/dev/null; then
  unset PROGRAM_PYTHON
fi
echo "v4l2loopback $(modinfo -F version v4l2loopback)"
"${PROGRAM_PYTHON:-python3}" -m pytest -c device_bed/bed.ini device_bed ${1:+-k "$*"}
rc=$?
sleep 3  # another process copies the output to the host, and may be late on a loaded machine
exit $rc
