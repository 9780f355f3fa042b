"""Names of files: shown to people and offered to their machines, so that none may mislead either. Where a file lies
never depends on its name."""

import re
import unicodedata
from collections.abc import Collection

from domain.files.refusals import BadFileName

LONGEST_NAME = 200

_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)
_RESERVED = frozenset('/\\:*?"<>|')
_LONGEST_BYTES = 255
"""What most file systems take."""


def file_name(value: str, *, extensions: Collection[str]) -> str:
    """The name as it is kept (NFC), or a refusal: no folders, no control or direction characters, no device names, and
    it ends as its type does."""
    if len(value) > LONGEST_NAME:
        raise BadFileName(f"a file's name has 1 to {LONGEST_NAME} characters")
    # Before normalising: a lone surrogate is no text, and cannot be normalised or stored.
    if any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for each in value):
        raise BadFileName("a file's name holds no control, direction or unassigned characters")
    name = unicodedata.normalize("NFC", value).strip()
    if not 1 <= len(name) <= LONGEST_NAME or len(name.encode()) > _LONGEST_BYTES:
        raise BadFileName(f"a file's name has 1 to {LONGEST_NAME} characters")
    if _RESERVED & set(unicodedata.normalize("NFKC", name)):
        raise BadFileName("a file's name holds no slashes, and none of : * ? \" < > |")
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise BadFileName("a file's name neither begins nor ends with a dot, nor holds two in a row")
    if _DEVICES.fullmatch(name.partition(".")[0].rstrip()):
        raise BadFileName("some machines take that name for a device")
    if not name.casefold().endswith(tuple(extensions)):
        raise BadFileName(f"the name of such a file ends with {' or '.join(extensions)}")
    return name
