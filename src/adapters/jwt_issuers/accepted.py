"""Our own tokens and those of other issuers, by one door: each is verified the way its issuer's tokens are."""

from collections import OrderedDict
from collections.abc import Iterable

from adapters.jwt_issuers.issuer import Issuer
from adapters.jwt_issuers.shape import taken_apart
from application.ports.clock import Clock
from application.ports.identity import AccessClaims, BearerTokens, ForeignClaims
from domain.identity import TokenExpired


class AcceptedTokens(BearerTokens):
    """Whose token it is decides who verifies it; that it says so itself does no harm, for only that issuer's keys are
    then tried. What names none of these issuers is for `own` to judge. Verified tokens are remembered, at most
    `remembered` of them, and none beyond its expiry or the keys it was verified with."""

    def __init__(self, own: BearerTokens, issuers: Iterable[Issuer], clock: Clock, *, remembered: int = 10_000) -> None:
        self._own, self._clock, self._most = own, clock, remembered
        self._issuers: dict[str, Issuer] = {}
        for issuer in issuers:
            # Who is named twice is who was named first: the present one comes before what is still accepted.
            self._issuers.setdefault(issuer.issuer, issuer)
        self._known: OrderedDict[str, tuple[Issuer, int, ForeignClaims] | None] = OrderedDict()

    async def verify(self, token: str) -> AccessClaims | ForeignClaims:
        if token not in self._known:
            return await self._verify_anew(token)
        known = self._known[token]
        if known is None:
            # Ours, and remembered where ours are: what is known here is only whose it is.
            return await self._own.verify(token)
        issuer, generation, claims = known
        issuer.keys.freshen()
        if generation != issuer.keys.generation:
            del self._known[token]
            return await self._verify_anew(token)
        if issuer.over(claims, now=self._clock.now()):
            del self._known[token]
            raise TokenExpired
        self._known.move_to_end(token)
        return claims

    async def _verify_anew(self, token: str) -> AccessClaims | ForeignClaims:
        shape = taken_apart(token)
        issuer = self._issuers.get(shape.issuer)
        if issuer is None:
            ours = await self._own.verify(token)
            self._remember(token, None)
            return ours
        claims = await issuer.verify(shape, now=self._clock.now())
        self._remember(token, (issuer, issuer.keys.generation, claims))
        return claims

    def _remember(self, token: str, known: tuple[Issuer, int, ForeignClaims] | None) -> None:
        self._known[token] = known
        if len(self._known) > self._most:
            self._known.popitem(last=False)
