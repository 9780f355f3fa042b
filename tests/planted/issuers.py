"""What goes wrong where tokens of other issuers are accepted, built so that the tests must notice."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from adapters.jwt_issuers import FetchedKeys, VerifyingKey
from adapters.jwt_issuers.fetched import BadKeySet


class AlgorithmFromHeader:
    """Believes what a token says it is signed with: a public key then serves as a password everybody knows."""

    def __init__(self, keys: FetchedKeys) -> None:
        self._keys = keys

    @property
    def generation(self) -> int:
        """As it is."""
        return self._keys.generation

    def freshen(self) -> None:
        """As it is."""
        self._keys.freshen()

    async def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerifyingKey]:
        """Whatever key has that name, for whatever algorithm is named."""
        if algorithm != "HS256":
            return await self._keys.candidates(algorithm, kid)
        await self._keys.candidates("RS256", kid)
        listed = json.loads(self._keys._raw)["keys"]
        return [VerifyingKey(kid, "HS256", json.dumps(one).encode()) for one in listed if one["kid"] == kid]


class EmptiedByFailure(FetchedKeys):
    """Forgets what it knew when the issuer does not answer."""

    async def _refresh(self) -> None:
        try:
            self._take(await self._ask())
        except (Exception, BadKeySet):
            self._keys, self._raw = (), b""
            self._generation += 1


class AsksForEveryName(FetchedKeys):
    """Fetches whenever it is shown a name it does not know."""

    def _may_ask(self) -> bool:
        return True


class AsksForEverybody(FetchedKeys):
    """Does not notice that somebody is asking already."""

    def _start(self) -> None:
        import asyncio

        self._asked_at: Any = self._clock.now() - timedelta(days=1)
        self._flight = asyncio.ensure_future(self._refresh())
