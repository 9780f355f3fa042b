"""The audit trail below its readers: what waits to be sealed, and the chain itself."""

from collections.abc import Sequence
from typing import Protocol

from domain.audit import AuditEntry, Head, Link, Seal


class AuditTrail(Protocol):
    """Committed audit entries, each of which gets its place in the chain once, and is never changed otherwise."""

    async def unsealed(self, *, limit: int) -> list[AuditEntry]:
        """Committed entries that are not sealed yet, oldest first."""
        ...

    async def head(self) -> Head:
        """The end of the chain."""
        ...

    async def seal(self, seals: Sequence[Seal]) -> None:
        """Lengthen the chain by all of these or none; `AlreadySealed` when one of their positions or entries is taken.
        Serialises on "audit:seal"."""
        ...

    async def chain(self, *, after: int, limit: int) -> list[Link]:
        """The links that follow that position, in order."""
        ...
