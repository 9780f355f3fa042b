"""Signing keys: one signs, those before it still verify, and all of them can be asked for by their public halves."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import InvalidKeyError
from jwt.utils import base64url_encode

ALGORITHM = "ES256"
"""Bound to every key here: what a token's own header says about it is never asked."""

_PUBLIC = ("kty", "crv", "x", "y")


class KeyringUnusable(ValueError):
    """The keys given are no keys we can sign with."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 key. Its `kid` is its RFC 7638 thumbprint, so that it names itself wherever it goes."""

    kid: str
    private: ec.EllipticCurvePrivateKey
    made_at: datetime
    retired_at: datetime | None = None

    @classmethod
    def generate(cls, *, now: datetime) -> "SigningKey":
        """A new key."""
        return cls._of(ec.generate_private_key(ec.SECP256R1()), made_at=now)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "SigningKey":
        """The key as it was stored."""
        try:
            private = ECAlgorithm.from_jwk(dict(stored))
            made_at = datetime.fromisoformat(stored["made_at"])
            retired = stored.get("retired_at")
        except (InvalidKeyError, KeyError, TypeError, ValueError) as problem:
            raise KeyringUnusable("a signing key cannot be read") from problem
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise KeyringUnusable("a signing key is a private key on the curve P-256")
        return cls._of(private, made_at=made_at, retired_at=datetime.fromisoformat(retired) if retired else None)

    @classmethod
    def _of(
        cls, private: ec.EllipticCurvePrivateKey, *, made_at: datetime, retired_at: datetime | None = None
    ) -> "SigningKey":
        jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        named = json.dumps({name: jwk[name] for name in sorted(_PUBLIC)}, separators=(",", ":"))
        kid = base64url_encode(sha256(named.encode()).digest()).decode()
        return cls(kid, private, made_at, retired_at)

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        """The half that verifies."""
        return self.private.public_key()

    def jwk(self) -> dict[str, str]:
        """The half that verifies, for others."""
        jwk = ECAlgorithm.to_jwk(self.public, as_dict=True)
        return {name: str(jwk[name]) for name in _PUBLIC} | {"kid": self.kid, "use": "sig", "alg": ALGORITHM}

    def stored(self) -> dict[str, str | None]:
        """Both halves, for keeping."""
        jwk = ECAlgorithm.to_jwk(self.private, as_dict=True)
        retired_at = self.retired_at.isoformat() if self.retired_at else None
        kept: dict[str, str | None] = {name: str(jwk[name]) for name in (*_PUBLIC, "d")}
        return kept | {"made_at": self.made_at.isoformat(), "retired_at": retired_at}

    def retire(self, *, now: datetime) -> "SigningKey":
        """The same key, which signs no more."""
        return SigningKey(self.kid, self.private, self.made_at, now)


class Keyring(Protocol):
    """The keys as they are known to this process."""

    @property
    def generation(self) -> int:
        """Grows whenever the keys have changed: what was verified under an earlier one is verified anew."""
        ...

    @property
    def keys(self) -> Sequence[SigningKey]:
        """All that verify, the one that signs first."""
        ...

    def look_again(self) -> None:
        """Notice what another process has changed; cheap when nothing has."""
        ...


class FixedKeyring(Keyring):
    """Keys given as text (the content of a key file), such as by a secret of the platform. They stay as they are."""

    def __init__(self, text: str) -> None:
        self._keys = _parse(text)

    @property
    def generation(self) -> int:
        return 1

    @property
    def keys(self) -> Sequence[SigningKey]:
        return self._keys

    def look_again(self) -> None:
        """Nothing changes."""


class KeptKeyring(Keyring):
    """Keys in a file readable by its owner only, made on first use, shared by every process that can read it."""

    def __init__(self, file: Path, *, now: datetime) -> None:
        self._file = file
        self._lock = file.with_suffix(".lock")
        self._seen: tuple[int, int] | None = None
        self._keys: Sequence[SigningKey] = ()
        self._generation = 0
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._exclusively():
            if not file.exists():
                self._keep([SigningKey.generate(now=now)])
        self.look_again()

    @property
    def generation(self) -> int:
        return self._generation

    @property
    def keys(self) -> Sequence[SigningKey]:
        return self._keys

    def look_again(self) -> None:
        # Each change replaces the file, so that a new inode or time of change tells of it. A file that cannot be read
        # just now must not take the keys away that are known.
        try:
            status = self._file.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if seen == self._seen:
                return
            keys = _parse(self._file.read_text())
        except (OSError, KeyringUnusable):
            if not self._keys:
                raise
            return
        self._keys, self._seen = keys, seen
        self._generation += 1

    def rotate(self, *, now: datetime, keep: timedelta = timedelta(days=1)) -> SigningKey:
        """A new key signs from now on. The others verify until they have been retired for as long as `keep`; nothing at
        all drops them at once, and with them every token they signed."""
        with self._exclusively():
            self.look_again()
            retired = [key if key.retired_at else key.retire(now=now) for key in self._keys]
            fresh = SigningKey.generate(now=now)
            self._keep([fresh, *(key for key in retired if key.retired_at and key.retired_at + keep > now)])
            self.look_again()
        return fresh

    def _keep(self, keys: Sequence[SigningKey]) -> None:
        drawn = self._file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            json.dump({"keys": [key.stored() for key in keys]}, handle, indent=1)
        drawn.replace(self._file)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        with self._lock.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _parse(text: str) -> Sequence[SigningKey]:
    """The keys of a key file; the first one signs."""
    try:
        stored = json.loads(text)["keys"]
        keys = tuple(SigningKey.read(key) for key in stored)
    except (ValueError, KeyError, TypeError) as problem:
        raise KeyringUnusable("the signing keys cannot be read") from problem
    if not keys:
        raise KeyringUnusable("there is no signing key")
    return keys
