"""Native libraries inside the wheels: whose they are, under which licence, and where their sources
are.

Wheels state the licence of their own package only. `part_of_file` finds the entry of every shared
object; `write_licences` writes what licences ask for beside the libraries: notices, texts and an
offer of the sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

TEXTS = Path(__file__).with_name("texts")
COMMON = Path("/usr/share/common-licenses")
"""The long licences, on every Debian."""
OF_PACKAGE = "its package"
"""In place of a text: the licence file of the wheel has it."""
FILE = "LICENCES.txt"
OFFER = """\
Sources. This copy contains parts under the GNU GPL, LGPL and MPL. The sources of each part are at the address below it,
in the version that the package beside it was built of; the recipes of the wheels name that version. Whoever received
this copy from the publisher may also ask the publisher, for three years, for all of these sources on a medium, for no
more than the cost of making and sending it: {publisher}.
"""


@dataclass(frozen=True)
class Native:
    """A native part of somebody else."""

    name: str
    licence: str
    """As an SPDX expression."""
    copyright: str
    source: str
    texts: tuple[str, ...] = (OF_PACKAGE,)
    """Files of `TEXTS` without suffix, names in `COMMON`, or `OF_PACKAGE`."""


LGPL3 = ("LGPL-3", "GPL-3")
"""Version 3 of the LGPL is a supplement to the GPL."""
ALSA = Native(
    "alsa-lib",
    "LGPL-2.1-or-later",
    "1998-2024 Jaroslav Kysela and others",
    "https://www.alsa-project.org/files/pub/lib/",
    ("LGPL-2.1",),
)
AOM = Native(
    "libaom",
    "BSD-2-Clause",
    "2001-2025 Alliance for Open Media",
    "https://aomedia.googlesource.com/aom/",
    ("BSD-2-Clause", "AOM-Patent-1.0"),
)
AVIF = Native(
    "libavif",
    "BSD-2-Clause",
    "2019-2025 Joe Drago",
    "https://github.com/AOMediaCodec/libavif",
)
BROTLI = Native(
    "Brotli",
    "MIT",
    "2009-2025 the Brotli authors",
    "https://github.com/google/brotli",
)
CPYTHON = Native(
    "CPython",
    "PSF-2.0",
    "2001-2026 Python Software Foundation",
    "https://www.python.org/downloads/source/",
)
DAV1D = Native(
    "dav1d",
    "BSD-2-Clause",
    "2018-2025 VideoLAN and dav1d authors; Two Orioles, LLC",
    "https://downloads.videolan.org/pub/videolan/dav1d/",
    ("BSD-2-Clause", "AOM-Patent-1.0"),
)
DE265 = Native(
    "libde265",
    "LGPL-3.0-or-later",
    "2013-2025 struktur AG, Dirk Farin",
    "https://github.com/strukturag/libde265",
    LGPL3,
)
DRM = Native(
    "libdrm",
    "MIT",
    "2000-2024 Precision Insight, VA Linux Systems, Tungsten Graphics, Red Hat, Intel and others",
    "https://dri.freedesktop.org/libdrm/",
    ("MIT",),
)
FFMPEG = Native(
    "FFmpeg",
    "LGPL-3.0-or-later",
    "2000-2026 the FFmpeg developers",
    "https://ffmpeg.org/releases/",
    LGPL3,
)
FFI = Native(
    "libffi",
    "MIT",
    "1996-2024 Anthony Green, Red Hat, Inc and others",
    "https://github.com/libffi/libffi",
    ("MIT",),
)
FREETYPE = Native(
    "FreeType",
    "FTL OR GPL-2.0-only",
    "1996-2025 David Turner, Robert Wilhelm, and Werner Lemberg",
    "https://download.savannah.gnu.org/releases/freetype/",
)
GCC = Native(
    "GCC runtime",
    "GPL-3.0-or-later WITH GCC-exception-3.1",
    "Free Software Foundation, Inc.",
    "https://ftp.gnu.org/gnu/gcc/",
)
GMP = Native(
    "GMP",
    "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "1991-2023 Free Software Foundation, Inc.",
    "https://ftp.gnu.org/gnu/gmp/",
    LGPL3,
)
GNUTLS = Native(
    "GnuTLS",
    "LGPL-2.1-or-later",
    "2000-2025 Free Software Foundation, Inc., Nikos Mavrogiannopoulos and others",
    "https://www.gnupg.org/ftp/gcrypt/gnutls/",
    ("LGPL-2.1",),
)
HARFBUZZ = Native(
    "HarfBuzz",
    "MIT-Modern-Variant",
    "2005-2025 Behdad Esfahbod, Google, Red Hat and others",
    "https://github.com/harfbuzz/harfbuzz",
)
HEIF = Native(
    "libheif",
    "LGPL-3.0-or-later",
    "2017-2025 struktur AG, Dirk Farin",
    "https://github.com/strukturag/libheif",
    LGPL3,
)
HWLOC = Native(
    "hwloc",
    "BSD-3-Clause",
    "2004-2025 CNRS, Inria, Université Bordeaux, Cisco Systems and others",
    "https://www.open-mpi.org/software/hwloc/",
    ("BSD-3-Clause",),
)
ICU = Native(
    "ICU",
    "Unicode-3.0",
    "1991-2024 Unicode, Inc.",
    "https://github.com/unicode-org/icu",
    ("MIT",),
)
ICONV = Native(
    "GNU libiconv",
    "LGPL-2.1-or-later",
    "1999-2024 Free Software Foundation, Inc.",
    "https://ftp.gnu.org/gnu/libiconv/",
    ("LGPL-2.1",),
)
JPEG = Native(
    "libjpeg-turbo",
    "IJG AND BSD-3-Clause AND Zlib",
    "2009-2025 D. R. Commander; 1991-2020 Thomas G. Lane, Guido Vollbeding",
    "https://github.com/libjpeg-turbo/libjpeg-turbo",
)
LAME = Native(
    "LAME",
    "LGPL-2.0-or-later",
    "1998-2017 Michael Cheng, Mark Taylor, Robert Hegemann and others",
    "https://lame.sourceforge.io/",
    ("LGPL-2",),
)
LCMS = Native(
    "Little CMS",
    "MIT",
    "1998-2025 Marti Maria Saguer",
    "https://www.littlecms.com/",
)
LZMA = Native(
    "XZ Utils",
    "0BSD",
    "Lasse Collin, Igor Pavlov and others",
    "https://tukaani.org/xz/",
)
MICROSOFT = Native(
    "Microsoft Visual C++ runtime",
    "LicenseRef-Microsoft-Visual-Cpp-runtime",
    "Microsoft Corporation",
    "none; a system library of the compiler in the words of the GPL (docs/licences.md)",
    ("Microsoft-Visual-Cpp-runtime",),
)
NETTLE = Native(
    "Nettle",
    "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "2001-2025 Niels Möller",
    "https://ftp.gnu.org/gnu/nettle/",
    LGPL3,
)
OPENBLAS = Native(
    "OpenBLAS",
    "BSD-3-Clause",
    "2011-2025 the OpenBLAS project",
    "https://github.com/OpenMathLib/OpenBLAS",
)
OPENCORE = Native(
    "OpenCORE AMR",
    "Apache-2.0",
    "1998-2009 PacketVideo; 2009-2022 Martin Storsjö",
    "https://sourceforge.net/projects/opencore-amr/",
    ("Apache-2.0",),
)
OPENJPEG = Native(
    "OpenJPEG",
    "BSD-2-Clause",
    "2002-2025 Université catholique de Louvain and others",
    "https://github.com/uclouvain/openjpeg",
)
OPENSSL = Native(
    "OpenSSL 1.1",
    "OpenSSL",
    "1998-2021 the OpenSSL project; 1995-1998 Eric Young",
    "https://www.openssl.org/source/old/1.1.1/",
)
OPENSSL_3 = Native(
    "OpenSSL 3",
    "Apache-2.0",
    "1998-2024 the OpenSSL project",
    "https://github.com/openssl/openssl",
    ("Apache-2.0",),
)
OPENVINO = Native(
    "OpenVINO",
    "Apache-2.0",
    "2018-2026 Intel Corporation",
    "https://github.com/openvinotoolkit/openvino",
)
OPUS = Native(
    "Opus",
    "BSD-3-Clause",
    "2001-2025 Xiph.Org, Skype Limited, Octasic, Jean-Marc Valin, Timothy B. Terriberry, CSIRO and "
    "others",
    "https://opus-codec.org/downloads/",
    ("BSD-3-Clause",),
)
PNG = Native(
    "libpng",
    "libpng-2.0",
    "1995-2025 the PNG Reference Library authors",
    "http://www.libpng.org/pub/png/libpng.html",
)
QUADMATH = Native(
    "libquadmath",
    "LGPL-2.1-or-later",
    "Free Software Foundation, Inc.",
    "https://ftp.gnu.org/gnu/gcc/",
    ("LGPL-2.1",),
)
QT = Native(
    "Qt",
    "LGPL-3.0-only",
    "The Qt Company Ltd. and other contributors",
    "https://download.qt.io/official_releases/qt/",
    LGPL3,
)
QT_FFMPEG = Native(
    "FFmpeg",
    "LGPL-2.1-or-later",
    "2000-2025 the FFmpeg developers",
    "https://ffmpeg.org/releases/",
    ("LGPL-2.1",),
)
SVT_AV1 = Native(
    "SVT-AV1",
    "BSD-3-Clause-Clear",
    "2016-2025 Alliance for Open Media, Intel Corporation, Netflix and others",
    "https://gitlab.com/AOMediaCodec/SVT-AV1",
    ("BSD-3-Clause-Clear", "BSD-2-Clause", "AOM-Patent-1.0"),
)
TBB = Native(
    "oneTBB",
    "Apache-2.0",
    "2005-2025 Intel Corporation, UXL Foundation contributors",
    "https://github.com/uxlfoundation/oneTBB",
)
TIFF = Native(
    "LibTIFF",
    "libtiff",
    "1988-1997 Sam Leffler; 1991-1997 Silicon Graphics, Inc.",
    "https://download.osgeo.org/libtiff/",
)
UNISTRING = Native(
    "libunistring",
    "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "1995-2025 Free Software Foundation, Inc.",
    "https://ftp.gnu.org/gnu/libunistring/",
    LGPL3,
)
VPL = Native(
    "oneVPL dispatcher",
    "MIT",
    "2020-2025 Intel Corporation",
    "https://github.com/intel/libvpl",
    ("MIT",),
)
VPX = Native(
    "libvpx",
    "BSD-3-Clause",
    "2010-2025 the WebM project authors",
    "https://chromium.googlesource.com/webm/libvpx",
    ("BSD-3-Clause", "WebM-Patents"),
)
WEBP = Native(
    "libwebp",
    "BSD-3-Clause",
    "2010-2025 Google Inc.",
    "https://chromium.googlesource.com/webm/libwebp",
    ("BSD-3-Clause", "WebM-Patents"),
)
WINPTHREAD = Native(
    "winpthreads of mingw-w64",
    "MIT AND BSD-3-Clause",
    "2011-2024 the mingw-w64 project; 2001-2007 Lockless Inc.",
    "https://www.mingw-w64.org/source/",
    ("MIT", "BSD-3-Clause"),
)
X264 = Native(
    "x264",
    "GPL-2.0-or-later",
    "2003-2025 x264 project",
    "https://code.videolan.org/videolan/x264",
    ("GPL-2",),
)
X265 = Native(
    "x265",
    "GPL-2.0-or-later",
    "2013-2025 MulticoreWare, Inc; 2003-2013 x264 project",
    "https://bitbucket.org/multicoreware/x265_git",
    ("GPL-2",),
)
XAU = Native(
    "libXau",
    "MIT-open-group",
    "1988, 1998 The Open Group",
    "https://xorg.freedesktop.org/releases/individual/lib/",
    ("MIT-open-group",),
)
XCB = Native(
    "libxcb",
    "X11",
    "2001-2006 Bart Massey, Jamey Sharp, and Josh Triplett",
    "https://xcb.freedesktop.org/dist/",
    ("X11",),
)
ZLIB = Native(
    "zlib",
    "Zlib",
    "1995-2024 Jean-loup Gailly and Mark Adler",
    "https://zlib.net/",
    ("Zlib",),
)
ZSTD = Native(
    "Zstandard",
    "BSD-3-Clause OR GPL-2.0-only",
    "Meta Platforms, Inc. and affiliates",
    "https://github.com/facebook/zstd",
)
BY_FILE = {
    r"SvtAv1Enc": SVT_AV1,
    r"Xau": XAU,
    r"aom": AOM,
    r"asound": ALSA,
    r"av(codec|device|filter|format|util)|sw(resample|scale)": FFMPEG,
    r"avif": AVIF,
    r"brotli(common|dec|enc)": BROTLI,
    r"(crypto|ssl)": OPENSSL,
    r"(crypto|ssl)-3": OPENSSL_3,
    r"dav1d": DAV1D,
    r"de265": DE265,
    r"drm": DRM,
    r"ffi-8": FFI,
    r"freetype": FREETYPE,
    r"gcc_s_seh|gfortran|stdc\+\+": GCC,
    r"gmp": GMP,
    r"gnutls": GNUTLS,
    r"harfbuzz": HARFBUZZ,
    r"heif": HEIF,
    r"hwloc": HWLOC,
    r"iconv": ICONV,
    r"icu(data|uc|i18n)": ICU,
    r"jpeg": JPEG,
    r"lcms2": LCMS,
    r"lzma": LZMA,
    r"mp3lame": LAME,
    r"(msvcp|vcruntime)140(_[12])?": MICROSOFT,
    r"nettle|hogweed": NETTLE,
    r"openblasp-r0|scipy_openblas64_": OPENBLAS,
    r"opencore-amr(nb|wb)": OPENCORE,
    r"openjp2": OPENJPEG,
    r"opus": OPUS,
    r"png16": PNG,
    r"python3(11)?": CPYTHON,
    r"quadmath": QUADMATH,
    r"sharpyuv|webp(|demux|mux)": WEBP,
    r"tbb(|12|bind_2_5|malloc|malloc_proxy)": TBB,
    r"tiff": TIFF,
    r"unistring": UNISTRING,
    r"vpl": VPL,
    r"vpx": VPX,
    r"winpthread": WINPTHREAD,
    r"x264": X264,
    r"x265": X265,
    r"xcb(|-shape|-shm|-xfixes)": XCB,
    r"zlib1": ZLIB,
    r"zstd": ZSTD,
}
"""By the name of the file, without `lib`, the mark that a wheel adds, and the version."""
BY_FOLDER = {"PyQt6/Qt6": QT, "openvino": OPENVINO, "lib-dynload": CPYTHON}
"""For libraries with other names, by a part of their path."""
RECIPES = {
    "av.libs": "https://github.com/PyAV-Org/pyav-ffmpeg",
    "numpy.libs": "https://github.com/MacPython/openblas-libs",
    "opencv_python_headless.libs": "https://github.com/opencv/opencv-python",
    "pi_heif.libs": "https://github.com/bigcat88/pillow_heif",
    "pillow.libs": "https://github.com/python-pillow/Pillow",
}
"""Folder of libraries → what built them, with the exact versions."""
EXTENSION = re.compile(r"\.(cpython-\w+|abi3)[\w-]*\.so$|\.pyd$")
"""Modules that are compiled: a part of their own package, whose metadata state the licence."""
MARKS = re.compile(r"^lib|(-[0-9a-f]{8})+(?=\.)|\.\d.*$|\.so.*$")
WINDOWS_MARKS = re.compile(r"^lib|-[0-9a-f]{32}(?=\.)|\.dll$")
VERSION_OF_WINDOWS = re.compile(r"-\d+$")


def is_extension(path: PurePath) -> bool:
    """Return whether a file is a compiled module of the package in whose folder it lies."""
    return EXTENSION.search(path.name) is not None


def part_of_file(path: PurePath) -> Native | None:
    """Return the entry of a shared library in a folder of packages; None if there is none."""
    names = [MARKS.sub("", path.name)]
    if path.suffix == ".dll":
        name = WINDOWS_MARKS.sub("", path.name)
        # The version is a part of the name: avcodec-62; libcrypto-3 has an entry of its own.
        names = [name, VERSION_OF_WINDOWS.sub("", name)]
    in_qt = "PyQt6/Qt6" in path.as_posix()
    for name in names:
        for pattern, part in BY_FILE.items():
            if re.fullmatch(pattern, name):
                return QT_FFMPEG if in_qt and part is FFMPEG else part
    for folder, part in BY_FOLDER.items():
        if folder in path.as_posix():
            return part
    return None


def libraries_of(files: Iterable[Path]) -> Iterable[Path]:
    """Return those of the files that are shared libraries, without compiled modules."""
    return [
        path
        for path in files
        if re.search(r"\.so(\.|$)|\.dll$", path.name) and not is_extension(path)
    ]


def natives(files: Iterable[Path]) -> dict[Native, list[str]]:
    """Return the native parts of a tree with the names of their files, sorted by name."""
    found: dict[Native, list[str]] = {}
    for path in libraries_of(files):
        part = part_of_file(path)
        if part is not None:
            found.setdefault(part, []).append(path.name)
    return dict(sorted(found.items(), key=lambda entry: entry[0].name.lower()))


def described(parts: Mapping[Native, list[str]]) -> list[dict[str, str]]:
    """Return what the check, the bill of materials and the package say about native parts."""
    return [
        {
            "name": part.name,
            "licence": part.licence,
            "copyright": part.copyright,
            "source": part.source,
            "files": " ".join(sorted(set(files))),
        }
        for part, files in parts.items()
    ]


def write_licences(folder: Path, publisher: str) -> None:
    """Write `LICENCES.txt` into each folder below this one that holds native libraries."""
    folders: dict[Path, list[Path]] = {}
    for path in libraries_of(folder.rglob("*")):
        part = part_of_file(path)
        if path.is_file() and part is not None:
            folders.setdefault(path.parent, []).append(path)
    for place, files in folders.items():
        # Qt's plug-ins lie in thirty folders; the text in that of its libraries is theirs.
        if "plugins" not in place.parts:
            text = licence_text(natives(files), publisher, RECIPES.get(place.name, ""))
            (place / FILE).write_text(text, encoding="utf-8")


def licence_text(parts: Mapping[Native, Iterable[str]], publisher: str, recipe: str = "") -> str:
    """Return notices, sources and texts of these parts."""
    notices = [OFFER.format(publisher=publisher)]
    if recipe:
        notices.append(f"Recipes of these builds, with versions: {recipe}\n")
    for part, files in parts.items():
        texts = ", ".join(part.texts)
        notices.append(
            f"{part.name} ({', '.join(sorted(files))})\nCopyright (C) {part.copyright}\n"
            f"Licence: {part.licence}; text: {texts}\nSources: {part.source}\n"
        )
    names = sorted({text for part in parts for text in part.texts if text != OF_PACKAGE})
    bodies = [f"{'=' * 78}\n{name}\n{'=' * 78}\n\n{text_of(name)}" for name in names]
    return "\n".join([*notices, *bodies])


def text_of(name: str) -> str:
    """Return the text of a licence."""
    own = TEXTS / f"{name}.txt"
    path = own if own.is_file() else COMMON / name
    return path.read_text(encoding="utf-8")
