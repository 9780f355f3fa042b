"""Keys that are fetched from their issuer, and kept: whatever happens to it, who is signed in stays so.

Three things cost others dearly. A failed refresh must not empty what is known. A name nobody knows must not make us
fetch each time it is shown, or anybody can make us attack the issuer. Many who ask at once must fetch once.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import structlog

from adapters.jwt_issuers.keys import HS256, BadKeySet, Keys, VerifyingKey, read_key_set
from application.ports.clock import Clock
from domain.shared.errors import Unavailable

log = structlog.get_logger("issuers")

FRESH = timedelta(minutes=10)
"""How old keys may be before others are asked for, beside the request that noticed."""
STALE = timedelta(hours=1)
"""How old they may be before a request waits for the answer: nobody has asked for that long."""
COOL_DOWN = timedelta(seconds=30)
"""The least time between two fetches, whatever is shown to us."""
PATIENCE = 5.0
"""Seconds a fetch may take."""
LARGEST = 256 * 1024


class FetchedKeys(Keys):
    """The key set at `url`. With `kept`, the last good one also survives a restart while its issuer is away."""

    def __init__(
        self, url: str, *, client: httpx.AsyncClient, clock: Clock, algorithms: frozenset[str], kept: Path | None = None
    ) -> None:
        self._url, self._client, self._clock = url, client, clock
        self._algorithms, self._kept = algorithms, kept
        self._keys: tuple[VerifyingKey, ...] = ()
        self._raw = b""
        self._generation = 0
        self._asked_at: datetime | None = None
        self._fetched_at: datetime | None = None
        self._flight: asyncio.Task[None] | None = None

    @property
    def generation(self) -> int:
        return self._generation

    async def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerifyingKey]:
        if algorithm == HS256 or algorithm not in self._algorithms:
            return ()
        await self._look_after()
        found = self._named(algorithm, kid)
        if not found:
            await self._asked_just_now()
            found = self._named(algorithm, kid)
        if not found and not self._keys:
            raise Unavailable("the keys of a token's issuer cannot be fetched; try again", retry_after=5)
        return found

    async def examine(self) -> int:
        """Fetch now; how many keys of use there are. Raises what goes wrong."""
        self._take(await self._ask())
        return len(self._keys)

    def _named(self, algorithm: str, kid: str | None) -> Sequence[VerifyingKey]:
        """Keys of that name; of a token without one, all that have none either."""
        return [key for key in self._keys if key.kid == kid and key.algorithm == algorithm]

    def freshen(self) -> None:
        if not self._younger_than(FRESH) and self._may_ask():
            self._start()

    async def _look_after(self) -> None:
        """See to it that the keys are of today."""
        if self._fetched_at is None and not self._keys:
            self._remember()
        if self._younger_than(STALE):
            self.freshen()
        elif self._may_ask():
            await self._asked_just_now()

    def _younger_than(self, age: timedelta) -> bool:
        return self._fetched_at is not None and timedelta() <= self._clock.now() - self._fetched_at < age

    def _may_ask(self) -> bool:
        if self._asked_at is None:
            return True
        return not timedelta() <= self._clock.now() - self._asked_at < COOL_DOWN

    async def _asked_just_now(self) -> None:
        """Until the issuer has answered, if it is time to ask or somebody is asking already."""
        if self._may_ask():
            self._start()
        if self._flight is not None:
            # One request that is given up must not take the answer from the others.
            await asyncio.shield(self._flight)

    def _start(self) -> None:
        if self._flight is None or self._flight.done():
            self._asked_at = self._clock.now()
            self._flight = asyncio.ensure_future(self._refresh())

    async def _refresh(self) -> None:
        try:
            self._take(await self._ask())
        except Exception as problem:
            # Whatever it was, what is known stays known, and the next request after a while asks again.
            log.warning("keys not fetched", url=self._url, error=f"{type(problem).__name__}: {problem}"[:300])

    async def _ask(self) -> bytes:
        async with asyncio.timeout(PATIENCE), self._client.stream("GET", self._url) as answer:
            if answer.status_code != 200:
                raise BadKeySet(f"the issuer answers {answer.status_code}")
            raw = b""
            async for piece in answer.aiter_bytes():
                raw += piece
                if len(raw) > LARGEST:
                    raise BadKeySet("the key set is too large")
            return raw

    def _take(self, raw: bytes) -> None:
        if raw != self._raw:
            self._keys = read_key_set(raw, self._algorithms)
            self._raw = raw
            self._generation += 1
            if self._kept is not None:
                self._kept.parent.mkdir(parents=True, exist_ok=True)
                drawn = self._kept.with_suffix(".new")
                drawn.write_bytes(raw)
                drawn.replace(self._kept)
        self._fetched_at = self._clock.now()

    def _remember(self) -> None:
        """What an earlier process knew, until the issuer answers."""
        if self._kept is None or not self._kept.exists():
            return
        try:
            raw = self._kept.read_bytes()
            self._keys, self._raw = read_key_set(raw, self._algorithms), raw
            self._generation += 1
        except (OSError, BadKeySet):
            return
