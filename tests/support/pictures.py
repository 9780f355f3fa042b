"""Files for tests: pictures as cameras and mischief make them."""

import io
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

from PIL import Image


@lru_cache(maxsize=32)
def _photo(width: int, height: int, format: str, how: tuple[tuple[str, Any], ...]) -> bytes:
    into = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(into, format, **dict(how))
    return into.getvalue()


def photo(width: int = 320, height: int = 240, format: str = "JPEG", **how: Any) -> bytes:
    """A picture of noise, which is what a photograph looks like to an encoder."""
    return _photo(width, height, format, tuple(sorted(how.items())))


async def in_pieces(content: bytes, *, size: int = 65_536) -> AsyncIterator[bytes]:
    """The same bytes as a network brings them."""
    for at in range(0, len(content), size):
        yield content[at : at + size]
