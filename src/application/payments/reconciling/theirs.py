"""What the gateway has, held against what we have: payments, refunds, and money that moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from application.payments.reconciling.comparing import difference, fits, refund_difference, refund_fits
from application.payments.reconciling.putting_right import NOTHING, Doubt, Oddity, PutRight, counted
from application.ports.criteria import AnyOf
from application.ports.reconciling import Movement
from domain.payments import (
    Count,
    DiscrepancyKind,
    GatewayPayment,
    GatewayRefund,
    LedgerEntry,
    Payment,
    Refund,
    RefundState,
    SourceKind,
    source_of,
)
from domain.shared.money import Money

_OF_THE_GATEWAY = (SourceKind.CAPTURE, SourceKind.REFUND, SourceKind.REFUND_RETURNED)

MOST_SHOWN = 100_000
"""How many of our own things are remembered as seen at the gateway; those forgotten are asked about one by one."""


@dataclass(slots=True)
class Shown:
    """What of ours the gateway has shown already. It forgets rather than grow."""

    ids: set[UUID] = field(default_factory=set)

    def add(self, id: UUID) -> None:
        """Seen, and it fits."""
        if len(self.ids) < MOST_SHOWN:
            self.ids.add(id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """One sheet after the other of the gateway's records, compared whole; what differs is looked at alone."""

    put_right: PutRight
    shown: Shown

    async def payments(self, sheet: Sequence[GatewayPayment]) -> Count:
        """Payments as they stand there."""
        ours = await self._payments(sheet)
        odd = [theirs for theirs in sheet if not fits(ours.get(theirs.ref), theirs)]
        await self._seen("payment", {theirs.ref: ours.get(theirs.ref) for theirs in sheet if theirs not in odd})
        return counted(len(sheet), [await self._payment(theirs) for theirs in odd])

    async def refunds(self, sheet: Sequence[GatewayRefund]) -> Count:
        """Refunds as they stand there; those of what is not ours are not ours."""
        ours, paid = await self._refunds(sheet), await self._refunded(sheet)
        concern = [each for each in sheet if each.ref in ours or each.refund_id or each.payment_ref in paid]
        odd = [theirs for theirs in concern if not refund_fits(ours.get(theirs.ref), theirs)]
        await self._seen("refund", {theirs.ref: ours.get(theirs.ref) for theirs in concern if theirs not in odd})
        return counted(len(sheet), [await self._refund(theirs) for theirs in odd])

    async def movements(self, sheet: Sequence[Movement]) -> Count:
        """Money that moved there, and whether our ledger has it."""
        booked = await self._booked(sheet)
        unbooked = [moved for moved in sheet if not booked.has(moved)]
        odd = {moved.ref for moved in unbooked}
        await self.put_right.fit("movement", {moved.ref for moved in sheet} - odd)
        return counted(len(sheet), [await self._movement(moved) for moved in unbooked])

    async def _seen(self, about: str, fitting: Mapping[str, Payment | Refund | None]) -> None:
        """These were shown, and say the same on both sides."""
        for ours in fitting.values():
            if ours is not None:
                self.shown.add(ours.id)
        await self.put_right.fit(about, fitting)

    # --- What differs, looked at alone

    async def _payment(self, theirs: GatewayPayment) -> Count:
        async def odd() -> Oddity | None:
            ours = (await self._payments([theirs])).get(theirs.ref)
            if fits(ours, theirs):
                return None
            kind, said = difference(ours, theirs)
            return Oddity(kind=kind, said=said, payment=ours)

        return await self.put_right.by_telling(Doubt(about="payment", ref=theirs.ref, payment_ref=theirs.ref), odd)

    async def _refund(self, theirs: GatewayRefund) -> Count:
        async def odd() -> Oddity | None:
            ours = (await self._refunds([theirs])).get(theirs.ref)
            if refund_fits(ours, theirs):
                return None
            kind, said = refund_difference(ours, theirs)
            return Oddity(kind=kind, said=said, payment=(await self._refunded([theirs])).get(theirs.payment_ref or ""))

        about = Doubt(about="refund", ref=theirs.ref, payment_ref=theirs.payment_ref, refund_ref=theirs.ref)
        return await self.put_right.by_telling(about, odd)

    async def _movement(self, moved: Movement) -> Count:
        """Captures of nobody's are strangers; refunds of nobody's are not even that."""
        captured = moved.kind is SourceKind.CAPTURE
        paid = await self._paid(moved.payment_ref)
        if paid is None and not captured:
            return NOTHING
        about = Doubt(
            about="movement",
            ref=moved.ref,
            payment_ref=moved.payment_ref,
            refund_ref=None if captured else moved.ref,
        )

        async def odd() -> Oddity | None:
            booked = await self._booked([moved])
            if booked.has(moved):
                return None
            ours = await self._paid(moved.payment_ref)
            if ours is None:
                said = f"{moved.amount} captured, for nothing of ours"
                return Oddity(kind=DiscrepancyKind.STRANGER, said=said, about="payment")
            said = f"{moved.kind.value} of {moved.amount} at the gateway; the ledger has {booked.said(moved)}"
            return Oddity(kind=DiscrepancyKind.UNBOOKED, said=said, payment=ours)

        return await self.put_right.by_telling(about, odd)

    # --- What we have of it

    async def _payments(self, sheet: Sequence[GatewayPayment]) -> dict[str, Payment]:
        """Ours by the id that theirs carry, else by their reference."""
        name = self.put_right.gateway.name
        async with self.put_right.begin(self.put_right.actor) as work:
            ids = AnyOf(tuple(theirs.payment_id for theirs in sheet if theirs.payment_id))
            by_id = {each.id: each for each in await work.payments.find(id=ids)} if ids.values else {}
            left = [theirs for theirs in sheet if theirs.payment_id not in by_id]
            refs = AnyOf(tuple(theirs.ref for theirs in left))
            by_ref = await work.payments.find(gateway=name, gateway_ref=refs) if left else []
        found = {str(each.gateway_ref): each for each in by_ref}
        return found | {theirs.ref: by_id[theirs.payment_id] for theirs in sheet if theirs.payment_id in by_id}

    async def _refunds(self, sheet: Sequence[GatewayRefund]) -> dict[str, Refund]:
        name = self.put_right.gateway.name
        async with self.put_right.begin(self.put_right.actor) as work:
            ids = AnyOf(tuple(theirs.refund_id for theirs in sheet if theirs.refund_id))
            by_id = {each.id: each for each in await work.refunds.find(id=ids)} if ids.values else {}
            left = [theirs for theirs in sheet if theirs.refund_id not in by_id]
            refs = AnyOf(tuple(theirs.ref for theirs in left))
            by_ref = await work.refunds.find(gateway=name, gateway_ref=refs) if left else []
        found = {str(each.gateway_ref): each for each in by_ref}
        return found | {theirs.ref: by_id[theirs.refund_id] for theirs in sheet if theirs.refund_id in by_id}

    async def _refunded(self, sheet: Sequence[GatewayRefund]) -> dict[str, Payment]:
        """The payments of ours that these go back from."""
        refs = AnyOf(tuple({theirs.payment_ref for theirs in sheet if theirs.payment_ref}))
        async with self.put_right.begin(self.put_right.actor) as work:
            found = await work.payments.find(gateway=self.put_right.gateway.name, gateway_ref=refs)
        return {str(each.gateway_ref): each for each in found}

    async def _paid(self, ref: str | None) -> Payment | None:
        async with self.put_right.begin(self.put_right.actor) as work:
            return await work.payments.first(gateway=self.put_right.gateway.name, gateway_ref=ref) if ref else None

    async def _booked(self, sheet: Sequence[Movement]) -> "Booked":
        name = self.put_right.gateway.name
        entries: dict[str, list[LedgerEntry]] = {}
        async with self.put_right.begin(self.put_right.actor) as work:
            for kind in _OF_THE_GATEWAY:
                sources = AnyOf(tuple(source_of(name, moved.ref) for moved in sheet))
                for entry in await work.ledger.find(source_kind=kind, source_id=sources) if sheet else []:
                    entries.setdefault(entry.source_id.partition(":")[2], []).append(entry)
            back = AnyOf(tuple(moved.ref for moved in sheet if moved.kind is not SourceKind.CAPTURE))
            refunds = await work.refunds.find(gateway=name, gateway_ref=back) if back.values else []
        return Booked(entries=entries, refunds={str(each.gateway_ref): each for each in refunds})


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What our ledger says of some movements, by the gateway's reference."""

    entries: Mapping[str, Sequence[LedgerEntry]]
    refunds: Mapping[str, Refund]

    def has(self, moved: Movement) -> bool:
        """Whether the gateway's side of the ledger moved by this much. Of a refund the sum counts: one that came back
        before we knew that it had left is in the books twice or not at all."""
        if moved.kind is SourceKind.CAPTURE:
            return moved.amount in self._there(moved)
        refund = self.refunds.get(moved.ref)
        if refund is None or refund.state not in (RefundState.SUCCEEDED, RefundState.FAILED):
            return False
        nothing = Money.zero(moved.amount.currency)
        left = moved.amount if refund.state is RefundState.SUCCEEDED else nothing
        return sum(self._there(moved), start=nothing) == -left

    def said(self, moved: Movement) -> str:
        """The same in words."""
        return ", ".join(map(str, self._there(moved))) or "nothing"

    def _there(self, moved: Movement) -> list[Money]:
        entries = self.entries.get(moved.ref, ())
        return [entry.amount for entry in entries if entry.account.startswith("gateway:")]
