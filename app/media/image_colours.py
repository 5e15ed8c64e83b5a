"""Colours that an image file names, in an ICC profile or by other means, and their conversion to sRGB.

PNG names them in chunks, AVIF and HEIC by the numbers of ITU-T H.273, cameras by a word in EXIF. Browsers and viewers
follow all of these; colours taken for sRGB would be too dull, or too dark.
"""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageFilter

log = logging.getLogger(__name__)

MAX_PROFILE_BYTES = 4 << 20
MODES = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}
"""Pillow's mode for the pixels that a colour profile describes, by its colour space."""
SRGB = ImageCms.createProfile("sRGB")

Convert = Callable[[Image.Image], Image.Image]
Points = tuple[tuple[float, float], ...]
"""Red, green, blue and white, (x, y)."""
BT709: Points = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290))
ADOBE: Points = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), (0.3127, 0.3290))
ADOBE_GAMMA = 563 / 256
SAME_POINTS = 0.002
"""Points that differ by less are those of the standard, as programs round them."""
SAME_GAMMA = 0.1
"""Exponents that differ by less from 2.2 stand for the curve of sRGB, as the PNG specification has it."""
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
"""Exponents of transfer functions by their numbers in H.273. The others but PQ and HLG are shown as sRGB."""
D50 = np.array([0.9642, 1.0, 0.8249])
"""XYZ of the white of profiles."""
PRIMARY_TAGS = (b"rXYZ", b"gXYZ", b"bXYZ")
FIXED_POINT = 1 << 16
"""Numbers of a profile are multiples of 1 / 65536."""

UNSPECIFIED = 2
"""In H.273."""
EXIF_IFD, INTEROPERABILITY_IFD, INTEROPERABILITY = 0x8769, 0xA005, 1
ADOBE_BY_EXIF = "R03"
"""What cameras write for Adobe RGB."""


@dataclass(frozen=True, slots=True)
class NamedColours:
    """Colours that a file names without a profile; by default those of sRGB."""

    points: Points = BT709
    gamma: float | None = None
    """Exponent of the values; None for the curve of sRGB."""
    hdr: int | None = None
    """Number of the transfer function of HDR images, PQ or HLG, in H.273."""
    primaries: int = 1
    """Number of the primaries in H.273."""


def srgb_converter(image: Image.Image, path: Path) -> Convert:
    """Return what converts parts of an opened image of 8 bits to sRGB, alpha as it is.

    Call it before the image is loaded. Parts are returned unchanged where nothing is named, or no usable
    profile. Raises one of `image_file.BROKEN` for metadata that cannot be read.
    """
    numbers = _named_by_number(image, path)
    profile = image.info.get("icc_profile")
    if profile and numbers is None:
        return _by_profile(profile)
    colours = numbers or _named_by_metadata(image)
    if colours.hdr is not None:
        return _by_table(colours)
    if colours.points == BT709 and colours.gamma is None:
        return lambda part: part
    return _by_profile(_made_profile(colours))


def _named_by_number(image: Image.Image, path: Path) -> NamedColours | None:
    """Return the colours that the file names by numbers of H.273; None where it names none.

    In PNG they come before a profile; AVIF and HEIC have one or the other, and the profile comes first.
    """
    if image.format == "PNG":
        for kind, content in _png_chunks(path):
            if kind == b"cICP" and len(content) == 4:
                return _of_numbers(content[0], content[1])
        return None
    if image.format in ("AVIF", "HEIF") and "icc_profile" not in image.info:
        nclx = image.info.get("nclx_profile")
        if image.format == "AVIF":  # of which Pillow does not tell
            from pi_heif import open_heif

            nclx = open_heif(path).info.get("nclx_profile")
        if nclx:
            return _of_numbers(nclx["color_primaries"], nclx["transfer_characteristics"])
    return None


def _png_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content, of at most 4 bytes, of the chunks of a PNG file before the pixels."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind in (b"IDAT", b"IEND"):
                return
            start = file.tell()
            yield kind, file.read(min(length, 4))
            file.seek(start + length + 4)


