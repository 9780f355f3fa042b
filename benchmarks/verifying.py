"""What verifying an access token costs, by issuer: seen for the first time, and again.

`python -m benchmarks.verifying` prints a line for each kind, in microseconds: the median of five rounds."""

import asyncio
import json
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

from adapters.jwt_issuers import ALGORITHMS, AcceptedTokens, AnyOfKeys, FetchedKeys, SharedSecret, clerk, supabase
from adapters.local_identity import FixedKeyring, LocalAccessTokens, SigningKey
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.ports.identity import BearerTokens
from tests.support.issuers import (
    ANN,
    CLERK,
    PAGE,
    SECRET,
    SUPABASE,
    Key,
    KeyServer,
    clerk_claims,
    es256,
    rs256,
    secretly,
    supabase_claims,
    token,
)

TOKENS, ROUNDS = 300, 5
CLOCK = SystemClock()
OWN = FixedKeyring(json.dumps({"keys": [SigningKey.generate(now=CLOCK.now()).stored()]}))


def _own() -> LocalAccessTokens:
    return LocalAccessTokens(OWN, CLOCK, SystemIds(CLOCK), issuer="guildhall", audience="guildhall")


def _accepted() -> AcceptedTokens:
    keys = {
        name: FetchedKeys(
            f"https://{name}.example/jwks", client=KeyServer(jwks).client, clock=CLOCK, algorithms=ALGORITHMS[name]
        )
        for name, jwks in (("supabase", [es256().jwk(), rs256().jwk()]), ("clerk", [rs256("ins_1").jwk()]))
    }
    issuers = (
        supabase(SUPABASE, AnyOfKeys(SharedSecret(SECRET), keys["supabase"])),
        clerk(CLERK, keys["clerk"], parties=[PAGE]),
    )
    return AcceptedTokens(_own(), issuers, CLOCK)


def _own_token(n: int) -> str:
    key, at = OWN.keys[0], int(CLOCK.now().timestamp())
    said = {"iss": "guildhall", "aud": "guildhall", "sub": ANN, "sid": ANN, "role": "customer", "jti": ANN}
    return token(Key(key.kid, "ES256", key.private), said | {"iat": at, "exp": at + 600, "n": n}, typ="at+jwt")


KINDS: dict[str, tuple[Callable[[], BearerTokens], Callable[[int], str]]] = {
    "ours alone, ES256": (_own, _own_token),
    "ours beside others, ES256": (_accepted, _own_token),
    "supabase, HS256": (_accepted, lambda n: secretly(supabase_claims(CLOCK.now(), n=n))),
    "supabase, ES256": (_accepted, lambda n: token(es256(), supabase_claims(CLOCK.now(), n=n))),
    "supabase, RS256": (_accepted, lambda n: token(rs256(), supabase_claims(CLOCK.now(), n=n))),
    "clerk, RS256": (_accepted, lambda n: token(rs256("ins_1"), clerk_claims(CLOCK.now(), n=n))),
}


async def measured(made: Callable[[], BearerTokens], issued: Callable[[int], str]) -> tuple[float, float]:
    """Microseconds for a token never seen, and for one that was."""
    shown = [issued(n) for n in range(TOKENS)]
    first, again = [], []
    for _ in range(ROUNDS):
        tokens = made()
        await tokens.verify(issued(-1))
        for times in (first, again):
            began = perf_counter()
            for one in shown:
                await tokens.verify(one)
            times.append((perf_counter() - began) / TOKENS * 1e6)
    return median(first), median(again)


async def main() -> None:
    """Every kind, one line each."""
    sys.stdout.write(f"{'microseconds a token':<28}{'first':>8}{'again':>8}\n")
    for name, (made, issued) in KINDS.items():
        first, again = await measured(made, issued)
        sys.stdout.write(f"{name:<28}{first:>8.1f}{again:>8.1f}\n")


if __name__ == "__main__":
    asyncio.run(main())
