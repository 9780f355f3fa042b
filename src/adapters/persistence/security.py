"""The security log over any store: rows of their own, bounded in number, never in the way of a request."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from adapters.persistence.store import Changes, Insert, Store
from application.ports.clock import Clock
from application.ports.identity import SecurityLog
from application.ports.ids import Ids
from domain.shared.actors import Actor
from domain.shared.errors import Refusal

log = structlog.get_logger("security")

MOST_A_MINUTE = 300
"""Rows this process keeps in a minute; past that it only logs, so that an attacker cannot fill the disk."""


class StoredSecurityLog(SecurityLog):
    """Keeps security events; what cannot be kept is logged."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store, self._clock, self._ids = store, clock, ids
        self._lately: deque[datetime] = deque()

    async def note(
        self, kind: str, *, actor: Actor, subject: str | None = None, ip: str = "", details: Mapping[str, object]
    ) -> None:
        now = self._clock.now()
        log.warning(kind, principal=actor.principal, subject=subject, ip=ip)
        while self._lately and self._lately[0] <= now - timedelta(minutes=1):
            self._lately.popleft()
        if len(self._lately) >= MOST_A_MINUTE:
            return
        self._lately.append(now)
        row = {
            "id": self._ids.new(),
            "at": now,
            "kind": kind,
            "actor": actor.principal,
            "subject": subject,
            "details": {**details, "ip": ip},
        }
        try:
            await self._store.commit(Changes(writes=(Insert("security_events", row),)))
        except Refusal as refusal:
            log.error("security event not kept", kind=kind, error=str(refusal))
