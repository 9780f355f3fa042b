"""Text that people write: trimmed, bounded, without control characters; and the words search finds it by."""

import re
import unicodedata

from domain.shared.errors import Invalid

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WORD = re.compile(r"[^\W_]+")


def text(value: str, *, field: str, longest: int, shortest: int = 1, lines: bool = False) -> str:
    """The trimmed text, or a refusal naming `field` when it is too short, too long or holds control characters."""
    value = value.replace("\r\n", "\n").strip()
    if _CONTROL.search(value) or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise Invalid(f"{field} holds characters that are not text", field=field)
    if not lines and "\n" in value:
        raise Invalid(f"{field} is a single line", field=field)
    if not shortest <= len(value) <= longest:
        raise Invalid(
            f"{field} has {shortest} to {longest} characters", field=field, shortest=shortest, longest=longest
        )
    return value


def words(value: str) -> tuple[str, ...]:
    """The distinct words of a text as search sees them: accents folded, lower case, letters and digits only."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c)).casefold()
    return tuple(dict.fromkeys(_WORD.findall(folded)))
