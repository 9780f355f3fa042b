"""Busy times over any store's views: only the columns that say when, never about whom."""

from datetime import datetime

from adapters.persistence.store import Views
from application.ports.criteria import Order, Overlaps
from application.ports.scheduling import BusyTimes
from domain.scheduling import Busy
from domain.shared.actors import SYSTEM
from domain.shared.ids import UserId
from domain.shared.time import Span

_COLUMNS = ("blocked", "occupancy", "span", "seats", "state", "expires_at")
MOST = 10_000


class StoredBusyTimes(BusyTimes):
    """Active bookings, as the house sees them."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def busy(self, provider_id: UserId, span: Span, now: datetime) -> list[Busy]:
        criteria = {"provider_id": provider_id, "active": True, "blocked": Overlaps(span)}
        rows = await self._views.rows(SYSTEM, "bookings", _COLUMNS, criteria, order=Order(), after=None, limit=MOST)
        return [
            Busy(
                blocked=row["blocked"],
                occupancy=row["occupancy"],
                starts_at=row["span"].starts_at,
                seats=row["seats"],
            )
            for row in rows
            if row["state"] != "held" or row["expires_at"] is None or row["expires_at"] > now
        ]
