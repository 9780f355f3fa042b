"""What we have, held against what the gateway says of it, and against our own ledger."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from application.payments.reconciling.comparing import (
    booked,
    difference,
    expected_there,
    fits,
    refund_difference,
    refund_fits,
)
from application.payments.reconciling.putting_right import NOTHING, Doubt, Oddity, PutRight, counted
from application.payments.reconciling.theirs import Shown
from application.ports.criteria import AnyOf
from domain.payments import Count, DiscrepancyKind, LedgerEntry, Payment, Refund, RefundState
from domain.shared.errors import NotFound
from domain.shared.ids import PaymentId, RefundId

AT_ONCE = 8
"""How many questions the gateway is asked side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our payments and refunds, a page at a time. What the gateway has shown already is not asked about again."""

    put_right: PutRight
    shown: Shown

    async def payments(self, page: Sequence[Payment]) -> Count:
        """Whether the gateway knows them, and the ledger says what they say."""
        unseen = [each for each in page if expected_there(each) and each.id not in self.shown.ids]
        asking = asyncio.Semaphore(AT_ONCE)
        came = await asyncio.gather(*(self._payment(each, asking) for each in unseen))
        entries = await self._entries(page)
        odd = [each for each in page if not self._is_booked(each, entries.get(PaymentId(each.id), []))]
        await self.put_right.fit("ledger", [_ledger_ref(each) for each in page if each not in odd])
        return counted(len(page), [*came, *[await self._unbooked(each) for each in odd]])

    async def refunds(self, page: Sequence[Refund]) -> Count:
        """Whether the gateway knows them, and says the same."""
        unseen = [each for each in page if each.gateway_ref and each.id not in self.shown.ids]
        asking = asyncio.Semaphore(AT_ONCE)
        return counted(len(page), await asyncio.gather(*(self._refund(each, asking) for each in unseen)))

    async def _payment(self, ours: Payment, asking: asyncio.Semaphore) -> Count:
        ref = ours.gateway_ref or ""
        doubt = Doubt(about="payment", ref=ref, payment_ref=ref)
        async with asking:
            try:
                theirs = await self.put_right.gateway.find(ref)
            except NotFound:
                said = f"we say {ours.state.value}, {ours.captured} captured of {ours.amount}"
                return await self.put_right.file(doubt, Oddity(kind=DiscrepancyKind.MISSING, said=said, payment=ours))
        if fits(ours, theirs):
            return NOTHING

        async def odd() -> Oddity | None:
            async with self.put_right.begin(self.put_right.actor) as work:
                now = await work.payments.get(ours.id)
            if fits(now, theirs):
                return None
            kind, said = difference(now, theirs)
            return Oddity(kind=kind, said=said, payment=now)

        return await self.put_right.by_telling(doubt, odd)

    async def _refund(self, ours: Refund, asking: asyncio.Semaphore) -> Count:
        ref = ours.gateway_ref or ""
        async with self.put_right.begin(self.put_right.actor) as work:
            payment = await work.payments.get(ours.payment_id)
        doubt = Doubt(about="refund", ref=ref, payment_ref=payment.gateway_ref, refund_ref=ref)
        async with asking:
            try:
                theirs = await self.put_right.gateway.find_refund(ref)
            except NotFound:
                if ours.state is RefundState.FAILED:
                    return NOTHING
                said = f"we say {ours.state.value}, {ours.amount}"
                return await self.put_right.file(
                    doubt, Oddity(kind=DiscrepancyKind.MISSING, said=said, payment=payment)
                )
        if refund_fits(ours, theirs):
            return NOTHING

        async def odd() -> Oddity | None:
            async with self.put_right.begin(self.put_right.actor) as work:
                now = await work.refunds.get(RefundId(ours.id))
            if refund_fits(now, theirs):
                return None
            kind, said = refund_difference(now, theirs)
            return Oddity(kind=kind, said=said, payment=payment)

        return await self.put_right.by_telling(doubt, odd)

    async def _unbooked(self, seen: Payment) -> Count:
        """Only what stands still is judged: a payment that moves between two looks is somebody's work in hand."""
        async with self.put_right.begin(self.put_right.actor) as work:
            payment = await work.payments.get(seen.id)
        entries = (await self._entries([payment])).get(PaymentId(payment.id), [])
        async with self.put_right.begin(self.put_right.actor) as work:
            after = await work.payments.get(seen.id)
        if after.version != payment.version or self._is_booked(payment, entries):
            return NOTHING
        holds = booked(entries, payment.gateway, payment.amount.currency)
        said = f"the ledger says {holds}, the payment {payment.captured - payment.refunded}"
        doubt = Doubt(about="ledger", ref=_ledger_ref(payment))
        return await self.put_right.file(doubt, Oddity(kind=DiscrepancyKind.UNBOOKED, said=said, payment=payment))

    def _is_booked(self, payment: Payment, entries: list[LedgerEntry]) -> bool:
        held = booked(entries, payment.gateway, payment.amount.currency)
        return held == payment.captured - payment.refunded

    async def _entries(self, page: Sequence[Payment]) -> dict[PaymentId | None, list[LedgerEntry]]:
        found: dict[PaymentId | None, list[LedgerEntry]] = {}
        async with self.put_right.begin(self.put_right.actor) as work:
            for entry in await work.ledger.find(payment_id=AnyOf(tuple(each.id for each in page))) if page else []:
                found.setdefault(entry.payment_id, []).append(entry)
        return found


def _ledger_ref(payment: Payment) -> str:
    return payment.gateway_ref or str(payment.id)
