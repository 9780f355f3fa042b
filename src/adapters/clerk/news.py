"""What Clerk's messages say of its people, in our words."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from application.ports.identity import IdentityNews, MembershipNews, News, NewsReader, OrganizationNews
from application.ports.payments import MalformedWebhook
from domain.organizations import MemberRole

_LONGEST_SUBJECT = 255
_ROLES = {"admin": MemberRole.OWNER, "owner": MemberRole.OWNER, "manager": MemberRole.MANAGER}
"""What Clerk calls those who decide; whoever it calls anything else is a member."""


class ClerkNews(NewsReader):
    """Of an instance's people, its organizations and who belongs to them; its sessions and whatever else it tells of
    are not kept here."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._readers: Mapping[str, Callable[[Mapping[str, Any], Any, bool], News]] = {
            "user": self._person,
            "organization": self._organization,
            "organizationMembership": self._membership,
        }

    def read(self, kind: str, payload: str) -> News | None:
        subject, _, verb = kind.partition(".")
        reader = self._readers.get(subject)
        if reader is None or verb not in ("created", "updated", "deleted"):
            return None
        try:
            event = json.loads(payload)
            return reader(event["data"], event.get("timestamp"), verb == "deleted")
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError) as problem:
            raise MalformedWebhook("the message says nothing we can read of a person or an organization") from problem

    def _person(self, said: Mapping[str, Any], sent: Any, gone: bool) -> IdentityNews:
        email, verified = (None, False) if gone else _address(said)
        return IdentityNews(
            issuer=self._issuer,
            subject=_subject(said["id"]),
            gone=gone,
            email=email,
            email_verified=verified,
            display_name="" if gone else _name(said),
            told_at=_moment(said.get("updated_at") or sent),
        )

    def _organization(self, said: Mapping[str, Any], sent: Any, gone: bool) -> OrganizationNews:
        founder = said.get("created_by")
        return OrganizationNews(
            issuer=self._issuer,
            subject=_subject(said["id"]),
            gone=gone,
            name="" if gone else _text(said["name"]),
            founder=_subject(founder) if founder else None,
            told_at=_moment(said.get("updated_at") or sent),
        )

    def _membership(self, said: Mapping[str, Any], sent: Any, gone: bool) -> MembershipNews:
        """An end was said when it was sent: what is told of a membership that is gone is as it was before."""
        told_at = _moment((sent or said.get("updated_at")) if gone else (said.get("updated_at") or sent))
        person = said["public_user_data"]
        return MembershipNews(
            organization=self._organization(said["organization"], said.get("updated_at") or sent, gone=False),
            person=IdentityNews(
                issuer=self._issuer,
                subject=_subject(person["user_id"]),
                display_name=_name(person),
                told_at=told_at,
            ),
            role=_ROLES.get(_text(said["role"]).removeprefix("org:"), MemberRole.MEMBER),
            gone=gone,
            told_at=told_at,
        )


def _subject(said: Any) -> str:
    if not isinstance(said, str) or not 0 < len(said) <= _LONGEST_SUBJECT or not said.isprintable():
        raise ValueError(said)
    return said


def _text(said: Any) -> str:
    if not isinstance(said, str):
        raise TypeError(said)
    return said


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
