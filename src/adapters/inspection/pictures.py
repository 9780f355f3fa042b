"""Pictures drawn anew: whatever a file carried besides its pixels stays behind, and so does whatever was hidden in how
it was written. One that moves becomes its first frame."""

import warnings
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from adapters.inspection.sniffing import Refused

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 16_383
"""The longest that every format here can write."""

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
_WRITING: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88, "optimize": True, "progressive": True},
    "PNG": {"compress_level": 6},
    "WEBP": {"quality": 88, "method": 3},
    "GIF": {"optimize": True},
}
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, AttributeError, OverflowError)
"""What decoders raise at content that is not what it should be."""

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def redrawn(source: Path, folder: Path, *, kind: str, sizes: Iterable[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Write the picture as `original`, and its smaller copies by their names; says name, width and height of each."""
    format = _FORMATS[kind]
    try:
        picture = _pixels(source, format)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(_TOO_LARGE) from None
    except (UnidentifiedImageError, *_BROKEN) as error:
        raise Refused("the picture is broken or cut off") from error
    try:
        made = [_written(picture, folder / "original", format)]
        # The largest first: each is made of the one before, which is quicker and looks the same.
        for name, side in sorted(sizes, key=lambda size: -size[1]):
            picture = picture.copy()
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            made.append(_written(picture, folder / name, format))
    except _BROKEN as error:
        raise Refused("more comes out of it than we keep") from error
    return made


_TOO_LARGE = f"it has more than {MOST_PIXELS // 1_000_000} million pixels"


def _pixels(source: Path, format: str) -> Image.Image:
    """The first frame, upright, in the colours every screen understands, with nothing said beside."""
    with Image.open(source, formats=[format]) as opened:
        width, height = opened.size
        if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
            raise Refused(_TOO_LARGE)
        opened.load()
        profile = opened.info.get("icc_profile")
        picture = ImageOps.exif_transpose(opened)
    picture = _in_screen_colours(_eight_bits(picture), profile)
    see_through = picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
    if format == "JPEG" or not see_through:
        picture = picture if picture.mode == "L" else picture.convert("RGB")
    else:
        picture = picture.convert("RGBA")
    picture.info = {}
    return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Of sixteen bits, the upper eight: converting would cut the bright ones off."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture


def _in_screen_colours(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of another space told in sRGB, as the profile that says which one stays behind."""
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK"):
        return picture
    told = "RGBA" if picture.mode == "RGBA" else "RGB"
    with suppress(ImageCms.PyCMSError, *_BROKEN):
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        screen = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, own, screen, outputMode=told) or picture
    return picture


def _written(picture: Image.Image, place: Path, format: str) -> tuple[str, int, int]:
    picture.save(place, format, **_WRITING[format])
    return place.name, picture.width, picture.height
