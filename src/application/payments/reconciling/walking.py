"""Reconcile: a stretch of time, stage by stage and sheet by sheet, each written down before the next."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar
from uuid import UUID

from application.payments.reconciling.accounts import Accounts
from application.payments.reconciling.fetching import REMEMBERED, FetchWebhooks
from application.payments.reconciling.ours import Ours
from application.payments.reconciling.putting_right import PutRight, both
from application.payments.reconciling.shared import Shared
from application.payments.reconciling.theirs import Shown, Theirs
from application.ports.clock import Clock
from application.ports.criteria import Between, Order, Present
from application.ports.ids import Ids
from application.ports.payees import PayeeDesk, Shares
from application.ports.payments import GatewayUnavailable, PaymentGateway
from application.ports.reconciling import GatewayRecords
from application.ports.unit_of_work import Begin
from domain.payments import AlreadyReconciling, Count, Reconciliation, Stage
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Invalid, Refusal, StaleVersion, Unauthenticated
from domain.shared.ids import ReconciliationId
from domain.shared.time import Span

PAGE = 100
DAY = timedelta(days=1)
REST = timedelta(hours=1)
"""After a day has ended, how long its last messages are waited for."""

ACCOUNTS = "payee:"
"""How a cursor begins in movements once the sheets are through and the accounts' payouts are at hand: no reference of a
gateway's does."""

