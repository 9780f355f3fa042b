"""Chains of sealed entries below their readers: what waits to be sealed, and the chain itself."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from domain.shared.chains import Head, Link, Seal, Sealable

E = TypeVar("E", bound=Sealable)


class Chain(Protocol[E]):
    """Committed entries, each of which gets its place in the chain once, and is never changed otherwise."""

    async def unsealed(self, *, limit: int) -> list[E]:
        """Committed entries that are not sealed yet, oldest first."""
        ...

    async def head(self) -> Head:
        """The end of the chain."""
        ...

    async def seal(self, seals: Sequence[Seal]) -> None:
        """Lengthen the chain by all of these or none; `AlreadySealed` when one of their positions or entries is taken.
        Of several at once one goes first."""
        ...

    async def chain(self, *, after: int, limit: int) -> list[Link[E]]:
        """The links that follow that position, in order."""
        ...
