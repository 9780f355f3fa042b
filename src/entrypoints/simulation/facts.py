"""What the rows and letters of a world say, for those who hold its answers against them."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from entrypoints.container.simulating import Scene

MARGIN, AROUND = timedelta(minutes=5), timedelta(hours=1)
"""How long ago something must have ended, and how far away it must be, to have been in nobody's way."""
GRACE = 10.0
"""Seconds after which an exchanged refresh token must be worth nothing; the watch adds the clocks' disagreement."""


class Facts:
    """Looks where no client can."""

    def __init__(self, scene: Scene, digest_of: Callable[[str], str], clocks: Callable[[], Iterable[datetime]]) -> None:
        self._scene, self._digest_of, self._clocks = scene, digest_of, clocks

    def mailed(self, email: str, template: str) -> str | None:
        """The secret of the latest letter of that kind to somebody."""
        for mail in reversed(self._scene.mailer.sent):
            if mail.to == email and mail.template.value == template:
                return _token(mail.text)
        return None

    def exchanged_long_ago(self, token: str) -> str:
        """How long ago this refresh token was exchanged, if that is beyond any grace; else empty."""
        digest = self._digest_of(token)
        for row in self._scene.rows("refresh_tokens"):
            if row["token_hash"] == digest and row["rotated_at"] is not None:
                age = (self._scene.clock.now() - row["rotated_at"]).total_seconds()
                return f"{age:.0f} s" if age > GRACE + 7500 else ""
        return ""

    def session_goes_on(self, token: str) -> bool:
        """Whether the session that this refresh token belongs to has not ended."""
        digest = self._digest_of(token)
        of = {row["session_id"] for row in self._scene.rows("refresh_tokens") if row["token_hash"] == digest}
        return any(row["id"] in of and row["revoked_at"] is None for row in self._scene.rows("sessions"))

    def nobody_stands_at(self, job_id: str, starts_at: str) -> bool:
        """Whether no booking can have been in the way of one at that time: at most holds whose time is over by every
        clock there is. Unsure means no."""
        job = self._scene.row("jobs", UUID(job_id))
        if job is None:
            return False
        present = min(self._clocks()) - MARGIN
        begins = datetime.fromisoformat(starts_at)
        first = begins - timedelta(minutes=job["buffer_before"])
        last = begins + timedelta(minutes=job["duration"] + job["buffer_after"])
        for row in self._scene.rows("bookings"):
            if row["provider_id"] != job["provider_id"]:
                continue
            changed = (row["cancelled_at"], row["completed_at"], row["expires_at"])
            if row["sequence"] > 0:
                return False  # It was moved, and its row does not tell from where.
            stands = row["state"] == "confirmed" or any(moment is not None and moment > present for moment in changed)
            near = row["blocked"].starts_at < last + AROUND and first - AROUND < row["blocked"].ends_at
            if near and stands:
                return False
        return True


def _token(text: str) -> str | None:
    """The secret in a letter, which is written as the facts of it."""
    secret: str | None = orjson.loads(text).get("secret")
    return secret
