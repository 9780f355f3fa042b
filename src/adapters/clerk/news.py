"""What Clerk's messages say of its people, in our words."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from application.ports.identity import IdentityNews, NewsReader
from application.ports.payments import MalformedWebhook

_OF_PEOPLE = frozenset({"user.created", "user.updated", "user.deleted"})
_LONGEST_SUBJECT = 255


class ClerkNews(NewsReader):
    """Of an instance's people; its organizations, sessions and whatever else it tells of are not kept here."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def read(self, kind: str, payload: str) -> IdentityNews | None:
        if kind not in _OF_PEOPLE:
            return None
        try:
            event = json.loads(payload)
            said = event["data"]
            subject = said["id"]
            if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
                raise ValueError(subject)
            gone = kind == "user.deleted"
            email, verified = (None, False) if gone else _address(said)
            return IdentityNews(
                issuer=self._issuer,
                subject=subject,
                gone=gone,
                email=email,
                email_verified=verified,
                display_name="" if gone else _name(said),
                told_at=_moment(said.get("updated_at") or event.get("timestamp")),
            )
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError) as problem:
            raise MalformedWebhook("the message says nothing we can read of a person") from problem


def _address(said: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The primary address, and whether its owner has shown that it is theirs."""
    primary = said.get("primary_email_address_id")
    for one in said.get("email_addresses") or ():
        if primary is not None and one["id"] == primary:
            verification = one.get("verification") or {}
            email = one["email_address"]
            if not isinstance(email, str):
                raise TypeError(email)
            return email, verification.get("status") == "verified"
    return None, False


def _name(said: Mapping[str, Any]) -> str:
    names = (said.get("first_name"), said.get("last_name"))
    whole = " ".join(name.strip() for name in names if isinstance(name, str) and name.strip())
    username = said.get("username")
    return whole or (username if isinstance(username, str) else "")


def _moment(said: Any) -> datetime:
    """Milliseconds since 1970."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise TypeError(said)
    return datetime.fromtimestamp(said / 1000, UTC)
