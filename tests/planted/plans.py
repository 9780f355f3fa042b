"""Ways of following plans, invoices and the gateway's books that lose money or customers; see `Stage`."""

from dataclasses import dataclass
from typing import Any

from application.billing import ProcessBilling
from application.billing.following import Effect
from application.invoicing import SettleInvoice
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, Work
from domain.payments import Outcome, PaymentCaptured
from domain.shared.actors import Actor


class FollowsNothing(ProcessBilling):
    """Takes the first word about a subscription for the last."""

    async def _subscription(self, actor: Actor, ref: str, *, trial_ends: bool) -> Effect:
        async with self.begin(actor) as work:
            known = await self._ours(work, ref)
        if known is None:
            return await ProcessBilling._subscription(self, actor, ref, trial_ends=trial_ends)

        async def effect(_: Work) -> tuple[Outcome, str]:
            return Outcome.SETTLED, ""

        return effect


class CountsTwice(SettleInvoice):
    """Counts on an invoice what was captured, and forgets that it did not have to."""

    async def __call__(self, actor: Actor, event: PaymentCaptured) -> None:
        await SettleInvoice.__call__(self, actor, event)
        if event.invoice_id is None:
            return
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(event.invoice_id)
            invoice.paid += event.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverReconciles:
    """Trusts that every message arrives."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, *_: Any) -> int:
        return 0
