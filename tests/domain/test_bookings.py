"""A booking from its making to its end: every step, and every step there is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bookings import (
    PATHS,
    AlreadyStarted,
    Booking,
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
    BookingState,
    BookingStateRefused,
    BookingUnplaceable,
    Claim,
    HoldLapsed,
    NotStarted,
    OwnJob,
    StillHeld,
    TooManySeats,
    Unmoved,
    WrongAmount,
    WrongSide,
)
from domain.shared.errors import Invalid, Refusal
from domain.shared.ids import BookingId, JobId, OrganizationId, PaymentId, UserId
from domain.shared.money import Money
from domain.shared.terms import (
    POLICIES,
    Acceptance,
    CancellationPolicy,
    PaymentTerms,
    PolicyName,
    Side,
    Tier,
    occupancy_of,
)
from domain.shared.time import Span

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
START = NOW + timedelta(days=10)
HOLD = timedelta(minutes=15)
PAYMENT = PaymentId(UUID(int=77))
OTHER_PAYMENT = PaymentId(UUID(int=78))
CUSTOMER, PROVIDER = Side.CUSTOMER, Side.PROVIDER

CLAIM = Claim(
    job_id=JobId(UUID(int=1)),
    job_title="Guitar lesson",
    organization_id=OrganizationId(UUID(int=2)),
    provider_id=UserId(UUID(int=3)),
    customer_id=UserId(UUID(int=4)),
    span=Span(START, START + timedelta(hours=1)),
    zone="Europe/Lisbon",
    buffer_before=10,
    buffer_after=20,
    seats=1,
    capacity=1,
    price=Money(4500, "EUR"),
    policy=POLICIES[PolicyName.MODERATE],
    terms=PaymentTerms.PREPAID,
    acceptance=Acceptance.INSTANT,
)


def make(now: datetime = NOW, **said) -> Booking:
    return Booking.make(
        id=BookingId(UUID(int=9)),
        reference="K7QM-3XTR",
        claim=replace(CLAIM, **said),
        payment_id=PAYMENT,
        hold=HOLD,
        now=now,
    )


def held(**said) -> Booking:
    return fresh(make(**said))


def requested(**said) -> Booking:
    return fresh(make(acceptance=Acceptance.REQUEST, **said))


def paid(**said) -> Booking:
    booking = make(**said)
    booking.confirm(payment_id=PAYMENT, amount=booking.price, now=NOW)
    return fresh(booking)


def unpaid(**said) -> Booking:
    return fresh(make(terms=PaymentTerms.LATER, **said))


def expired() -> Booking:
    booking = make()
    booking.expire(now=NOW + HOLD)
    return fresh(booking)


def fresh(booking: Booking) -> Booking:
    booking.take_events()
    return booking


def happened(booking: Booking) -> list[type]:
    return [type(event) for event in booking.take_events()]


# Making


def test_a_job_paid_in_advance_is_held_until_the_time_to_pay_is_over():
    booking = make()
    assert (booking.state, booking.active, booking.paid) == (BookingState.HELD, True, False)
    assert (booking.expires_at, booking.payment_id, booking.awaits_payment) == (NOW + HOLD, PAYMENT, True)
    (event,) = booking.take_events()
    assert event == BookingHeld(
        booking_id=booking.id,
        customer_id=booking.customer_id,
        provider_id=booking.provider_id,
        organization_id=booking.organization_id,
        reference="K7QM-3XTR",
        expires_at=NOW + HOLD,
    )


@pytest.mark.parametrize(("terms", "minor"), [(PaymentTerms.FREE, 0), (PaymentTerms.LATER, 4500)])
def test_what_is_free_or_paid_later_is_confirmed_at_once(terms, minor):
    booking = make(terms=terms, price=Money(minor, "EUR"))
    assert (booking.state, booking.confirmed_at, booking.payment_id) == (BookingState.CONFIRMED, NOW, None)
    assert happened(booking) == [BookingConfirmed]


def test_a_request_takes_no_time_and_lapses_when_it_would_have_started():
    booking = make(acceptance=Acceptance.REQUEST)
    assert (booking.state, booking.active, booking.payment_id) == (BookingState.REQUESTED, False, None)
    assert booking.expires_at == START
    assert happened(booking) == [BookingRequested]


def test_nobody_else_can_have_the_buffers_either():
    blocked = make().blocked
    assert blocked == Span(START - timedelta(minutes=10), START + timedelta(minutes=80))


def test_an_exclusive_booking_holds_time_under_its_own_id_and_a_seat_under_the_session():
    alone, seat = make(), make(capacity=8, seats=2)
    assert (alone.occupancy, alone.shared) == (alone.id, False)
    assert (seat.occupancy, seat.shared) == (occupancy_of(CLAIM.job_id, START), True)
    assert seat.starts_at == START


@pytest.mark.parametrize(("seats", "capacity"), [(0, 1), (2, 1), (-1, 5), (6, 5)])
def test_seats_fit_the_session(seats, capacity):
    with pytest.raises(TooManySeats):
        make(seats=seats, capacity=capacity)


def test_a_provider_is_not_their_own_customer():
    with pytest.raises(OwnJob):
        make(customer_id=CLAIM.provider_id)


@pytest.mark.parametrize("said", [{"note": "x" * 2001}, {"note": "nul\x00l"}, {"price": Money(-1, "EUR")}])
def test_nonsense_is_refused(said):
    with pytest.raises(Invalid):
        make(**said)


# Paying


def test_its_payment_confirms_a_hold():
    booking = held()
    booking.confirm(payment_id=PAYMENT, amount=booking.price, now=NOW)
    assert (booking.state, booking.paid, booking.expires_at) == (BookingState.CONFIRMED, True, None)
    assert booking.settled_by(PAYMENT)
    assert not booking.settled_by(OTHER_PAYMENT)
    assert happened(booking) == [BookingConfirmed]


def test_a_payment_confirms_a_lapsed_hold_that_nobody_has_ended_yet():
    booking = held()
    booking.confirm(payment_id=PAYMENT, amount=booking.price, now=NOW + timedelta(hours=5))
    assert booking.state is BookingState.CONFIRMED


@pytest.mark.parametrize("amount", [Money(4499, "EUR"), Money(4500, "USD")])
def test_another_amount_is_for_a_person_to_look_at(amount):
    with pytest.raises(WrongAmount):
        held().confirm(payment_id=PAYMENT, amount=amount, now=NOW)


def test_only_a_hold_is_confirmed_by_a_payment():
    for booking in (requested(), expired(), unpaid()):
        with pytest.raises(BookingStateRefused):
            booking.confirm(payment_id=PAYMENT, amount=booking.price, now=NOW)


def test_paid_in_advance_means_paid_before_it_stands():
    booking = held()
    with pytest.raises(Invalid):
        replace(booking, state=BookingState.CONFIRMED)


def test_a_hold_ends_at_its_time_and_not_before():
    booking = held()
    assert not booking.lapsed(NOW + HOLD - timedelta(microseconds=1))
    with pytest.raises(StillHeld):
        booking.expire(now=NOW)
    assert booking.lapsed(NOW + HOLD)
    booking.expire(now=NOW + HOLD)
    assert (booking.state, booking.active) == (BookingState.EXPIRED, False)
    (event,) = booking.take_events()
    assert isinstance(event, BookingExpired)
    assert event.payment_id == PAYMENT


def test_a_late_payment_takes_an_expired_hold_again():
    booking = expired()
    booking.retake(payment_id=PAYMENT, amount=booking.price, capacity=1, now=NOW + timedelta(hours=1))
    assert (booking.state, booking.paid, booking.active) == (BookingState.CONFIRMED, True, True)
    assert happened(booking) == [BookingConfirmed]


def test_only_an_expired_hold_is_taken_again():
    booking = paid()
    booking.cancel(by=CUSTOMER, reason="", now=NOW)
    for other in (booking, held()):
        with pytest.raises(BookingStateRefused):
            other.retake(payment_id=PAYMENT, amount=other.price, capacity=1, now=NOW)


def test_a_payment_without_a_place_goes_back_once():
    booking = expired()
    booking.unplaceable(payment_id=PAYMENT, amount=booking.price)
    assert booking.state is BookingState.EXPIRED
    assert booking.settled_by(PAYMENT)
    (event,) = booking.take_events()
    assert isinstance(event, BookingUnplaceable)
    assert (event.payment_id, event.amount) == (PAYMENT, booking.price)


# Requests


def test_accepting_what_is_paid_in_advance_holds_it():
    booking = requested()
    booking.accept(by=PROVIDER, payment_id=PAYMENT, hold=HOLD, capacity=1, now=NOW + timedelta(hours=1))
    assert (booking.state, booking.payment_id) == (BookingState.HELD, PAYMENT)
    assert booking.expires_at == NOW + timedelta(hours=1) + HOLD
    assert happened(booking) == [BookingAccepted, BookingHeld]


def test_accepting_anything_else_confirms_it():
    booking = requested(terms=PaymentTerms.LATER)
    booking.accept(by=PROVIDER, payment_id=PAYMENT, hold=HOLD, capacity=1, now=NOW)
    assert (booking.state, booking.payment_id, booking.expires_at) == (BookingState.CONFIRMED, None, None)
    assert happened(booking) == [BookingAccepted, BookingConfirmed]


def test_a_request_that_lapsed_is_not_accepted():
    with pytest.raises(HoldLapsed):
        requested().accept(by=PROVIDER, payment_id=PAYMENT, hold=HOLD, capacity=1, now=START)


def test_a_session_that_shrank_has_no_room_for_the_request():
    with pytest.raises(TooManySeats):
        requested(seats=3, capacity=5).accept(by=PROVIDER, payment_id=PAYMENT, hold=HOLD, capacity=2, now=NOW)


def test_a_provider_declines_with_a_reason():
    booking = requested()
    booking.decline(by=PROVIDER, reason=" on holiday ", now=NOW)
    assert (booking.state, booking.cancelled_by, booking.cancel_reason) == (
        BookingState.CANCELLED,
        PROVIDER,
        "on holiday",
    )
    assert happened(booking) == [BookingDeclined]


def test_only_a_request_is_accepted_or_declined():
    for booking in (held(), paid(), expired()):
        with pytest.raises(BookingStateRefused):
            booking.accept(by=PROVIDER, payment_id=PAYMENT, hold=HOLD, capacity=1, now=NOW)
        with pytest.raises(BookingStateRefused):
            booking.decline(by=PROVIDER, reason="", now=NOW)


def test_a_request_nobody_answers_expires_at_its_start():
    booking = requested()
    booking.expire(now=START)
    assert booking.state is BookingState.EXPIRED


# Moving


def moved(booking: Booking, *, by: Side = CUSTOMER, days: int = 1, now: datetime = NOW, capacity: int = 1) -> Booking:
    booking.reschedule(starts_at=booking.starts_at + timedelta(days=days), by=by, capacity=capacity, now=now)
    return booking


def test_a_rescheduled_booking_is_the_same_one_at_another_time():
    booking = paid()
    before = (booking.id, booking.reference, booking.price, booking.policy, booking.span.length)
    moved(booking)
    assert (booking.id, booking.reference, booking.price, booking.policy, booking.span.length) == before
    assert (booking.starts_at, booking.sequence, booking.active) == (START + timedelta(days=1), 1, True)
    (event,) = booking.take_events()
    assert isinstance(event, BookingRescheduled)
    assert (event.previous, event.span, event.sequence, event.by) == (CLAIM.span, booking.span, 1, CUSTOMER)


def test_a_moved_seat_belongs_to_the_other_session():
    booking = moved(paid(capacity=4, seats=2), capacity=6)
    assert booking.occupancy == occupancy_of(CLAIM.job_id, START + timedelta(days=1))
    assert booking.capacity == 6


def test_a_moved_hold_keeps_its_time_to_pay_and_a_moved_request_waits_for_its_new_start():
    assert moved(held()).expires_at == NOW + HOLD
    assert moved(requested()).expires_at == START + timedelta(days=1)


def test_a_provider_answers_a_request_and_does_not_move_it():
    with pytest.raises(WrongSide):
        moved(requested(), by=PROVIDER)


def test_what_has_started_stays_where_it_is():
    with pytest.raises(AlreadyStarted):
        moved(paid(), now=START)


def test_a_booking_is_not_moved_to_its_own_time():
    with pytest.raises(Unmoved):
        moved(paid(), days=0)


def test_a_lapsed_hold_is_not_moved():
    with pytest.raises(HoldLapsed):
        moved(held(), now=NOW + HOLD)


def test_what_has_ended_is_not_moved():
    with pytest.raises(BookingStateRefused):
        moved(expired())


def test_a_short_notice_move_does_not_win_a_refund_back():
    booking = paid()
    moved(booking, now=START - timedelta(days=2), days=60)
    booking.cancel(by=CUSTOMER, reason="", now=START - timedelta(days=2))
    assert booking.refund == Money(2250, "EUR")


def test_a_customer_whom_the_provider_moved_gets_all_of_it_back():
    booking = paid()
    booking.reschedule(starts_at=NOW + timedelta(hours=3), by=PROVIDER, capacity=1, now=NOW)
    booking.cancel(by=CUSTOMER, reason="", now=NOW + timedelta(hours=2))
    assert booking.refund == booking.price


def test_a_customer_who_chose_the_new_time_is_under_the_policy_again():
    booking = moved(paid(), by=PROVIDER)
    moved(booking, by=CUSTOMER, now=booking.starts_at - timedelta(hours=1))
    booking.cancel(by=CUSTOMER, reason="", now=booking.starts_at - timedelta(hours=1))
    assert booking.refund == Money(0, "EUR")


def test_moving_what_is_not_yet_agreed_costs_nothing():
    booking = requested()
    moved(booking, now=START - timedelta(hours=1), days=30)
    assert (booking.refund_ceiling, booking.refund_floor) == (100, 0)


# Ending


@pytest.mark.parametrize(("before", "back"), [(5, 4500), (2, 2250), (0.5, 0)])
def test_a_customer_gets_back_what_the_policy_they_booked_under_gives(before, back):
    booking = paid()
    booking.cancel(by=CUSTOMER, reason="ill", now=START - timedelta(days=before))
    assert (booking.state, booking.active, booking.refund) == (BookingState.CANCELLED, False, Money(back, "EUR"))
    assert (booking.cancelled_by, booking.cancel_reason) == (CUSTOMER, "ill")
    (event,) = booking.take_events()
    assert isinstance(event, BookingCancelled)
    assert (event.refund, event.payment_id, event.by) == (Money(back, "EUR"), PAYMENT, CUSTOMER)


def test_called_off_by_the_provider_all_of_it_goes_back_even_late():
    booking = paid()
    booking.cancel(by=PROVIDER, reason="", now=START + timedelta(minutes=5))
    assert booking.refund == booking.price


def test_nothing_goes_back_of_what_was_not_paid():
    for booking in (held(), requested(), unpaid()):
        booking.cancel(by=PROVIDER, reason="", now=NOW)
        assert booking.refund == Money(0, "EUR")


def test_a_customer_does_not_cancel_what_has_started():
    with pytest.raises(AlreadyStarted):
        paid().cancel(by=CUSTOMER, reason="", now=START)


def test_a_reason_is_text():
    with pytest.raises(Invalid):
        paid().cancel(by=CUSTOMER, reason="\x00", now=NOW)


def test_work_is_complete_from_its_start_on():
    booking = paid()
    with pytest.raises(NotStarted):
        booking.complete(by=PROVIDER, now=START - timedelta(microseconds=1))
    booking.complete(by=PROVIDER, now=START)
    assert (booking.state, booking.completed_at, booking.active) == (BookingState.COMPLETED, START, False)
    assert happened(booking) == [BookingCompleted]


def test_a_customer_who_does_not_come_gets_back_what_the_policy_says():
    booking = paid(policy=CancellationPolicy((Tier(24, 100),), no_show_percent=20))
    with pytest.raises(NotStarted):
        booking.mark_no_show(by=PROVIDER, now=START - timedelta(minutes=1))
    booking.mark_no_show(by=PROVIDER, now=START)
    assert (booking.state, booking.refund) == (BookingState.NO_SHOW, Money(900, "EUR"))
    (event,) = booking.take_events()
    assert isinstance(event, BookingMissed)
    assert (event.refund, event.payment_id) == (Money(900, "EUR"), PAYMENT)


def test_some_things_only_the_provider_says():
    for deed in (
        lambda: paid().complete(by=CUSTOMER, now=START),
        lambda: paid().mark_no_show(by=CUSTOMER, now=START),
        lambda: requested().accept(by=CUSTOMER, payment_id=PAYMENT, hold=HOLD, capacity=1, now=NOW),
        lambda: requested().decline(by=CUSTOMER, reason="", now=NOW),
    ):
        with pytest.raises(WrongSide):
            deed()


# The state machine as a whole

DEEDS = {
    "accept": lambda b, now: b.accept(by=PROVIDER, payment_id=PAYMENT, hold=HOLD, capacity=1, now=now),
    "decline": lambda b, now: b.decline(by=PROVIDER, reason="", now=now),
    "confirm": lambda b, now: b.confirm(payment_id=PAYMENT, amount=b.price, now=now),
    "retake": lambda b, now: b.retake(payment_id=PAYMENT, amount=b.price, capacity=1, now=now),
    "expire": lambda b, now: b.expire(now=now),
    "move": lambda b, now: b.reschedule(starts_at=now + timedelta(days=3), by=CUSTOMER, capacity=1, now=now),
    "cancel": lambda b, now: b.cancel(by=CUSTOMER, reason="", now=now),
    "call off": lambda b, now: b.cancel(by=PROVIDER, reason="", now=now),
    "complete": lambda b, now: b.complete(by=PROVIDER, now=now),
    "miss": lambda b, now: b.mark_no_show(by=PROVIDER, now=now),
    "pay late": lambda b, now: b.unplaceable(payment_id=OTHER_PAYMENT, amount=b.price),
}


@given(
    st.sampled_from(list(Acceptance)),
    st.sampled_from([PaymentTerms.PREPAID, PaymentTerms.LATER]),
    st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 6 * 24 * 60)), max_size=12),
)
def test_whatever_is_tried_the_history_is_a_path_and_the_agreement_stays(acceptance, terms, tried):
    booking, now = make(acceptance=acceptance, terms=terms), NOW
    agreed = (booking.price, booking.policy, booking.terms, booking.job_id, booking.customer_id)
    for deed, minutes in tried:
        now += timedelta(minutes=minutes)
        before = booking.state
        try:
            DEEDS[deed](booking, now)
        except Refusal:
            assert booking.state is before
        assert booking.state is before or booking.state in PATHS[before]
        assert (booking.price, booking.policy, booking.terms, booking.job_id, booking.customer_id) == agreed
        assert booking.active == (booking.state in (BookingState.HELD, BookingState.CONFIRMED))
        if booking.state is BookingState.CONFIRMED:
            assert booking.paid or booking.terms is not PaymentTerms.PREPAID
        if booking.refund is not None:
            assert Money(0, "EUR") <= booking.refund <= (booking.price if booking.paid else Money(0, "EUR"))
        replace(booking)
