"""Keys that verify, each bound to the one algorithm it is for: what a token says about itself is never asked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import Algorithm, ECAlgorithm, HMACAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

ES256, RS256, HS256 = "ES256", "RS256", "HS256"
SHORTEST_SECRET = 32
_ALGORITHMS: Mapping[str, Algorithm] = {
    ES256: ECAlgorithm(ECAlgorithm.SHA256),
    RS256: RSAAlgorithm(RSAAlgorithm.SHA256),
    HS256: HMACAlgorithm(HMACAlgorithm.SHA256),
}
_SHORTEST_RSA = 2048
_MOST_KEYS = 50


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key, its name, and what it verifies."""

    kid: str | None
    algorithm: str
    key: Any = field(repr=False)

    def fits(self, signed: bytes, signature: bytes) -> bool:
        """Whether that signature was made by the other half of this key over those bytes."""
        return _ALGORITHMS[self.algorithm].verify(signed, self.key, signature)


class Keys(Protocol):
    """The keys of an issuer, as far as we know them."""

    @property
    def generation(self) -> int:
        """Grows whenever they change: what was verified under earlier ones is verified anew."""
        ...

    def freshen(self) -> None:
        """Look after them beside the request at hand, if it is time to; costs next to nothing if it is not."""
        ...

    async def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerifyingKey]:
        """Those a token of that algorithm and key may be signed with; none for what is not known, however often asked.
        `Unavailable` when nothing is known yet and nobody answers."""
        ...


class SharedSecret(Keys):
    """One secret both sides know, as issuers had it before they had keys. It names no key, and is asked by none."""

    def __init__(self, secret: str) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"a secret that signs has at least {SHORTEST_SECRET} characters")
        self._keys = (VerifyingKey(None, HS256, secret.encode()),)

    @property
    def generation(self) -> int:
        return 1

    def freshen(self) -> None:
        """A secret stays as it is."""

    async def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerifyingKey]:
        return self._keys if algorithm == HS256 else ()


class AnyOfKeys(Keys):
    """Several kinds of keys of one issuer, such as while it changes from a secret to keys."""

    def __init__(self, *kinds: Keys) -> None:
        self._kinds = kinds

    @property
    def generation(self) -> int:
        return sum(kind.generation for kind in self._kinds)

    def freshen(self) -> None:
        for kind in self._kinds:
            kind.freshen()

    async def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerifyingKey]:
        for kind in self._kinds:
            if found := await kind.candidates(algorithm, kid):
                return found
        return ()


class BadKeySet(ValueError):
    """What was fetched is no JSON Web Key Set, or holds no key we can use."""


def read_key_set(raw: bytes, algorithms: frozenset[str]) -> tuple[VerifyingKey, ...]:
    """The usable keys of a JSON Web Key Set: public, for signatures, strong enough, and for one of these algorithms.
    Others are passed over, for a set may hold keys for other purposes; one without any of ours is refused."""
    try:
        listed = json.loads(raw)["keys"]
        if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
            raise BadKeySet("the key set is no list of a few keys")
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise BadKeySet("that is no key set") from problem
    keys = tuple(key for one in listed if (key := _read(one)) is not None and key.algorithm in algorithms)
    if not keys:
        raise BadKeySet("the key set holds no key for signatures of its issuer")
    return keys


def _read(jwk: Any) -> VerifyingKey | None:
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or "d" in jwk:
        return None
    operations, kid = jwk.get("key_ops", ["verify"]), jwk.get("kid")
    if not isinstance(operations, list) or "verify" not in operations or not (kid is None or isinstance(kid, str)):
        return None
    try:
        key = _public(jwk)
    except (InvalidKeyError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        algorithm = ES256
    elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SHORTEST_RSA:
        algorithm = RS256
    else:
        return None
    return VerifyingKey(kid, algorithm, key) if jwk.get("alg", algorithm) == algorithm else None


def _public(jwk: dict[str, Any]) -> object:
    """The key itself. A secret that is published ("oct") is none, and other kinds no issuer of ours signs with."""
    match jwk.get("kty"):
        case "EC":
            return ECAlgorithm.from_jwk(jwk)
        case "RSA":
            return RSAAlgorithm.from_jwk(jwk)
        case _:
            return None
