"""The booking itself: its verbs, each a step of the state machine judged by the clock and by who asks."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from domain.bookings.events import (
    BookingAccepted,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingHeld,
    BookingMissed,
    BookingRequested,
    BookingRescheduled,
    BookingSecured,
    BookingUnplaceable,
)
from domain.bookings.refusals import (
    AlreadyStarted,
    BookingStateRefused,
    HoldLapsed,
    NotStarted,
    OwnJob,
    StillHeld,
    TooManySeats,
    Unmoved,
    WrongAmount,
    WrongSide,
)
from domain.bookings.states import ACTIVE, PATHS, BookingState
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Invalid
from domain.shared.ids import BookingId, JobId, OrganizationId, PaymentId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms, Side, occupancy_of
from domain.shared.text import text
from domain.shared.time import Span

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What both sides agree on when a booking is made; the booking keeps it whatever becomes of the job. `price` is
    for all `seats`; the buffers are minutes."""

    job_id: JobId
    job_title: str
    organization_id: OrganizationId
    provider_id: UserId
    customer_id: UserId
    span: Span
    zone: str
    buffer_before: int
    buffer_after: int
    seats: int
    capacity: int
    price: Money
    policy: CancellationPolicy
    terms: PaymentTerms
    acceptance: Acceptance
    note: str = ""

    def __post_init__(self) -> None:
        if self.customer_id == self.provider_id:
            raise OwnJob
        note = text(self.note, field="note", shortest=0, longest=2000, lines=True)
        object.__setattr__(self, "note", note)


