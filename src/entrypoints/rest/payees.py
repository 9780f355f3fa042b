"""What an organization receives: its own account at the gateway, what is paid out from there, and its books."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter

from application.payments import BecomePayee, GetPayee, LinkPayee, ListPayouts, MeetPayee, OrganizationBalances
from domain.payments import Books, PayeeState, PayoutState
from domain.shared.ids import OrganizationId, PayeeId, PayoutId
from domain.shared.money import Money
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class BalanceOut(Out):
    """What one account comes to in one currency; below zero is what it owes, or has given more than it got."""

    id: UUID
    books: Books
    organization_id: OrganizationId | None
    account: str
    amount: Money
    position: int
    """Up to which place in the chain of the ledger it is counted."""
    updated_at: datetime


class PayeeOut(Out):
    """An organization's account at the gateway."""

    id: PayeeId
    version: int
    organization_id: OrganizationId
    gateway: str
    gateway_ref: str | None
    state: PayeeState
    takes_charges: bool
    """Whether payments go there; until then the platform takes them."""
    pays_out: bool
    """Whether what is there is paid out to the bank."""
    wanted: tuple[str, ...]
    """What the gateway wants to know, in its own words."""
    created_at: datetime


class PayeeLinkOut(Out):
    """Where an owner answers what the gateway asks; good once, for a few minutes."""

    url: str


class PayoutOut(Out):
    """Money on its way to an organization's bank, or there, or returned."""

    id: PayoutId
    version: int
    organization_id: OrganizationId
    gateway_ref: str
    amount: Money
    state: PayoutState
    failure: str
    """Why it did not arrive, as a stable word of the gateway's."""
    arrives_at: datetime | None
    created_at: datetime
    settled_at: datetime | None


def payees(use: UseCases) -> APIRouter:
    """Routes under /v1/organizations/{id} about its money."""
    router = api_router("/organizations", tag="payees")
    become, meet, get_payee, link_payee = use(BecomePayee), use(MeetPayee), use(GetPayee), use(LinkPayee)
    list_payouts, organization_balances = use(ListPayouts), use(OrganizationBalances)

    @router.put("/{organization_id}/payee", **speaks(BecomePayee, *MeetPayee.refuses))
    async def open(actor: Somebody, organization_id: OrganizationId, once: Commanded) -> PayeeOut:
        await once(lambda: become(actor, organization_id))
        return PayeeOut.of(await once.then(lambda: meet(actor, organization_id)))

    @router.get("/{organization_id}/payee", **speaks(GetPayee))
    async def read(actor: Somebody, organization_id: OrganizationId) -> PayeeOut:
        return PayeeOut.of(await get_payee(actor, organization_id))

    @router.post("/{organization_id}/payee/link", **speaks(LinkPayee, *BecomePayee.refuses, *MeetPayee.refuses))
    async def link(actor: Somebody, organization_id: OrganizationId, once: Commanded) -> PayeeLinkOut:
        await once(lambda: become(actor, organization_id))
        await once.then(lambda: meet(actor, organization_id))
        return PayeeLinkOut(url=await link_payee(actor, organization_id))

    @router.get("/{organization_id}/payouts", **speaks(ListPayouts))
    async def payouts(actor: Somebody, organization_id: OrganizationId, page: Asked) -> Paged[PayoutOut]:
        found = await list_payouts(actor, organization_id, after=page.after, limit=page.limit)
        return page.project(found, PayoutOut)

    @router.get("/{organization_id}/balances", **speaks(OrganizationBalances))
    async def balances(actor: Somebody, organization_id: OrganizationId, page: Asked) -> Paged[BalanceOut]:
        found = await organization_balances(actor, organization_id, after=page.after, limit=page.limit)
        return page.project(found, BalanceOut)

    return router
