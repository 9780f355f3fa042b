"""The unit of work over any store: it watches what a block loads and computes one change set on leaving."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from adapters.persistence.collections import StoredCollection, Tracked
from adapters.persistence.mapper import JSON
from adapters.persistence.mapping import KEPT, Kept
from adapters.persistence.store import Changes, Delete, Guard, Insert, Store, Tally, Update, Write
from adapters.persistence.told import About, receipt_of
from application.commands import Command, current_command, receipt_left
from application.ports.clock import Clock
from application.ports.collections import Collection
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from application.ports.wake import Wake
from domain.billing import Customer, Price, Product, Purchase, Subscription
from domain.bookings import Booking
from domain.files import StoredFile
from domain.identity import Credential, ExternalIdentity, OAuthFlow, OneTimeToken, RefreshToken, Session, User
from domain.invoicing import Invoice, Letterhead, Paper, Quote, Settlement
from domain.jobs import Job, Rating
from domain.messaging import Conversation, Message, Participant
from domain.notifications import Mail, Notification
from domain.organizations import ExternalOrganization, Invitation, Membership, Onboarding, Organization
from domain.payments import (
    Discrepancy,
    Dispute,
    FraudWarning,
    LedgerEntry,
    Payee,
    Payment,
    PaymentMethod,
    Payout,
    Reconciliation,
    Refund,
    Webhook,
)
from domain.profiles import Profile
from domain.reviews import Review
from domain.scheduling import Availability
from domain.shared.actors import Actor
from domain.shared.aggregate import Aggregate, Event

T = TypeVar("T", bound=Aggregate)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBegin(Begin):
    """Opens units of work on one store; after a commit with events it wakes the worker."""

    store: Store
    clock: Clock
    ids: Ids
    wake: Wake

    @asynccontextmanager
    async def __call__(self, actor: Actor) -> AsyncIterator[Work]:
        work = StoredWork(self.store, self.clock, self.ids, actor)
        yield work
        changes = work.changes()
        if not changes.is_empty:
            if command := current_command():
                changes = replace(changes, writes=(*changes.writes, work.receipt(command)))
            work.settle(await self.store.commit(changes))
            receipt_left()
            self.wake.poke()


class StoredWork(Work):
    """One block's collections, and the promises its commit shall keep."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, actor: Actor) -> None:
        self._store, self._clock, self._ids, self._actor = store, clock, ids, actor
        self._began = clock.now()
        self._collections: dict[type, StoredCollection[Any]] = {}
        self._locks: set[str] = set()
        self._guards: dict[tuple[type, UUID], Aggregate] = {}
        self._tallies: dict[str, Tally] = {}
        self._numbers: dict[UUID, dict[str, str]] = {}
        self._scheduled: list[tuple[Event, Aggregate, datetime]] = []
        self._answer: Aggregate | None = None

    def lock(self, resource: str) -> None:
        self._locks.add(resource)

    def guard(self, aggregate: Aggregate) -> None:
        self._guards[type(aggregate), aggregate.id] = aggregate

    def tally(self, series: str, by: int, *, ceiling: int | None = None) -> None:
        if before := self._tallies.get(series):
            by += before.by
            ceiling = before.ceiling if ceiling is None else ceiling
        self._tallies[series] = Tally(series, by, ceiling)

    def number(self, aggregate: Aggregate, field: str, *, series: str) -> None:
        if series in self._tallies:
            raise ValueError(f"{series} gives one number per commit")
        self._tallies[series] = Tally(series, 1)
        self._numbers.setdefault(aggregate.id, {})[field] = series

    def schedule(self, event: Event, *, about: Aggregate, at: datetime) -> None:
        self._scheduled.append((event, about, at))

    def answer(self, aggregate: T) -> T:
        self._answer = aggregate
        return aggregate

    def changes(self) -> Changes:
        """What is different from what was loaded, with its events and its audit rows."""
        # A clock that is set back meanwhile must not have things told from before they were decided.
        now = max(self._began, self._clock.now())
        writes: list[Write] = []
        written: set[tuple[type, UUID]] = set()
        for cls, collection in self._collections.items():
            for tracked in list(collection.tracked.values()):
                events = tracked.thing.take_events() if isinstance(tracked.thing, Aggregate) else []
                write = self._write(KEPT[cls], tracked, told=bool(events))
                if write is None:
                    continue
                writes.append(write)
                written.add((cls, tracked.thing.id))
                writes += self._news(KEPT[cls], tracked.thing, write, events, now)
        for event, about, at in self._scheduled:
            kept = KEPT[type(about)]
            whose = self._about(kept, about, self._next_version(about))
            writes.append(whose.outgoing(self._ids.new(), event, position=0, now=now, due=at))
        guards = tuple(
            Guard(KEPT[type(guarded)].table.name, guarded.id, guarded.version)
            for key, guarded in self._guards.items()
            if key not in written
        )
        tallies = tuple(tally for tally in self._tallies.values() if tally.by)
        return Changes(locks=tuple(self._locks), tallies=tallies, guards=guards, writes=tuple(writes))

    def receipt(self, command: Command) -> Insert:
        """The row by which a retried command finds this commit and its answer."""
        row = receipt_of(command, now=self._clock.now())
        numbers: dict[str, str] = {}
        if self._answer is not None:
            kept = KEPT[type(self._answer)]
            image = kept.mapper.row(self._answer)
            image["version"] = self._next_version(self._answer)
            row["answer_table"] = kept.table.name
            row["answer"] = JSON.unstructure(image)
            numbers = self._numbers.get(self._answer.id, {})
        return Insert("receipts", row, numbers)

    def settle(self, numbers: dict[str, int]) -> None:
        """After the commit: versions as they are stored now, and the numbers that were handed out."""
        for collection in self._collections.values():
            for tracked in collection.tracked.values():
                thing = tracked.thing
                if not isinstance(thing, Aggregate) or tracked.removed:
                    continue
                for field, series in self._numbers.get(thing.id, {}).items():
                    setattr(thing, field, numbers[series])
                thing.version = self._next_version(thing)

    def _next_version(self, thing: Aggregate) -> int:
        collection = self._collections.get(type(thing))
        tracked = collection.tracked.get(thing.id) if collection else None
        if tracked is None or collection is None:
            return thing.version
        if tracked.next is None:
            changed = tracked.was is None or collection.kept.mapper.image(thing) != tracked.was
            tracked.next = (tracked.was["version"] if tracked.was else 0) + changed
        return tracked.next

    def _write(self, kept: Kept, tracked: Tracked[Any], *, told: bool) -> Write | None:
        """What the store shall do about this thing. One with something to tell is written even if it is as it was: its
        new version is the event's place among the others."""
        if tracked.removed:
            return None if tracked.was is None else Delete(kept.table.name, tracked.thing.id, tracked.was["version"])
        image = kept.mapper.image(tracked.thing)
        if tracked.was is None:
            row = kept.mapper.completed(image, tracked.thing)
            tracked.next = 1
            if "version" in row:
                row["version"] = 1
            return Insert(kept.table.name, row, self._numbers.get(tracked.thing.id, {}))
        expected = tracked.was.get("version", 0)
        if image == tracked.was and not told:
            tracked.next = expected
            return None
        row = kept.mapper.completed(image, tracked.thing)
        tracked.next = row["version"] = expected + 1
        return Update(kept.table.name, row, expected)

    def _news(self, kept: Kept, thing: Any, write: Write, events: list[Event], now: datetime) -> Iterator[Write]:
        """The outbox rows of these events, and the audit rows of this write: one per event, or one for the change."""
        version = write.expected + 1 if isinstance(write, Delete) else int(write.row.get("version", 1))
        about = self._about(kept, thing, version)
        for index, event in enumerate(events):
            yield about.outgoing(self._ids.new(), event, position=index, now=now)
        for event in events:
            yield about.audit(self._ids.new(), event.name, JSON.unstructure(event), now=now)
        if not events and not kept.table.append_only:
            verb = {Insert: "created", Update: "changed", Delete: "deleted"}[type(write)]
            yield about.audit(self._ids.new(), f"{kept.table.name}.{verb}", {}, now=now)

    def _about(self, kept: Kept, thing: Any, version: int) -> About:
        organization_id = getattr(thing, "organization_id", None)
        return About(kept.table.name, thing.id, version, actor=self._actor.principal, organization_id=organization_id)

    def _of(self, cls: type) -> StoredCollection[Any]:
        collection = self._collections.get(cls)
        if collection is None:
            collection = self._collections[cls] = StoredCollection(KEPT[cls], self._store)
        return collection

    @property
    def users(self) -> Collection[User]:
        return self._of(User)

    @property
    def credentials(self) -> Collection[Credential]:
        return self._of(Credential)

    @property
    def external_identities(self) -> Collection[ExternalIdentity]:
        return self._of(ExternalIdentity)

    @property
    def sessions(self) -> Collection[Session]:
        return self._of(Session)

    @property
    def refresh_tokens(self) -> Collection[RefreshToken]:
        return self._of(RefreshToken)

    @property
    def one_time_tokens(self) -> Collection[OneTimeToken]:
        return self._of(OneTimeToken)

    @property
    def oauth_flows(self) -> Collection[OAuthFlow]:
        return self._of(OAuthFlow)

    @property
    def profiles(self) -> Collection[Profile]:
        return self._of(Profile)

    @property
    def organizations(self) -> Collection[Organization]:
        return self._of(Organization)

    @property
    def memberships(self) -> Collection[Membership]:
        return self._of(Membership)

    @property
    def external_organizations(self) -> Collection[ExternalOrganization]:
        return self._of(ExternalOrganization)

    @property
    def invitations(self) -> Collection[Invitation]:
        return self._of(Invitation)

    @property
    def onboardings(self) -> Collection[Onboarding]:
        return self._of(Onboarding)

    @property
    def products(self) -> Collection[Product]:
        return self._of(Product)

    @property
    def prices(self) -> Collection[Price]:
        return self._of(Price)

    @property
    def customers(self) -> Collection[Customer]:
        return self._of(Customer)

    @property
    def subscriptions(self) -> Collection[Subscription]:
        return self._of(Subscription)

    @property
    def purchases(self) -> Collection[Purchase]:
        return self._of(Purchase)

    @property
    def jobs(self) -> Collection[Job]:
        return self._of(Job)

    @property
    def ratings(self) -> Collection[Rating]:
        return self._of(Rating)

    @property
    def availabilities(self) -> Collection[Availability]:
        return self._of(Availability)

    @property
    def bookings(self) -> Collection[Booking]:
        return self._of(Booking)

    @property
    def letterheads(self) -> Collection[Letterhead]:
        return self._of(Letterhead)

    @property
    def quotes(self) -> Collection[Quote]:
        return self._of(Quote)

    @property
    def invoices(self) -> Collection[Invoice]:
        return self._of(Invoice)

    @property
    def papers(self) -> Collection[Paper]:
        return self._of(Paper)

    @property
    def settlements(self) -> Collection[Settlement]:
        return self._of(Settlement)

    @property
    def payments(self) -> Collection[Payment]:
        return self._of(Payment)

    @property
    def refunds(self) -> Collection[Refund]:
        return self._of(Refund)

    @property
    def payees(self) -> Collection[Payee]:
        return self._of(Payee)

    @property
    def payouts(self) -> Collection[Payout]:
        return self._of(Payout)

    @property
    def disputes(self) -> Collection[Dispute]:
        return self._of(Dispute)

    @property
    def fraud_warnings(self) -> Collection[FraudWarning]:
        return self._of(FraudWarning)

    @property
    def payment_methods(self) -> Collection[PaymentMethod]:
        return self._of(PaymentMethod)

    @property
    def ledger(self) -> Collection[LedgerEntry]:
        return self._of(LedgerEntry)

    @property
    def webhooks(self) -> Collection[Webhook]:
        return self._of(Webhook)

    @property
    def reconciliations(self) -> Collection[Reconciliation]:
        return self._of(Reconciliation)

    @property
    def discrepancies(self) -> Collection[Discrepancy]:
        return self._of(Discrepancy)

    @property
    def reviews(self) -> Collection[Review]:
        return self._of(Review)

    @property
    def conversations(self) -> Collection[Conversation]:
        return self._of(Conversation)

    @property
    def participants(self) -> Collection[Participant]:
        return self._of(Participant)

    @property
    def messages(self) -> Collection[Message]:
        return self._of(Message)

    @property
    def notifications(self) -> Collection[Notification]:
        return self._of(Notification)

    @property
    def mails(self) -> Collection[Mail]:
        return self._of(Mail)

    @property
    def files(self) -> Collection[StoredFile]:
        return self._of(StoredFile)
