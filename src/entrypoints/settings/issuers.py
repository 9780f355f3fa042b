"""The settings of other issuers whose access tokens are accepted."""

from base64 import b64decode
from binascii import Error
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import NoDecode

from entrypoints.settings.values import Listed, Lowered, Origins, Secrets, WebAddress, web_address


class IssuerName(StrEnum):
    """Whose tokens are accepted beside our own."""

    SUPABASE = "supabase"
    CLERK = "clerk"


Issuers = Annotated[tuple[Annotated[IssuerName, Lowered], ...], NoDecode, Listed]


@dataclass(frozen=True, slots=True)
class FurtherIssuer:
    """An issuer whose tokens are still accepted, such as the project one has just moved away from. Without a secret,
    its keys are those it publishes."""

    kind: IssuerName
    issuer: str
    secret: str = field(default="", repr=False)

    @classmethod
    def parse(cls, value: str) -> "FurtherIssuer":
        """Of `kind|issuer` or `kind|issuer|secret`; raises ValueError."""
        kind, _, rest = value.partition("|")
        issuer, _, secret = rest.partition("|")
        if kind not in list(IssuerName):
            raise ValueError("it begins with supabase| or clerk|")
        if secret and (len(secret) < 32 or kind != IssuerName.SUPABASE):
            raise ValueError("a secret is one of Supabase's, of 32 characters or more")
        return cls(IssuerName(kind), web_address(issuer), secret)


class IssuerSettings(BaseModel):
    """Who else may say who somebody is."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    accept_tokens_of: Issuers = ()
    """Whose access tokens are accepted beside our own, separated by commas: `supabase`, `clerk`."""
    trust_addresses_of: Issuers = ()
    """Which of them let nobody in before their e-mail address was confirmed: what their tokens name then counts as
    confirmed. Others' addresses count only where the issuer says so itself."""
    join_by_confirmed_address: bool = False
    """Whether somebody new from another issuer joins the account that has the same address, where both sides have
    confirmed it. Without it, people link the two themselves, while signed in."""
    further_issuers: Secrets = ()
    """Issuers that are still accepted while their tokens last, separated by commas: `supabase|https://...` with the
    secret behind another `|` if it has no keys, or `clerk|https://...`."""
    clerk_issuer: WebAddress | None = Field(default=None, validation_alias="CLERK_ISSUER")
    """The address of your Clerk instance's Frontend API, `https://clerk.your-site.com`; or give its publishable key."""
    clerk_publishable_key: str | None = Field(default=None, validation_alias="CLERK_PUBLISHABLE_KEY")
    """Its publishable key, `pk_test_...` or `pk_live_...`, which holds that address."""
    clerk_authorized_parties: Origins = Field(default=(), validation_alias="CLERK_AUTHORIZED_PARTIES")
    """The origins of the pages whose Clerk tokens are meant for us, separated by commas."""
    clerk_webhook_secret: Secrets = Field(default=(), validation_alias="CLERK_WEBHOOK_SECRET")
    """The signing secrets of Clerk's webhook endpoint, `whsec_...`, separated by commas while one is being rolled."""

    @property
    def clerk_address(self) -> str:
        """The issuer of the Clerk instance, however it was named; empty where it was not."""
        if self.clerk_issuer is None and self.clerk_publishable_key is not None:
            return host_of(self.clerk_publishable_key)
        return self.clerk_issuer or ""

    @property
    def still_accepted(self) -> tuple[FurtherIssuer, ...]:
        """The further issuers, read."""
        return tuple(FurtherIssuer.parse(one.get_secret_value()) for one in self.further_issuers)


def is_signing_secret(value: str) -> bool:
    """Whether that is a secret messages are signed with: `whsec_` and 16 bytes or more in base64."""
    try:
        encoded = value.removeprefix("whsec_")
        return encoded != value and len(b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)) >= 16
    except (Error, ValueError):
        return False


def host_of(publishable_key: str) -> str:
    """The address a publishable key of Clerk holds: its host and a `$`, in base64. Empty when it holds none."""
    kind, _, encoded = publishable_key.rpartition("_")
    try:
        host = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode("ascii")
    except (Error, UnicodeDecodeError):
        return ""
    name = host.removesuffix("$")
    whole = kind in ("pk_test", "pk_live") and name != host and urlsplit(f"https://{name}").hostname == name
    return f"https://{name}" if whole else ""