Tell = Callable[[Reconciliation, datetime | None], object]
"""Told after each sheet how the reconciliation stands, and how far its stage reaches in time."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What came of one sheet, where to go on in its stage, and how far it reaches."""

    came: Count
    cursor: str | None
    reached: datetime | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What of ours the gateway has shown in this sitting: payments and refunds, and shares of payments."""

    things: Shown = field(default_factory=Shown)
    shares: Shown = field(default_factory=Shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Hold our payments, refunds, ledger and organizations' accounts against the gateway's for a stretch of time, by
    default the last day. What asking can settle is settled as a webhook would settle it; the rest is filed for a
    person. It can stop anywhere: the same stretch goes on where it was left, and done again it finds nothing."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        Invalid,
        AlreadyReconciling,
        GatewayUnavailable,
    )
    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway
    gateway_records: GatewayRecords
    payee_desk: PayeeDesk
    shares: Shares

    async def __call__(
        self, actor: Actor, span: Span | None = None, *, tell: Tell = lambda _run, _reached: None
    ) -> Reconciliation:
        actor.must_be_admin()
        run, seen = await self._begun(actor, span), _Seen()
        while not run.is_finished:
            turn = await self._gone_through(actor, run, seen)
            run = await self._written_down(actor, run, turn)
            tell(run, turn.reached)
        return run

    async def _begun(self, actor: Actor, span: Span | None) -> Reconciliation:
        """The one of that stretch that was left unfinished, or a new one."""
        now, name = self.clock.now(), self.gateway.name
        stretch = {} if span is None else {"since": span.starts_at, "until": span.ends_at}
        span = span or Span(now - DAY, now)
        if now < span.ends_at:
            raise Invalid("what has not happened yet cannot be reconciled", field="until")
        async with self.begin(actor) as work:
            newest = Order("begun_at", descending=True)
            left = await work.reconciliations.first(gateway=name, finished_at=None, order=newest, **stretch)
            if left is not None:
                return left
            run = Reconciliation(
                id=ReconciliationId(self.ids.new()),
                gateway=name,
                since=span.starts_at,
                until=span.ends_at,
                begun_at=now,
            )
            work.reconciliations.add(run)
        return run

    async def _gone_through(self, actor: Actor, run: Reconciliation, seen: _Seen) -> _Turn:
        """The next sheet of its stage."""
        right = PutRight(
            begin=self.begin,
            clock=self.clock,
            ids=self.ids,
            gateway=self.gateway,
            payee_desk=self.payee_desk,
            shares=self.shares,
            actor=actor,
            run_id=run.id,
        )
        match run.stage:
            case Stage.MESSAGES:
                return await self._messages(actor, run)
            case Stage.MOVEMENTS if run.cursor and run.cursor.startswith(ACCOUNTS):
                return await self._accounts(right, run)
            case Stage.PAYMENTS | Stage.REFUNDS | Stage.MOVEMENTS:
                return await self._theirs(right, run, seen)
            case _:
                return await self._ours(right, run, seen)

    async def _theirs(self, right: PutRight, run: Reconciliation, seen: _Seen) -> _Turn:
        records, span, theirs = self.gateway_records, _span(run), Theirs(put_right=right, shown=seen.things)
        match run.stage:
            case Stage.PAYMENTS:
                payments = await records.payments(span, run.cursor)
                return _Turn(await theirs.payments(payments.items), payments.next, payments.reached)
            case Stage.REFUNDS:
                refunds = await records.refunds(span, run.cursor)
                return _Turn(await theirs.refunds(refunds.items), refunds.next, refunds.reached)
            case _:
                moved = await records.movements(span, run.cursor)
                came = await theirs.movements(moved.items)
                shared = Shared(put_right=right, shown=seen.shares)
                shares = await shared.moved(each.payment_ref for each in moved.items)
                return _Turn(both(came, shares), moved.next or ACCOUNTS, moved.reached)

    async def _accounts(self, right: PutRight, run: Reconciliation) -> _Turn:
        """The next page of organizations' accounts; they all are looked at, however old."""
        at = (run.cursor or "").removeprefix(ACCOUNTS)
        since = {"id": Between(at_least=UUID(at))} if at else {}
        async with self.begin(right.actor) as work:
            found = await work.payees.find(
                gateway=run.gateway, gateway_ref=Present(), order=Order("id"), limit=PAGE + 1, **since
            )
        accounts = Accounts(put_right=right, records=self.gateway_records, span=_span(run))
        came = await accounts.page(found[:PAGE])
        return _Turn(came, f"{ACCOUNTS}{found[PAGE].id}" if len(found) > PAGE else None, None)

    async def _ours(self, right: PutRight, run: Reconciliation, seen: _Seen) -> _Turn:
        ours = Ours(put_right=right, shown=seen.things)
        if run.stage is Stage.OUR_REFUNDS:
            async with self.begin(right.actor) as work:
                back = await work.refunds.find(order=Order("id"), limit=PAGE + 1, **_page(run))
            return _turned(await ours.refunds(back[:PAGE]), back)
        async with self.begin(right.actor) as work:
            mine = await work.payments.find(order=Order("id"), limit=PAGE + 1, **_page(run))
        came = await ours.payments(mine[:PAGE])
        shares = await Shared(put_right=right, shown=seen.shares).of(mine[:PAGE])
        return _turned(both(came, shares), mine)

    async def _messages(self, actor: Actor, run: Reconciliation) -> _Turn:
        fetch = FetchWebhooks(begin=self.begin, clock=self.clock, ids=self.ids, gateway_records=self.gateway_records)
        sheet = await fetch.sheet(run.cursor)
        new = await fetch.take_in(actor, sheet)
        return _Turn(Count(looked_at=len(sheet.items), fetched=new), sheet.next, sheet.reached)

    async def _written_down(self, actor: Actor, seen: Reconciliation, turn: _Turn) -> Reconciliation:
        """Its turn, unless somebody else has taken it: then they go on, and we stop."""
        async with self.begin(actor) as work:
            run = await work.reconciliations.get(seen.id)
            if run.version != seen.version:
                raise AlreadyReconciling("somebody else goes through this at this moment", stage=run.stage.value)
            run.turn(turn.came, cursor=turn.cursor, now=self.clock.now())
        return run


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileDays:
    """Reconcile every whole day that has ended and was not, at most thirty of them; the worker's daily duty. A house
    that never did begins with yesterday."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway
    gateway_records: GatewayRecords
    payee_desk: PayeeDesk
    shares: Shares
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, GatewayUnavailable)

    async def __call__(self, actor: Actor) -> int:
        actor.must_be_admin()
        reconcile = Reconcile(
            begin=self.begin,
            clock=self.clock,
            ids=self.ids,
            gateway=self.gateway,
            gateway_records=self.gateway_records,
            payee_desk=self.payee_desk,
            shares=self.shares,
        )
        done = 0
        for day in await self._days(actor):
            try:
                await reconcile(actor, Span(day, day + DAY))
            except (AlreadyReconciling, StaleVersion):
                break  # another worker is at it; what is left is for the next round
            done += 1
        return done

    async def _days(self, actor: Actor) -> list[datetime]:
        """Where those days begin, the oldest first."""
        today = datetime.combine((self.clock.now() - REST).date(), time(), UTC)
        async with self.begin(actor) as work:
            lately = await work.reconciliations.find(
                gateway=self.gateway.name, finished_at=Present(), order=Order("begun_at", descending=True), limit=PAGE
            )
        done = [run.since for run in lately if run.since.timetz() == time(tzinfo=UTC) and run.until == run.since + DAY]
        first = max(max(done) + DAY, today - REMEMBERED) if done else today - DAY
        return [first + n * DAY for n in range((today - first).days)]


def _span(run: Reconciliation) -> Span:
    return Span(run.since, run.until)


def _page(run: Reconciliation) -> dict[str, Any]:
    """Our own things of that stretch at that gateway, after the last that was looked at."""
    since = {} if run.cursor is None else {"id": Between(at_least=UUID(run.cursor))}
    return {"gateway": run.gateway, "created_at": Between(run.since, run.until), **since}


def _turned(came: Count, found: list[Any]) -> _Turn:
    """The next page begins with the one too many."""
    if len(found) <= PAGE:
        return _Turn(came, None, None)
    return _Turn(came, str(found[PAGE].id), found[PAGE].created_at)
