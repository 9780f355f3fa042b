"""What bytes are, whatever they are said to be, and whether they try to be something else as well. Two witnesses say
what a file is: its own first bytes by our table, and puremagic's; content that is also an archive, a page or a script
is nothing at all."""

import re
import zlib
from collections.abc import Iterator

import puremagic

_MAGIC: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBPVP8[ LX]", re.DOTALL)),
    ("application/pdf", re.compile(rb"%PDF-[12]\.\d")),
)
_HEAD = 4096
_ARCHIVE_TAIL = 65_557
"""An archive's directory ends at most so far from the end of the file."""

_MARKUP = re.compile(rb"<(?:script|html|head|body|iframe|svg|\?php|\?xml|!doctype|!entity)[\s>/:]", re.IGNORECASE)
_SCRIPT = re.compile(rb"<script[\s>/]|<\?php[\s]|<html[\s>]|<!doctype\s+html|<svg\s[^>]{0,400}onload", re.IGNORECASE)
_PDF_ACTIVE = frozenset(
    (b"JavaScript", b"JS", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"RichMedia", b"XFA", b"SubmitForm", b"GoToE")
)
_PDF_NAME = re.compile(rb"/((?:[^\s()<>\[\]{}/%#]|#[0-9A-Fa-f]{2})+)")
_PDF_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_PACKED = re.compile(rb"obj\b((?:(?!obj\b|stream\b).){0,2000}?)\bstream\r?\n", re.DOTALL)
"""An object with a stream, and what it says of it."""
_MOST_UNPACKED = 16 * 1024 * 1024
"""So much of the objects that a document packs is looked into; one that packs more is not taken."""

_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


class Refused(Exception):
    """The content is broken, dangerous or too much; says why."""


def kind_of(data: bytes) -> str | None:
    """The type of these bytes, if it is one that we know."""
    for kind, magic in _MAGIC:
        if magic.match(data):
            return kind if _second_witness(data, kind) else None
    return "text/plain" if _is_text(data) else None


def must_be_harmless(data: bytes, kind: str) -> None:
    """Refuse content that is something else besides, or would do something when it is opened."""
    if b"PK\x05\x06" in data[-_ARCHIVE_TAIL:] or b"PK\x06\x06" in data[-_ARCHIVE_TAIL:]:
        raise Refused("it is an archive as well")
    if kind.startswith("image/"):
        if _SCRIPT.search(data):
            raise Refused("there is a page or a script in it")
        if b"%PDF-" in data[:1024]:
            raise Refused("it is a document as well")
    elif kind == "application/pdf":
        _must_be_still(data)


def _second_witness(data: bytes, kind: str) -> bool:
    try:
        found = puremagic.magic_string(data[:_HEAD] if len(data) <= _HEAD else data[:_HEAD] + data[-64:])
    except (puremagic.PureError, ValueError):
        return False
    return any(each.mime_type == kind for each in found)


def _is_text(data: bytes) -> bool:
    """UTF-8 without control characters that a browser would not take for a page."""
    try:
        said = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return bool(said.strip()) and not _NO_TEXT.search(said) and not _MARKUP.search(data[:_HEAD])


def _must_be_still(data: bytes) -> None:
    """Refuse a document that acts, carries other files, or cannot be looked into."""
    if b"%%EOF" not in data[-2048:]:
        raise Refused("the document is cut off")
    if _MARKUP.search(data[:1024]):
        raise Refused("it is a page as well")
    _no_actions(data)
    left = _MOST_UNPACKED
    for packed in _PDF_PACKED.finditer(data):
        names = set(_names(packed[1]))
        # Objects may lie in streams of objects; pictures and pages in theirs do nothing.
        if b"ObjStm" in names:
            left -= _looked_into(data, packed.end(), names, left)


def _looked_into(data: bytes, start: int, names: set[bytes], most: int) -> int:
    """Look into objects that lie in a stream; how many bytes they are."""
    if b"Filter" not in names:
        return 0  # not packed: they were looked at with the rest
    if b"DecodeParms" in names or len([name for name in names if name.endswith(b"Decode")]) != 1:
        raise Refused("the document hides what it is made of")
    try:
        inside = zlib.decompressobj().decompress(memoryview(data)[start:], most + 1)
    except zlib.error:
        raise Refused("the document is broken") from None
    if len(inside) > most:
        raise Refused("there is too much in it to look into")
    _no_actions(inside)
    return len(inside)


def _no_actions(data: bytes) -> None:
    for name in _names(data):
        if name in _PDF_ACTIVE:
            raise Refused("the document would run something, or carries other files")
        if name == b"Encrypt":
            raise Refused("the document is encrypted")


def _names(data: bytes) -> Iterator[bytes]:
    """Every name in this part of a document, whatever way it is written."""
    for found in _PDF_NAME.finditer(data):
        yield _PDF_ESCAPED.sub(lambda each: bytes([int(each[1], 16)]), found[1]) if b"#" in found[1] else found[1]
