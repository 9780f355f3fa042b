"""Shared payments: what of each went to its organization's account and came back, at the gateway and in the ledger."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from application.payments.reconciling.comparing import Gains, gained_here, gained_there, share_difference
from application.payments.reconciling.putting_right import NOTHING, Doubt, Oddity, PutRight, counted
from application.payments.reconciling.theirs import Shown
from application.ports.criteria import AnyOf
from domain.payments import Count, GatewayShare, Payment
from domain.shared.errors import NotFound

AT_ONCE = 8
"""How many shares the gateway is asked for side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The shares of captured payments, each asked for once in a reconciliation."""

    put_right: PutRight
    shown: Shown

    async def moved(self, payment_refs: Iterable[str | None]) -> Count:
        """Those of the payments whose money moved."""
        refs = AnyOf(tuple({ref for ref in payment_refs if ref}))
        if not refs.values:
            return NOTHING
        async with self.put_right.begin(self.put_right.actor) as work:
            found = await work.payments.find(gateway=self.put_right.gateway.name, gateway_ref=refs)
        return await self.of(found)

    async def of(self, page: Sequence[Payment]) -> Count:
        """Those of these payments, as far as they are shared and were not asked for."""
        asking = asyncio.Semaphore(AT_ONCE)
        shared = [each for each in page if each.share and each.is_captured and each.id not in self.shown.ids]
        return counted(len(shared), await asyncio.gather(*(self._share(each, asking) for each in shared)))

    async def _share(self, payment: Payment, asking: asyncio.Semaphore) -> Count:
        ref = payment.gateway_ref or ""
        async with asking:
            try:
                theirs = await self.put_right.shares.share(ref)
            except NotFound:
                return NOTHING  # the payment is not known there, which is for the payments to say
            here = await self._here(payment)
            self.shown.add(payment.id)
            if _fits(theirs, here):
                await self.put_right.fit("share", [ref])
                return NOTHING
            return await self._put_right(payment, theirs, here)

    async def _put_right(self, payment: Payment, theirs: GatewayShare, here: Gains) -> Count:
        ref = payment.gateway_ref or ""
        if not theirs.moved:
            kind, said = share_difference(theirs, {}, here)
            return await self.put_right.file(
                Doubt(about="share", ref=ref), Oddity(kind=kind, said=said, payment=payment)
            )

        async def odd() -> Oddity | None:
            news, booked = await self.put_right.shares.share(ref), await self._here(payment)
            if _fits(news, booked):
                return None
            kind, said = share_difference(news, gained_there(news), booked)
            return Oddity(kind=kind, said=said, payment=payment)

        first = theirs.moved[0].ref
        return await self.put_right.by_telling(Doubt(about="share", ref=ref, thing="transfer", thing_ref=first), odd)

    async def _here(self, payment: Payment) -> Gains:
        async with self.put_right.begin(self.put_right.actor) as work:
            return gained_here(payment, await work.ledger.find(payment_id=payment.id))


def _fits(theirs: GatewayShare, here: Gains) -> bool:
    """A payment that was captured for its organization went there; what moved is what the ledger has."""
    return bool(theirs.moved) and gained_there(theirs) == here
