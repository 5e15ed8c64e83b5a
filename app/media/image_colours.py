"""Colours that an image file names, in an ICC profile or by other means, and their conversion to
sRGB.

PNG names them in chunks, AVIF and HEIC by the numbers of ITU-T H.273, cameras by a word in EXIF.
Browsers and viewers follow all of these; colours taken for sRGB would be too dull, or too dark.
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
# Pillow's mode for the pixels that a colour profile describes, by its colour space.
MODES = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}
SRGB = ImageCms.createProfile("sRGB")

ToSrgb = Callable[[Image.Image], Image.Image]
# Red, green, blue and white, (x, y) each.
Points = tuple[tuple[float, float], ...]
BT709: Points = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290))
ADOBE: Points = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), (0.3127, 0.3290))
ADOBE_GAMMA = 563 / 256
# Points that differ by less are those of the standard, as programs round them.
SAME_POINTS = 0.002
# Exponents that differ by less from 2.2 stand for the curve of sRGB, as the PNG specification has
# it.
SAME_GAMMA = 0.1
# Exponents of transfer functions by their numbers in H.273. The others but PQ and HLG are shown as
# sRGB.
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
# XYZ of the white of profiles.
D50 = np.array([0.9642, 1.0, 0.8249])
PRIMARY_TAGS = (b"rXYZ", b"gXYZ", b"bXYZ")
# Numbers of a profile are multiples of 1 / 65536.
FIXED_POINT = 1 << 16

# In H.273.
UNSPECIFIED = 2
EXIF_IFD = 0x8769
INTEROPERABILITY_IFD = 0xA005
INTEROPERABILITY = 1
# What cameras write for Adobe RGB.
ADOBE_BY_EXIF = "R03"


@dataclass(frozen=True, slots=True)
class NamedColours:
    """Colours that a file names without a profile; by default those of sRGB."""

    points: Points = BT709
    # Exponent of the values; None for the curve of sRGB.
    gamma: float | None = None
    # Numbers in H.273: of the transfer function of HDR images, PQ or HLG, and of the primaries.
    hdr: int | None = None
    primaries: int = 1


def srgb_converter(image: Image.Image, path: Path) -> ToSrgb:
    """Return what converts parts of an opened image of 8 bits to sRGB, alpha as it is.

    Call it before the image is loaded. Parts are returned unchanged where nothing is named, or no
    usable profile. Raises one of `image_file.BROKEN` for metadata that cannot be read.
    """
    numbers = _named_by_number(image, path)
    profile = image.info.get("icc_profile")
    if profile and numbers is None:
        return _by_profile(profile)
    colours = numbers or _named_by_metadata(image)
    if colours.hdr is not None:
        return _by_table(colours)
    if colours.points == BT709 and colours.gamma is None:
        return _unchanged
    return _by_profile(_made_profile(colours))


def _named_by_number(image: Image.Image, path: Path) -> NamedColours | None:
    """Return the colours that the file names by numbers of H.273; None where it names none.

    In PNG they come before a profile; AVIF and HEIC have one or the other, and the profile comes
    first.
    """
    if image.format == "PNG":
        for kind, content in _png_chunks(path):
            if kind == b"cICP" and len(content) == 4:
                return _of_numbers(content[0], content[1])
        return None
    if image.format in ("AVIF", "HEIF") and "icc_profile" not in image.info:
        nclx = image.info.get("nclx_profile")
        if image.format == "AVIF":
            # Pillow does not tell the numbers.
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
    # Not with this module: it imports FFmpeg, which most images do not need.
    from app.media.frame_filters import PRIMARIES, TRANSFERS

    points = PRIMARIES.get(primaries, BT709)
    hdr = transfer if transfer in TRANSFERS else None
    return NamedColours(points, GAMMAS.get(transfer), hdr, primaries)


def _named_by_metadata(image: Image.Image) -> NamedColours:
    """Return the colours that chunks of PNG or EXIF name."""
    if image.format == "PNG" and "srgb" in image.info:
        return NamedColours()
    points = BT709
    gamma = None
    numbers = image.info.get("chromaticity", ())
    if len(numbers) == 8 and all(y > 0 for y in numbers[1::2]):
        white, *primaries = zip(numbers[::2], numbers[1::2], strict=True)
        named = (*primaries, white)
        if np.abs(np.array(named) - BT709).max() > SAME_POINTS:
            points = named
    # PNG names the exponent of the encoder.
    exponent = image.info.get("gamma")
    if exponent and abs(1 / exponent - 2.2) > SAME_GAMMA:
        gamma = 1 / exponent
    if points == BT709 and gamma is None and _is_adobe_by_exif(image):
        return NamedColours(ADOBE, ADOBE_GAMMA)
    return NamedColours(points, gamma)


def _is_adobe_by_exif(image: Image.Image) -> bool:
    exif = image.getexif()
    if not exif.get_ifd(EXIF_IFD):
        return False
    return exif.get_ifd(INTEROPERABILITY_IFD).get(INTEROPERABILITY) == ADOBE_BY_EXIF


def _unchanged(part: Image.Image) -> Image.Image:
    return part


def _by_profile(profile: bytes) -> ToSrgb:
    """Return the conversion from a profile; none for one that is broken or of other pixels."""
    if len(profile) > MAX_PROFILE_BYTES:
        return _unchanged
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = MODES[source.profile.xcolor_space]
        transform = ImageCms.buildTransform(source, SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, KeyError, OSError, ValueError) as error:
        log.info("A colour profile is not used: %s", error)
        return _unchanged

    def to_srgb(part: Image.Image) -> Image.Image:
        if (mode == "CMYK") != (part.mode == "CMYK"):
            # The profile is that of other pixels.
            return part
        shown = ImageCms.applyTransform(part.convert(mode), transform)
        assert shown is not None
        return _with_alpha_of(part, shown)

    return to_srgb


def _by_table(colours: NamedColours) -> ToSrgb:
    """Return the conversion of HDR images, as that of films."""
    from app.media.frame_filters import BT2020_PRIMARIES, POINTS, PRIMARIES, TRANSFERS, to_bt709

    assert colours.hdr is not None
    primaries = colours.primaries
    if primaries not in PRIMARIES:
        primaries = BT2020_PRIMARIES
    steps = np.linspace(0, 1, POINTS)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    rgb = np.stack([red, green, blue], axis=-1)
    values = to_bt709(rgb, TRANSFERS[colours.hdr], primaries)
    table = ImageFilter.Color3DLUT(POINTS, values.astype(np.float32).reshape(-1))

    def to_srgb(part: Image.Image) -> Image.Image:
        return _with_alpha_of(part, part.convert("RGB").filter(table))

    return to_srgb


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
    # The table of tags follows the header of 128 bytes (ICC.1:2022, 7.3).
    (count,) = struct.unpack_from(">I", profile, 128)
    for entry in range(132, 132 + 12 * count, 12):
        kind, at, _ = struct.unpack_from(">4sII", profile, entry)
        if kind in PRIMARY_TAGS:
            xyz = np.rint(columns[PRIMARY_TAGS.index(kind)] * FIXED_POINT).astype(int)
            struct.pack_into(">iii", profile, at + 8, *xyz)
        elif kind == b"rTRC" and colours.gamma is not None:
            # The other two channels share this curve.
            exponent = round(colours.gamma * FIXED_POINT)
            struct.pack_into(">4sIHHi", profile, at, b"para", 0, 0, 0, exponent)
    return bytes(profile)
