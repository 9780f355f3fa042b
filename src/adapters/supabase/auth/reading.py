"""Auth's users and sessions in our words."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import jwt

from adapters.supabase.auth.refusals import unavailable
from application.ports.identity_provider import Applicant, Granted
from domain.identity import Stranger
from domain.shared.actors import Role
from domain.shared.ids import SessionId


def stranger_of(user: Mapping[str, Any], issuer: str) -> Stranger:
    """Whom Auth means. What they say of themselves can be changed by them at any time, and decides nothing but how
    their profile begins, and whether they come to book or to offer."""
    subject, email = user.get("id"), user.get("email")
    if not isinstance(subject, str) or not subject:
        raise unavailable()
    said = user.get("user_metadata")
    said = said if isinstance(said, Mapping) else {}
    address = email.lower() if isinstance(email, str) and email else None
    return Stranger(
        issuer=issuer,
        subject=subject,
        email=address,
        email_verified=address is not None and bool(user.get("email_confirmed_at")),
        name=_text(said, "name") or _text(said, "full_name"),
        locale=_text(said, "locale"),
        zone=_text(said, "zone"),
        wish=Role.PROVIDER if said.get("role") == Role.PROVIDER else Role.CUSTOMER,
    )


def granted_of(session: Mapping[str, Any], issuer: str) -> Granted:
    """The session in an answer. It came from the issuer itself, so that its token is read and not verified again."""
    user = session.get("user")
    try:
        token, refresh = session["access_token"], session["refresh_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        granted = Granted(
            access_token=token,
            refresh_token=refresh,
            expires_in=int(session["expires_in"]),
            session_id=SessionId(UUID(claims["session_id"])),
            stranger=stranger_of(user if isinstance(user, Mapping) else {}, issuer),
        )
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, AttributeError):
        raise unavailable() from None
    if not isinstance(token, str) or not isinstance(refresh, str) or claims.get("sub") != granted.stranger.subject:
        raise unavailable()
    return granted


def metadata_of(applicant: Applicant) -> dict[str, str]:
    """What an applicant says of themselves, as it comes back from `stranger_of`."""
    said = applicant.particulars
    return {"name": said.name, "locale": said.locale, "zone": said.zone, "role": applicant.role.value}


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value[:200] if isinstance(value, str) else ""
