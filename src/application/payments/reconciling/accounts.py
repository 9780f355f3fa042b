"""Organizations' own accounts at the gateway: how each stands, and what was paid out from there."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from application.payments.reconciling.comparing import (
    paid_out,
    payee_difference,
    payout_difference,
    payout_fits,
)
from application.payments.reconciling.putting_right import NOTHING, Doubt, Oddity, PutRight, counted
from application.ports.criteria import AnyOf, Between
from application.ports.reconciling import GatewayRecords
from domain.payments import (
    Count,
    DiscrepancyKind,
    GatewayPayout,
    LedgerEntry,
    Payee,
    Payout,
    PayoutState,
    SourceKind,
    source_of,
)
from domain.shared.errors import NotFound
from domain.shared.money import Money
from domain.shared.time import Span

AT_ONCE = 8
"""How many accounts the gateway is asked about side by side."""
RETURNED_WITHIN = timedelta(days=14)
"""How long after a payout was made its bank still takes or returns it: so far back payouts are looked at again."""
_PAYOUTS = (SourceKind.PAYOUT, SourceKind.PAYOUT_RETURNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Accounts of organizations, a page at a time, and the payouts of a stretch of time."""

    put_right: PutRight
    records: GatewayRecords
    span: Span

    async def page(self, page: Sequence[Payee]) -> Count:
        """Each of them: first how it stands, then what was paid out from it."""
        asking = asyncio.Semaphore(AT_ONCE)
        came = await asyncio.gather(*(self._account(each, asking) for each in page))
        return counted(sum(each.looked_at for each in came), came)

    async def _account(self, payee: Payee, asking: asyncio.Semaphore) -> Count:
        async with asking:
            stands = await self._standing(payee)
            paid = await self._payouts(payee)
        return counted(1 + paid.looked_at, [stands, paid])

    async def _standing(self, payee: Payee) -> Count:
        ref, right = payee.gateway_ref or "", self.put_right
        doubt = Doubt(about="payee", ref=ref, thing="payee", thing_ref=ref, payee_ref=ref)
        try:
            if payee.knows(await right.payee_desk.find(ref)):
                await right.fit("payee", [ref])
                return NOTHING
        except NotFound:
            return await right.file(doubt, Oddity(kind=DiscrepancyKind.MISSING, said=f"we say {payee.state.value}"))

        async def odd() -> Oddity | None:
            news = await right.payee_desk.find(ref)
            async with right.begin(right.actor) as work:
                now = await work.payees.get(payee.id)
            if now.knows(news):
                return None
            return Oddity(kind=DiscrepancyKind.DISAGREES, said=payee_difference(now, news))

        return await right.by_telling(doubt, odd)

    async def _payouts(self, payee: Payee) -> Count:
        """What the gateway shows of them, then what of ours it did not show."""
        reach = Span(self.span.starts_at - RETURNED_WITHIN, self.span.ends_at)
        came: list[Count] = []
        shown: set[str] = set()
        looked_at, after = 0, None
        while True:
            sheet = await self.records.payouts(payee.gateway_ref or "", reach, after)
            came.append(await self._compared(payee, sheet.items))
            shown |= {theirs.ref for theirs in sheet.items}
            looked_at += len(sheet.items)
            if (after := sheet.next) is None:
                break
        alone = [ours for ours in await self._ours(payee, reach) if ours.gateway_ref not in shown]
        return counted(looked_at + len(alone), [*came, *[await self._alone(payee, ours) for ours in alone]])

    async def _ours(self, payee: Payee, reach: Span) -> Sequence[Payout]:
        """Those heard of in that time, and those under way for longer."""
        under_way = AnyOf((PayoutState.PENDING, PayoutState.IN_TRANSIT))
        async with self.put_right.begin(self.put_right.actor) as work:
            lately = Between(reach.starts_at, reach.ends_at)
            heard_of = await work.payouts.find(payee_id=payee.id, created_at=lately)
            left = await work.payouts.find(payee_id=payee.id, state=under_way)
        return list({ours.id: ours for ours in [*heard_of, *left]}.values())

    async def _alone(self, payee: Payee, ours: Payout) -> Count:
        try:
            theirs = await self.put_right.shares.payout(payee.gateway_ref or "", ours.gateway_ref)
        except NotFound:
            said = f"we say {ours.state.value}, {ours.amount}"
            return await self.put_right.file(
                Doubt(about="payout", ref=ours.gateway_ref), Oddity(kind=DiscrepancyKind.MISSING, said=said)
            )
        return await self._compared(payee, [theirs])

    async def _compared(self, payee: Payee, sheet: Sequence[GatewayPayout]) -> Count:
        """A sheet of them, compared whole; what differs is looked at alone."""
        booked = await self._booked(sheet)
        odd = [theirs for theirs in sheet if not booked.fits(theirs)]
        await self.put_right.fit("payout", [theirs.ref for theirs in sheet if theirs not in odd])
        return counted(0, [await self._payout(payee, theirs) for theirs in odd])

    async def _payout(self, payee: Payee, theirs: GatewayPayout) -> Count:
        payee_ref, right = payee.gateway_ref or "", self.put_right
        doubt = Doubt(about="payout", ref=theirs.ref, thing="payout", thing_ref=theirs.ref, payee_ref=payee_ref)

        async def odd() -> Oddity | None:
            news = await right.shares.payout(payee_ref, theirs.ref)
            booked = await self._booked([news])
            if booked.fits(news):
                return None
            kind, said = payout_difference(booked.payouts.get(news.ref), news, booked.there(news))
            return Oddity(kind=kind, said=said)

        return await right.by_telling(doubt, odd)

    async def _booked(self, sheet: Sequence[GatewayPayout]) -> "PaidOut":
        if not sheet:
            return PaidOut()
        name, entries = self.put_right.gateway.name, dict[str, list[LedgerEntry]]()
        async with self.put_right.begin(self.put_right.actor) as work:
            refs = AnyOf(tuple(theirs.ref for theirs in sheet))
            payouts = {each.gateway_ref: each for each in await work.payouts.find(gateway=name, gateway_ref=refs)}
            sources = AnyOf(tuple(source_of(name, ref) for ref in payouts))
            for kind in _PAYOUTS if payouts else ():
                for entry in await work.ledger.find(source_kind=kind, source_id=sources):
                    entries.setdefault(entry.source_id.partition(":")[2], []).append(entry)
        return PaidOut(payouts=payouts, entries=entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOut:
    """What we say of some payouts, and our ledger, by the gateway's reference."""

    payouts: Mapping[str, Payout] = field(default_factory=dict)
    entries: Mapping[str, Sequence[LedgerEntry]] = field(default_factory=dict)

    def there(self, theirs: GatewayPayout) -> Money:
        """What of it the ledger has at the organization's bank."""
        ours = self.payouts.get(theirs.ref)
        return paid_out(ours, self.entries.get(theirs.ref, ())) if ours else Money.zero(theirs.amount.currency)

    def fits(self, theirs: GatewayPayout) -> bool:
        """Whether both sides say the same, and the ledger what we say."""
        return payout_fits(self.payouts.get(theirs.ref), theirs, self.there(theirs))
