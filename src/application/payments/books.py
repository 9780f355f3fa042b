"""The books: what each account comes to, sealed by the worker, verified by whoever doubts it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from application.inputs import submitted
from application.parties import theirs
from application.payments.reading import given
from application.ports.books import LedgerChain
from application.ports.criteria import Order, Position
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.organizations import MayNotManage, Permission
from domain.payments import Balance, Books, LedgerEntry
from domain.shared.actors import Actor
from domain.shared.chains import AlreadySealed, Break, Head, Link, seal, verify
from domain.shared.errors import Forbidden, NotFound, Refusal, Unauthenticated
from domain.shared.ids import OrganizationId
from domain.shared.money import Money

_BY_ACCOUNT = Order("account")


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    """What one account comes to in one currency, up to that place in the ledger's chain; below zero is what it owes, or
    has given more than it got."""

    source: ClassVar[str] = "balances"
    id: UUID
    books: Books
    organization_id: OrganizationId | None
    account: str
    amount: Money
    position: int
    updated_at: datetime


@submitted
class BalanceFilter:
    """Which balances to list; everything left out matches all."""

    books: Books | None = None
    """Only accounts in the books of the platform, or of organizations."""

    organization_id: OrganizationId | None = None
    """Only accounts of this organization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBalances:
    """What every account in the books comes to, those of the platform and of all organizations; admins only."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    readers: Readers

    async def __call__(
        self, actor: Actor, filter: BalanceFilter = BalanceFilter(), *, after: Position | None = None, limit: int
    ) -> Page[BalanceView]:
        actor.must_be_admin()
        where = given(books=filter.books, organization_id=filter.organization_id)
        return await self.readers.page(actor, BalanceView, where, order=_BY_ACCOUNT, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationBalances:
    """What the accounts of an organization come to, for its owners and managers: what it received here and by hand, in
    each currency, up to a moment ago."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound)
    begin: Begin
    readers: Readers

    async def __call__(
        self, actor: Actor, organization_id: OrganizationId, *, after: Position | None = None, limit: int
    ) -> Page[BalanceView]:
        async with self.begin(actor) as work:
            _, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.SEE_BOOKS)
        where = {"organization_id": organization_id}
        return await self.readers.page(actor, BalanceView, where, order=_BY_ACCOUNT, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealLedger:
    """Chain the movements of money that have been committed and not sealed yet, and count them into the balances of
    their accounts. Of two sealers at once one is refused and finds less, or nothing, to do the next time."""

    ledger_chain: LedgerChain

    async def __call__(self, *, limit: int = 500) -> int:
        """How many entries were sealed now; 0 also when another sealer was faster."""
        entries = await self.ledger_chain.unsealed(limit=limit)
        if not entries:
            return 0
        try:
            await self.ledger_chain.seal(seal(entries, onto=await self.ledger_chain.head()))
        except AlreadySealed:
            return 0
        return len(entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReport:
    """How far the chain of the ledger holds: its last verified link, the first break if any, the accounts whose balance
    is not what their entries come to, and since when an entry waits to be sealed."""

    verified: Head
    first_break: Break | None
    wrong_balances: tuple[str, ...]
    waiting_since: datetime | None

    @property
    def holds(self) -> bool:
        """Whether everything sealed is as it was sealed, and counted."""
        return self.first_break is None and not self.wrong_balances


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyLedger:
    """Walk the whole chain of the ledger, recompute every hash, and add up every account. An amount that was changed, a
    row that was taken away or put in between shows where; one cut off at its end shows by its balance, and a balance
    that was taken away by the entries of its account."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    ledger_chain: LedgerChain

    async def __call__(self, actor: Actor, *, batch: int = 1000) -> LedgerReport:
        actor.must_be_admin()
        head = await self.ledger_chain.head()
        balances = await self.ledger_chain.balances()
        sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        counted = {(each.account, each.amount.currency): each.position for each in balances}
        verified, broken = Head(), None
        while broken is None and (links := await self.ledger_chain.chain(after=verified.position, limit=batch)):
            broken = verify(links, onto=verified)
            if broken is None:
                verified = Head(position=links[-1].position, hash=links[-1].hash)
                _add(sums, counted, links, sealed=head.position)
        waiting = await self.ledger_chain.unsealed(limit=1)
        return LedgerReport(
            verified=verified,
            first_break=broken,
            wrong_balances=() if broken else tuple(_wrong(balances, sums)),
            waiting_since=waiting[0].created_at if waiting else None,
        )


def _add(
    sums: defaultdict[tuple[str, str], int],
    counted: dict[tuple[str, str], int],
    links: Iterable[Link[LedgerEntry]],
    *,
    sealed: int,
) -> None:
    """Add what these links moved, as far as the balances had counted it when they were read: others are sealed
    meanwhile. An account without a balance counts as far as was `sealed` before: up to there it had to have one."""
    for each in links:
        place = each.entry.account, each.entry.amount.currency
        if each.position <= counted.get(place, sealed):
            sums[place] += each.entry.amount.amount_minor


def _wrong(balances: Iterable[Balance], sums: dict[tuple[str, str], int]) -> Iterable[str]:
    without = set(sums)
    for each in sorted(balances, key=lambda each: (each.account, each.amount.currency)):
        without.discard((each.account, each.amount.currency))
        come_to = sums.get((each.account, each.amount.currency), 0)
        if each.amount.amount_minor != come_to:
            yield f"{each.account} says {each.amount}, its entries come to {Money(come_to, each.amount.currency)}"
    for account, currency in sorted(without):
        yield f"{account} has no balance, its entries come to {Money(sums[account, currency], currency)}"
