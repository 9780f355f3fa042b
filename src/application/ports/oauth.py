"""Signing in by way of others: what is asked of a provider, and the secrets of the way there and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from domain.identity import BadReturn, Provider, Stranger
from domain.shared.ids import OAuthFlowId


class OAuthProvider(Protocol):
    """Somebody who knows the user already. `callback` is our own address, the same in both calls."""

    async def departure(self, *, state: str, nonce: str, challenge: str, callback: str) -> str:
        """Where the browser is sent; it comes back with `state` and a code bound to the S256 `challenge`."""
        ...

    async def identify(self, *, code: str, verifier: str, nonce: str, callback: str) -> Stranger:
        """Whom it vouches for by that code, told for this `nonce` where the provider knows nonces. `ProviderDeclined`
        when the code is not good, `ProviderUnavailable` when it does not answer in a way that can be believed."""
        ...


Providers = Mapping[Provider, OAuthProvider]
"""Those the house has been given an account with."""


class FlowSecret(StrEnum):
    """What each secret of one flow is for."""

    STATE = "state"
    NONCE = "nonce"
    VERIFIER = "verifier"
    BROWSER = "browser"
    CODE = "code"


class FlowSecrets(Protocol):
    """Secrets of a flow, derived from its id, so that only digests are stored and any process can go on with it."""

    def secret(self, flow_id: OAuthFlowId, use: FlowSecret) -> str:
        """That secret, the same each time: 43 URL-safe characters."""
        ...

    def digest(self, secret: str) -> str:
        """What is stored of it, for finding it again."""
        ...

    def challenge(self, verifier: str) -> str:
        """The S256 challenge of a verifier (RFC 7636)."""
        ...


@dataclass(frozen=True, slots=True)
class ReturnOrigins:
    """The origins of the house's own front ends: nobody who signed in is sent anywhere else."""

    origins: tuple[str, ...]

    def judge(self, return_to: str) -> str:
        """The address, or a refusal: its scheme, host and port must be exactly those of a front end."""
        try:
            parts = urlsplit(return_to)
            origin = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
            written = f"{parts.scheme}://{parts.netloc}"
        except ValueError:
            raise BadReturn from None
        plain = return_to.isascii() and return_to.isprintable() and not set(return_to) & set(' \\"<>^`{|}')
        # What a browser and we might read differently (a login before the host, another case) is refused as well.
        if not plain or len(return_to) > LONGEST_RETURN or parts.fragment or written != origin:
            raise BadReturn
        if origin not in self.origins:
            raise BadReturn
        return return_to


LONGEST_RETURN = 1000
