"""Ways of reconciling that leave money where it is not. Each must be noticed by the storms."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from application.payments import FetchWebhooks, Reconcile
from application.payments.reconciling import walking
from application.payments.reconciling.accounts import Accounts
from application.payments.reconciling.shared import Shared
from application.payments.settling import post
from domain.payments import Count, Reconciliation, SourceKind, capture_entries
from domain.shared.actors import SYSTEM
from domain.shared.ids import ReconciliationId
from domain.shared.money import Money
from domain.shared.time import Span


async def only_fetching(shop: Any, span: Span) -> Reconciliation:
    """Believes that what is in the inbox is all there is."""
    shop.clock.set(span.ends_at)
    fetched = await shop.use(FetchWebhooks)(SYSTEM)
    await shop.work()
    run = Reconciliation(
        id=ReconciliationId(shop.ids.new()), gateway="simulated", since=span.starts_at, until=span.ends_at,
        begun_at=span.ends_at,
    )  # fmt: skip
    run.turn(Count(fetched=fetched.fetched), cursor="", now=span.ends_at)
    return run


async def never(shop: Any, span: Span) -> Reconciliation:
    """Trusts that nothing is ever lost."""
    return Reconciliation(
        id=ReconciliationId(shop.ids.new()), gateway="simulated", since=span.starts_at, until=span.ends_at,
        begun_at=span.ends_at,
    )  # fmt: skip


async def posting_by_hand(shop: Any, span: Span) -> Reconciliation:
    """Mends the ledger by what moved at the gateway, past the payment it belongs to."""
    shop.clock.set(span.ends_at)
    now = shop.clock.now()
    moved = await shop.ports["gateway_records"].movements(span, None)
    for movement in moved.items:
        if movement.kind is not SourceKind.CAPTURE:
            continue
        async with shop.begin(SYSTEM) as work:
            payment = await work.payments.first(gateway_ref=movement.ref)
            if payment is not None and not payment.is_captured:
                assert isinstance(movement.amount, Money)
                post(work, capture_entries(payment, movement.amount, new=shop.ids.new, now=now))
    run: Reconciliation = await shop.use(Reconcile)(SYSTEM, span)
    await shop.work()
    return run


class LooksAwayFromPayouts(Accounts):
    """Asks how an account stands, and not what was paid out from it."""

    async def _payouts(self, payee: Any) -> Count:
        return Count()


class AsksNoAccount(Accounts):
    """Lists the payouts of an account, and does not ask how it stands."""

    async def _standing(self, payee: Any) -> Count:
        return Count()


class LooksAwayFromShares(Shared):
    """Takes for granted that what was captured went where it was to go."""

    async def of(self, page: Any) -> Count:
        return Count()


def with_blinkers(name: str, instead: type[Any]) -> Callable[[Any, Span], Any]:
    """Reconciles with this in place of ours."""

    async def walk(shop: Any, span: Span) -> Reconciliation:
        shop.clock.set(span.ends_at)
        with patch.object(walking, name, instead):
            run: Reconciliation = await shop.use(Reconcile)(SYSTEM, span)
        await shop.work()
        return run

    return walk


CARELESS: dict[str, Callable[[Any, Span], Any]] = {
    "lost messages stay lost": never,
    "what was lost is fetched, never compared": only_fetching,
    "the ledger is mended past the payment": posting_by_hand,
    "payouts are not looked at": with_blinkers("Accounts", LooksAwayFromPayouts),
    "nobody asks how accounts stand": with_blinkers("Accounts", AsksNoAccount),
}