def _of_numbers(primaries: int, transfer: int) -> NamedColours | None:
    if primaries == UNSPECIFIED and transfer == UNSPECIFIED:
        return None
    from app.media.frame_filters import PRIMARIES, TRANSFERS  # which import FFmpeg

    points = PRIMARIES.get(primaries, BT709)
    hdr = transfer if transfer in TRANSFERS else None
    return NamedColours(points, GAMMAS.get(transfer), hdr, primaries)


def _named_by_metadata(image: Image.Image) -> NamedColours:
    """Return the colours that chunks of PNG or EXIF name."""
    if image.format == "PNG" and "srgb" in image.info:
        return NamedColours()
    points = BT709
    gamma = None
    if len(named := image.info.get("chromaticity", ())) == 8 and all(y > 0 for y in named[1::2]):
        white, *primaries = zip(named[::2], named[1::2], strict=True)
        read = (*primaries, white)
        if np.abs(np.array(read) - BT709).max() > SAME_POINTS:
            points = read
    if exponent := image.info.get("gamma"):
        gamma = 1 / exponent if abs(1 / exponent - 2.2) > SAME_GAMMA else None
    if points == BT709 and gamma is None and _is_adobe_by_exif(image):
        return NamedColours(ADOBE, ADOBE_GAMMA)
    return NamedColours(points, gamma)


def _is_adobe_by_exif(image: Image.Image) -> bool:
    exif = image.getexif()
    interoperability = exif.get_ifd(INTEROPERABILITY_IFD) if exif.get_ifd(EXIF_IFD) else {}
    return interoperability.get(INTEROPERABILITY) == ADOBE_BY_EXIF


def _by_profile(profile: bytes) -> Convert:
    """Return the conversion from a profile; none for one that is broken or of other pixels."""
    if len(profile) > MAX_PROFILE_BYTES:
        return lambda part: part
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = MODES[source.profile.xcolor_space]
        transform = ImageCms.buildTransform(source, SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, KeyError, OSError, ValueError) as error:
        log.info("A colour profile is not used: %s", error)
        return lambda part: part

    def convert(part: Image.Image) -> Image.Image:
        if (mode == "CMYK") != (part.mode == "CMYK"):  # the profile is that of other pixels
            return part
        shown = ImageCms.applyTransform(part.convert(mode), transform)
        assert shown is not None
        return _with_alpha_of(part, shown)

    return convert


def _by_table(colours: NamedColours) -> Convert:
    """Return the conversion of HDR images, as that of films."""
    from app.media.frame_filters import BT2020_PRIMARIES, POINTS, PRIMARIES, TRANSFERS, to_bt709

    assert colours.hdr is not None
    primaries = colours.primaries if colours.primaries in PRIMARIES else BT2020_PRIMARIES
    steps = np.linspace(0, 1, POINTS)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    values = to_bt709(np.stack([red, green, blue], axis=-1), TRANSFERS[colours.hdr], primaries)
    table = ImageFilter.Color3DLUT(POINTS, values.astype(np.float32).reshape(-1))
    return lambda part: _with_alpha_of(part, part.convert("RGB").filter(table))


def _with_alpha_of(part: Image.Image, shown: Image.Image) -> Image.Image:
    if part.has_transparency_data:
        shown.putalpha(part.convert("RGBA").getchannel("A"))
    return shown


def _made_profile(colours: NamedColours) -> bytes:
    """Return a profile of named colours: that of sRGB with other primaries and another curve.

    Raises ValueError or struct.error for impossible ones.
    """
    from app.media.frame_filters import adaptation, to_xyz

    profile = bytearray(ImageCms.ImageCmsProfile(SRGB).tobytes())
    primaries = to_xyz(colours.points)
    columns = (adaptation(primaries.sum(axis=1), D50) @ primaries).T
    (count,) = struct.unpack_from(">I", profile, 128)
    for entry in range(132, 132 + 12 * count, 12):
        kind, at, _ = struct.unpack_from(">4sII", profile, entry)
        if kind in PRIMARY_TAGS:
            xyz = np.rint(columns[PRIMARY_TAGS.index(kind)] * FIXED_POINT).astype(int)
            struct.pack_into(">iii", profile, at + 8, *xyz)
        elif kind == b"rTRC" and colours.gamma is not None:  # which the other two share
            struct.pack_into(">4sIHHi", profile, at, b"para", 0, 0, 0, round(colours.gamma * FIXED_POINT))
    return bytes(profile)