@dataclass(eq=False, slots=True, kw_only=True)
class Booking(Aggregate):
    """A customer's claim on a provider's time, with the price and the policy it was made under. `occupancy` is the key
    its time is held under: its own id, or that of the shared session. `sequence` counts its times for calendars."""

    id: BookingId
    reference: str
    job_id: JobId
    job_title: str
    organization_id: OrganizationId
    provider_id: UserId
    customer_id: UserId
    span: Span
    zone: str
    buffer_before: int
    buffer_after: int
    occupancy: UUID
    seats: int
    capacity: int
    price: Money
    policy: CancellationPolicy
    terms: PaymentTerms
    acceptance: Acceptance
    note: str
    state: BookingState
    payment_id: PaymentId | None = None
    paid: bool = False
    expires_at: datetime | None = None
    sequence: int = 0
    refund_floor: int = 0
    refund_ceiling: int = 100
    refund: Money | None = None
    unplaced_payment_id: PaymentId | None = None
    cancelled_by: Side | None = None
    cancel_reason: str = ""
    created_at: datetime
    confirmed_at: datetime | None = None
    cancelled_at: datetime | None = None
    completed_at: datetime | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.seats <= self.capacity:
            raise TooManySeats(self.seats, self.capacity)
        if self.price.amount_minor < 0:
            raise Invalid("a price is not negative", field="price")
        if self.state is BookingState.CONFIRMED and self.terms.by_card and not self.paid:
            raise Invalid("a booking paid by card is confirmed by its payment", field="state")

    @classmethod
    def make(
        cls, *, id: BookingId, reference: str, claim: Claim, payment_id: PaymentId, hold: timedelta, now: datetime
    ) -> "Booking":
        """What the claim's terms make of it: a request, a hold that awaits `payment_id`, or confirmed at once."""
        if claim.acceptance is Acceptance.REQUEST:
            return cls.request(id=id, reference=reference, claim=claim, now=now)
        if claim.terms.by_card:
            return cls.hold(
                id=id, reference=reference, claim=claim, payment_id=payment_id, expires_at=now + hold, now=now
            )
        return cls.confirm_at_once(id=id, reference=reference, claim=claim, now=now)

    @classmethod
    def request(cls, *, id: BookingId, reference: str, claim: Claim, now: datetime) -> "Booking":
        """Ask the provider. Takes no time yet; unanswered, it lapses when it would have started."""
        booking = cls._from(claim, id, reference, BookingState.REQUESTED, now)
        booking.expires_at = claim.span.starts_at
        booking._happened(BookingRequested)
        return booking

    @classmethod
    def hold(
        cls,
        *,
        id: BookingId,
        reference: str,
        claim: Claim,
        payment_id: PaymentId,
        expires_at: datetime,
        now: datetime,
    ) -> "Booking":
        """Keep the slot free for this customer until they have paid, or until `expires_at`."""
        booking = cls._from(claim, id, reference, BookingState.HELD, now)
        booking.payment_id = payment_id
        booking.expires_at = expires_at
        booking._happened(BookingHeld, expires_at=expires_at)
        return booking

    @classmethod
    def confirm_at_once(cls, *, id: BookingId, reference: str, claim: Claim, now: datetime) -> "Booking":
        """Take a slot that is free of charge or paid later."""
        booking = cls._from(claim, id, reference, BookingState.CONFIRMED, now)
        booking._confirmed(now)
        return booking

    @property
    def starts_at(self) -> datetime:
        """When it starts; lists are sorted by it."""
        return self.span.starts_at

    @property
    def blocked(self) -> Span:
        """The time nobody else can have: its own and the buffers around it."""
        return self.span.padded(timedelta(minutes=self.buffer_before), timedelta(minutes=self.buffer_after))

    @property
    def active(self) -> bool:
        """Whether it takes the provider's time now."""
        return self.state in ACTIVE

    @property
    def awaits_payment(self) -> bool:
        """Whether it is a hold that becomes a booking by being paid."""
        return self.state is BookingState.HELD

    @property
    def shared(self) -> bool:
        """Whether it is seats of a session that others book as well."""
        return self.occupancy != self.id

    def lapsed(self, now: datetime) -> bool:
        """Whether it is a hold or a request whose time is over: it stands in nobody's way."""
        waiting = self.state in (BookingState.HELD, BookingState.REQUESTED)
        return waiting and self.expires_at is not None and self.expires_at <= now

    def accept(self, *, by: Side, payment_id: PaymentId, hold: timedelta, capacity: int, now: datetime) -> None:
        """The provider says yes, and the slot is taken: held until `payment_id` pays it, or confirmed."""
        self._only(Side.PROVIDER, by)
        self._allow("accepted", BookingState.REQUESTED)
        self._alive(now)
        self._take_place(self.span, capacity)
        self._happened(BookingAccepted)
        if self.terms.by_card:
            self._go("accepted", BookingState.HELD)
            self.payment_id = payment_id
            self.expires_at = now + hold
            self._happened(BookingHeld, expires_at=self.expires_at)
        else:
            self._go("accepted", BookingState.CONFIRMED)
            self._confirmed(now)

    def decline(self, *, by: Side, reason: str, now: datetime) -> None:
        """The provider says no; it ends without a trace in the calendar."""
        self._only(Side.PROVIDER, by)
        self._allow("declined", BookingState.REQUESTED)
        self._called_off(by, reason, now)
        self._happened(BookingDeclined)

    def settled_by(self, payment_id: PaymentId) -> bool:
        """Whether this payment has had its effect already, one way or the other."""
        return (self.paid and self.payment_id == payment_id) or self.unplaced_payment_id == payment_id

    def owed_back(self, payment_id: PaymentId, captured: Money) -> Money:
        """How much of what that payment brought is to go back altogether."""
        if self.unplaced_payment_id == payment_id:
            return captured
        return min(self.refund or Money.zero(captured.currency), captured)

    def confirm(self, *, payment_id: PaymentId, amount: Money, now: datetime) -> None:
        """The payment of a hold arrived: the booking stands, even if nobody had yet noticed that the hold lapsed."""
        self._go("confirmed", BookingState.CONFIRMED, only=BookingState.HELD)
        self._paid(payment_id, amount)
        self._confirmed(now)

    def secure(self, *, until: datetime) -> None:
        """The money of a hold is set aside: the slot is kept as long as that is, until the provider takes it."""
        self._allow("secured", BookingState.HELD)
        self.expires_at = until
        self._happened(BookingSecured, expires_at=until)

    def unsecured(self, *, now: datetime) -> None:
        """What was set aside for a hold is the customer's again: the slot is given back."""
        self._allow("given back", BookingState.HELD)
        self.expires_at = now
        self.expire(now=now)

    def retake(self, *, payment_id: PaymentId, amount: Money, capacity: int, now: datetime) -> None:
        """The payment of an expired hold arrived and the slot is still free: take it again."""
        self._go("confirmed", BookingState.CONFIRMED, only=BookingState.EXPIRED)
        self._take_place(self.span, capacity)
        self._paid(payment_id, amount)
        self._confirmed(now)

    def unplaceable(self, *, payment_id: PaymentId, amount: Money) -> None:
        """A payment came for a booking that cannot be had any more, or was paid already: all of it goes back."""
        self.unplaced_payment_id = payment_id
        self._happened(BookingUnplaceable, payment_id=payment_id, amount=amount)

    def expire(self, *, now: datetime) -> None:
        """Give the slot back: nobody paid, or answered, in time."""
        self._allow("expired", BookingState.HELD, BookingState.REQUESTED)
        if not self.lapsed(now) and self.expires_at is not None:
            raise StillHeld(self.expires_at)
        self._go("expired", BookingState.EXPIRED)
        self._happened(BookingExpired, payment_id=self.payment_id)

    def reschedule(self, *, starts_at: datetime, by: Side, capacity: int, now: datetime) -> None:
        """Move it, with its length, price and policy, to another start. Nobody wins by moving what was confirmed: a
        customer keeps at most the refund they had, and is owed all of it when the provider moves them."""
        self._allow("rescheduled", BookingState.REQUESTED, BookingState.HELD, BookingState.CONFIRMED)
        if self.state is BookingState.REQUESTED:
            self._only(Side.CUSTOMER, by)
        self._alive(now)
        if now >= self.span.starts_at:
            raise AlreadyStarted(self.span.starts_at)
        if starts_at == self.span.starts_at:
            raise Unmoved(starts_at)
        previous = self.span
        if self.state is BookingState.CONFIRMED:
            self.refund_ceiling = self._refund_percent(now) if by is Side.CUSTOMER else self.refund_ceiling
            self.refund_floor = 0 if by is Side.CUSTOMER else 100
        self._take_place(Span(starts_at, starts_at + previous.length), capacity)
        if self.state is BookingState.REQUESTED:
            self.expires_at = self.span.starts_at
        self.sequence += 1
        self._happened(BookingRescheduled, previous=previous, span=self.span, sequence=self.sequence, by=by)

    def cancel(self, *, by: Side, reason: str, now: datetime) -> None:
        """Call it off. A customer gets back what the policy it was made under gives, before it starts; called off by
        the provider's side, even late, all of it."""
        self._allow("cancelled", BookingState.REQUESTED, BookingState.HELD, BookingState.CONFIRMED)
        if by is Side.CUSTOMER and self.state is BookingState.CONFIRMED and now >= self.span.starts_at:
            raise AlreadyStarted(self.span.starts_at)
        self.refund = self._share(100 if by is Side.PROVIDER else self._refund_percent(now))
        self._called_off(by, reason, now)
        self._happened(BookingCancelled, by=by, refund=self.refund, payment_id=self.payment_id)

    def complete(self, *, by: Side, now: datetime) -> None:
        """The work is done: from its start on the provider may say so, also when it took less time."""
        self._ended(by, now, "completed", BookingState.COMPLETED)
        self.completed_at = now
        self._happened(BookingCompleted)

    def mark_no_show(self, *, by: Side, now: datetime) -> None:
        """The customer did not come; from its start on the provider may say so."""
        self._ended(by, now, "marked as missed", BookingState.NO_SHOW)
        self.refund = self._share(self.policy.no_show_percent)
        self._happened(BookingMissed, refund=self.refund, payment_id=self.payment_id)

    @classmethod
    def _from(cls, claim: Claim, id: BookingId, reference: str, state: BookingState, now: datetime) -> "Booking":
        agreed: dict[str, Any] = {field.name: getattr(claim, field.name) for field in fields(Claim)}
        occupancy = _occupancy(id, claim.job_id, claim.span, claim.capacity)
        return cls(id=id, reference=reference, occupancy=occupancy, state=state, created_at=now, **agreed)

    def _take_place(self, span: Span, capacity: int) -> None:
        if self.seats > capacity:
            raise TooManySeats(self.seats, capacity)
        self.span, self.capacity = span, capacity
        self.occupancy = _occupancy(self.id, self.job_id, span, capacity)

    def _refund_percent(self, now: datetime) -> int:
        by_policy = self.policy.refund_percent(self.span.starts_at, now)
        return max(self.refund_floor, min(self.refund_ceiling, by_policy))

    def _share(self, percent: int) -> Money:
        return self.price.percent(percent) if self.paid else Money.zero(self.price.currency)

    def _paid(self, payment_id: PaymentId, amount: Money) -> None:
        part = self.terms is PaymentTerms.AUTHORISED and amount < self.price
        if amount != self.price and not part:
            raise WrongAmount(self.price, amount)
        self.payment_id, self.paid = payment_id, True

    def _confirmed(self, now: datetime) -> None:
        self.expires_at = None
        self.confirmed_at = now
        self._happened(BookingConfirmed, span=self.span, payment_id=self.payment_id)

    def _called_off(self, by: Side, reason: str, now: datetime) -> None:
        self._go("cancelled", BookingState.CANCELLED)
        self.cancel_reason = text(reason, field="reason", shortest=0, longest=1000, lines=True)
        self.cancelled_by, self.cancelled_at, self.expires_at = by, now, None

    def _ended(self, by: Side, now: datetime, verb: str, state: BookingState) -> None:
        self._only(Side.PROVIDER, by)
        self._allow(verb, BookingState.CONFIRMED)
        if now < self.span.starts_at:
            raise NotStarted(self.span.starts_at)
        self._go(verb, state)

    def _go(self, verb: str, to: BookingState, *, only: BookingState | None = None) -> None:
        if to not in PATHS[self.state] or only not in (None, self.state):
            raise BookingStateRefused(verb, self.state)
        self.state = to

    def _allow(self, verb: str, *states: BookingState) -> None:
        if self.state not in states:
            raise BookingStateRefused(verb, self.state)

    def _alive(self, now: datetime) -> None:
        if self.lapsed(now) and self.expires_at is not None:
            raise HoldLapsed(self.expires_at)

    def _only(self, side: Side, by: Side) -> None:
        if by is not side:
            raise WrongSide(side)

    def _happened(self, event: type[E], **facts: Any) -> None:
        parties = {
            "booking_id": self.id,
            "customer_id": self.customer_id,
            "provider_id": self.provider_id,
            "organization_id": self.organization_id,
            "reference": self.reference,
        }
        self._record(event(**parties, **facts))


def _occupancy(id: BookingId, job_id: JobId, span: Span, capacity: int) -> UUID:
    return occupancy_of(job_id, span.starts_at) if capacity > 1 else id
