"""The outer shape of a signed token, read strictly and without believing a word of it.

Whatever two readers could read differently is refused here, before any key is looked for: padding, white space, a key
named twice, a number that is none, a third way to write the same bytes.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, NoReturn

from domain.identity import BadToken

LONGEST = 8192
"""Characters of the longest token that is looked at; those of issuers run to two thousand."""
_SEGMENTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_WORD = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Shape:
    """A token taken apart. Nothing in it is true until its signature was verified."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @property
    def algorithm(self) -> str:
        """What it says to be signed with: a hint that has to agree with a key of ours."""
        return str(self.header["alg"])

    @property
    def kid(self) -> str | None:
        """The name of its key, if it gives one."""
        return self.header.get("kid")

    @property
    def issuer(self) -> str:
        """Whom it says to come from; empty where it does not say."""
        said = self.claims.get("iss")
        return said if isinstance(said, str) else ""


def taken_apart(token: str) -> Shape:
    """The parts of a compact signed token; `BadToken` for anything else."""
    if len(token) > LONGEST or (found := _SEGMENTS.fullmatch(token)) is None:
        raise BadToken
    try:
        header, claims, signature = (_decoded(segment) for segment in found.groups())
        shape = Shape(_object(header), _object(claims), token[: found.end(2)].encode(), signature)
    except (ValueError, RecursionError):
        raise BadToken from None
    kid = shape.header.get("kid")
    if not isinstance(shape.header.get("alg"), str) or not (kid is None or _is_word(kid)):
        raise BadToken
    # `crit` names what must be understood (RFC 7515), and we understand none of it; `b64` would change what is signed.
    if "crit" in shape.header or "b64" in shape.header:
        raise BadToken
    return shape


def _decoded(segment: str) -> bytes:
    raw = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    # The last character may carry bits that belong to no byte: then the same bytes are written in several ways.
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
        raise ValueError("not the one way to write these bytes")
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    read = _JSON.decode(raw.decode())
    if not isinstance(read, dict):
        raise ValueError("not an object")
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a key is named twice")
    return read


def _no_number(said: str) -> NoReturn:
    raise ValueError(said)


_JSON = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None
