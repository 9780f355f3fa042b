"""What an organization receives: its accounts in the books."""

from datetime import datetime

from fastapi import APIRouter

from application.payments import OrganizationBalances
from domain.payments import Books
from domain.shared.ids import OrganizationId
from domain.shared.money import Money
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class BalanceOut(Out):
    """What one account comes to in one currency; below zero is what it owes, or has given more than it got."""

    books: Books
    organization_id: OrganizationId | None
    account: str
    amount: Money
    position: int
    """Up to which place in the chain of the ledger it is counted."""
    updated_at: datetime


def payees(use: UseCases) -> APIRouter:
    """Routes under /v1/organizations/{id} about its money."""
    router = api_router("/organizations", tag="payees")
    organization_balances = use(OrganizationBalances)

    @router.get("/{organization_id}/balances", **speaks(OrganizationBalances))
    async def balances(actor: Somebody, organization_id: OrganizationId, page: Asked) -> Paged[BalanceOut]:
        found = await organization_balances(actor, organization_id, after=page.after, limit=page.limit)
        return page.project(found, BalanceOut)

    return router
