"""A payee: an organization as the gateway knows it, with an account of its own that payments can go to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict
from domain.shared.ids import OrganizationId, PayeeId


class PayeeState(StrEnum):
    """How an organization stands with the gateway. `onboarding`: it has yet to say who it is; `enabled`: payments go to
    its account, and from there to its bank; `restricted`: the gateway wants to know more, and holds one or the other
    back until then; `rejected`: the gateway will not have it."""

    ONBOARDING = "onboarding"
    ENABLED = "enabled"
    RESTRICTED = "restricted"
    REJECTED = "rejected"


class NotSharedHere(Conflict):
    """This house takes all payments in its own name."""

    code = "payee.not_offered"

    def __init__(self) -> None:
        super().__init__("payments do not go to accounts of organizations here")


class PayeeRejected(Conflict):
    """The gateway will not have this organization."""

    code = "payee.rejected"

    def __init__(self) -> None:
        super().__init__("the payment gateway has turned this organization down; write to us")


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeMoved(Event):
    """An organization stands otherwise with the gateway than before; `wanted` is what the gateway asks it for."""

    name: ClassVar[str] = "payee.moved"
    payee_id: PayeeId
    organization_id: OrganizationId
    before: PayeeState
    state: PayeeState
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPayee:
    """How the gateway says an account stands at the moment of asking."""

    gateway: str
    ref: str
    takes_charges: bool
    pays_out: bool
    submitted: bool
    """Whether whoever stands behind it has answered all that was asked at first."""
    rejected: bool = False
    wanted: tuple[str, ...] = ()
    """What the gateway wants to know now, in its own words."""


@dataclass(eq=False, slots=True, kw_only=True)
class Payee(Aggregate):
    """An organization's account at a gateway: one for each pair, under one reference. Without a reference it is only
    meant to be: the gateway is asked under our own id, so that asking twice makes one."""

    id: PayeeId
    organization_id: OrganizationId
    gateway: str
    gateway_ref: str | None = None
    state: PayeeState = PayeeState.ONBOARDING
    takes_charges: bool = False
    pays_out: bool = False
    wanted: tuple[str, ...] = ()
    created_at: datetime

    @classmethod
    def intend(cls, *, id: PayeeId, organization_id: OrganizationId, gateway: str, now: datetime) -> "Payee":
        """Meant to be one; the gateway hears of it once this is stored."""
        return cls(id=id, organization_id=organization_id, gateway=gateway, created_at=now)

    def known_as(self, ref: str) -> None:
        """The gateway's reference; the first one stays."""
        if self.gateway_ref is None:
            self.gateway_ref = ref

    def must_be_welcome(self) -> None:
        """Refuse what the gateway would turn down anyway."""
        if self.state is PayeeState.REJECTED:
            raise PayeeRejected

    def knows(self, news: GatewayPayee) -> bool:
        """Whether following this news would change nothing."""
        stands = self.state, self.takes_charges, self.pays_out, self.wanted
        return stands == (_state(news), news.takes_charges, news.pays_out, news.wanted)

    def follow(self, news: GatewayPayee) -> None:
        """Stand as the gateway says now."""
        before, self.state = self.state, _state(news)
        moved = before is not self.state or (self.state is PayeeState.RESTRICTED and self.wanted != news.wanted)
        self.takes_charges, self.pays_out, self.wanted = news.takes_charges, news.pays_out, news.wanted
        if moved:
            self._record(
                PayeeMoved(
                    payee_id=self.id,
                    organization_id=self.organization_id,
                    before=before,
                    state=self.state,
                    wanted=self.wanted,
                )
            )


def _state(news: GatewayPayee) -> PayeeState:
    if news.rejected:
        return PayeeState.REJECTED
    if news.takes_charges and news.pays_out:
        return PayeeState.ENABLED
    return PayeeState.RESTRICTED if news.submitted else PayeeState.ONBOARDING
