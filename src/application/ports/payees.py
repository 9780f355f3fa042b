"""Payees at the gateway, in our own words: accounts of organizations that payments go to.

They refuse as the gateway does: `Declined`, `GatewayUnavailable`, `GatewaySilent` (see `application.ports.payments`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.payments import GatewayPayee, GatewayPayout, GatewayShare, SourceKind
from domain.shared.ids import OrganizationId, PayeeId


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeOrder:
    """Make an account for an organization. The same payee is one order, however often it is given."""

    payee_id: PayeeId
    organization_id: OrganizationId
    name: str
    email: str
    since: datetime
    """Not earlier than this can it have been made."""


class PayeeDesk(Protocol):
    """Where organizations become payees, and are asked who they are."""

    @property
    def name(self) -> str:
        """The word under which payees remember their gateway."""
        ...

    async def enrol(self, order: PayeeOrder) -> str:
        """The reference of that payee's account, made if there is none; `Declined`, `GatewayUnavailable` or
        `GatewaySilent`."""
        ...

    async def link(self, ref: str, *, return_url: str, refresh_url: str) -> str:
        """Where whoever stands behind the account tells the gateway what it wants to know; good once, for a few
        minutes. Who comes with a spent one is sent to `refresh_url`. `Declined`, `NotFound` or `GatewayUnavailable`."""
        ...

    async def find(self, ref: str) -> GatewayPayee:
        """How it stands now; `NotFound` or `GatewayUnavailable`."""
        ...


class Shares(Protocol):
    """What becomes of payments that go to payees."""

    async def share(self, payment_ref: str) -> GatewayShare:
        """Everything that moved between the platform and the payee of that payment so far; of one that is not shared,
        nothing. `NotFound` or `GatewayUnavailable`."""
        ...

    async def behind(self, kind: SourceKind, ref: str) -> str:
        """The reference of the payment that this transfer or fee is of; `NotFound` or `GatewayUnavailable`."""
        ...

    async def payout(self, payee_ref: str, ref: str) -> GatewayPayout:
        """How a payout of that payee stands now; `NotFound` or `GatewayUnavailable`."""
        ...


class AccountDesk(Protocol):
    """The organization's side of the simulated gateway, where an account is opened by saying yes."""

    async def find(self, ref: str) -> GatewayPayee:
        """How the account stands."""
        ...

    async def answer(self, ref: str) -> GatewayPayee:
        """Answer all that the gateway asks for."""
        ...
