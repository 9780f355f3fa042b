"""What listing free slots asks of the world."""

from datetime import datetime
from typing import Protocol

from domain.scheduling import Busy
from domain.shared.ids import UserId
from domain.shared.time import Span


class BusyTimes(Protocol):
    """When providers are taken, without a word about by whom: anybody may be shown the gaps between."""

    async def busy(self, provider_id: UserId, span: Span, now: datetime) -> list[Busy]:
        """Each active booking of the provider whose blocked time overlaps `span`, by one statement. A hold that has
        expired by `now` blocks nothing, even when nobody has swept it yet."""
        ...
