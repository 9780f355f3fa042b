"""Booking, moving and ending, each through the one gate that takes a provider's time."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from application.bookings import (
    AcceptBooking,
    BookingFilter,
    BookingSort,
    BookSlot,
    CancelBooking,
    Cancellation,
    CompleteBooking,
    DeclineBooking,
    Declining,
    ExpireHold,
    GetBooking,
    ListBookings,
    MarkNoShow,
    RescheduleBooking,
    Rescheduling,
    Reservation,
    SettleBooking,
    SweepHolds,
)
from application.commands import Command
from application.jobs import ArchiveJob, JobRevision, ReviseJob
from domain.bookings import (
    BookingConfirmed,
    BookingExpired,
    BookingHeld,
    BookingState,
    BookingStateRefused,
    BookingUnplaceable,
    HoldDue,
    HoldLapsed,
    JobNotBookable,
    NotOffered,
    OwnJob,
    ReviewDue,
    SlotTaken,
    SoldOut,
    TooManySeats,
    WrongSide,
)
from domain.jobs import Job
from domain.organizations import MemberRole
from domain.payments import PaymentCaptured, PaymentRequested
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Outdated, StaleVersion, Unauthenticated
from domain.shared.ids import PaymentId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, PaymentTerms, Side, occupancy_of
from tests.application.marketplace import HOLD, NOW, Marketplace

OPERATOR = Actor(kind=Kind.OPERATOR)
FREE = {"terms": PaymentTerms.LATER}
ON_REQUEST = {"acceptance": Acceptance.REQUEST}
SESSION = {"capacity": 3, **FREE}


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    """That hour in Lisbon, in summer one ahead of UTC, on a day of June."""
    return datetime(2026, 6, day, hour - 1, minute, tzinfo=UTC)


TEN = at(10)


class Story(Marketplace):
    """A provider, two customers, and the deeds they do."""

    vera: Actor
    carl: Actor
    dora: Actor

    async def begins(self) -> "Story":
        self.vera, self.carl, self.dora = await self.provider(), await self.person("carl"), await self.person("dora")
        return self

    async def book(self, job: Job, starts_at: datetime = TEN, *, by: Actor | None = None, seats: int = 1):
        reservation = Reservation(job_id=job.id, starts_at=starts_at, seats=seats)
        return await self.use(BookSlot)(by or self.carl, reservation)

    async def move(self, booking, starts_at: datetime, *, by: Actor | None = None, **said):
        moving = Rescheduling(starts_at=starts_at, **said)
        return await self.use(RescheduleBooking)(by or self.carl, booking.id, moving)

    async def cancel(self, booking, *, by: Actor | None = None, **said):
        return await self.use(CancelBooking)(by or self.carl, booking.id, Cancellation(**said))

    async def pay(self, booking, *, payment_id: PaymentId | None = None) -> None:
        stored = self.row("bookings", booking.id)
        captured = PaymentCaptured(
            payment_id=payment_id or stored["payment_id"], booking_id=booking.id, amount=booking.price
        )
        await self.use(SettleBooking)(SYSTEM, captured)

    def state(self, booking) -> str:
        return self.row("bookings", booking.id)["state"]


@pytest.fixture
async def story() -> Story:
    return await Story().begins()


# Booking


async def test_a_job_paid_in_advance_is_held_and_its_payment_asked_for_in_the_same_commit(story):
    booking = await story.book(await story.job(story.vera))
    stored, payment = story.row("bookings", booking.id), story.rows("payments")[0]
    assert (stored["state"], stored["expires_at"], stored["active"]) == ("held", NOW + HOLD, True)
    assert (payment["id"], payment["booking_id"], payment["amount_minor"]) == (booking.payment_id, booking.id, 4500)
    assert (payment["customer_id"], payment["state"]) == (story.carl.user_id, "requested")
    assert [type(event) for event in story.told()[-3:]] == [BookingHeld, PaymentRequested, HoldDue]
    assert story.due(HoldDue) == [NOW + HOLD]


async def test_a_booking_keeps_what_was_agreed_whatever_becomes_of_the_job(story):
    job = await story.job(story.vera, buffer_before=5, buffer_after=10)
    booking = await story.book(job)
    await story.use(ReviseJob)(story.vera, job.id, JobRevision(price=Money(9900, "EUR"), title="Harp", duration=90))
    stored = story.row("bookings", booking.id)
    assert (stored["price_minor"], stored["job_title"], stored["zone"]) == (4500, "Guitar lesson", "Europe/Lisbon")
    assert stored["span"].length == timedelta(hours=1)
    assert stored["blocked"].length == timedelta(minutes=75)
    assert stored["policy"] == {"tiers": [{"hours_before": 24, "refund_percent": 100}], "no_show_percent": 0}


async def test_what_is_paid_later_is_confirmed_at_once_without_a_payment(story):
    booking = await story.book(await story.job(story.vera, **FREE))
    assert (booking.state, story.rows("payments"), story.due(HoldDue)) == (BookingState.CONFIRMED, [], [])


async def test_a_rival_is_refused(story):
    job = await story.job(story.vera)
    await story.book(job)
    with pytest.raises(SlotTaken):
        await story.book(job, by=story.dora)
    assert len(story.rows("bookings")) == len(story.rows("payments")) == 1


async def test_another_job_of_the_same_provider_takes_the_same_time(story):
    await story.book(await story.job(story.vera))
    with pytest.raises(SlotTaken):
        await story.book(await story.job(story.vera, title="Piano lesson"), at(10, 30), by=story.dora)


async def test_buffers_may_touch_and_not_overlap(story):
    job = await story.job(story.vera, buffer_before=15, buffer_after=15)
    await story.book(job, at(10))
    with pytest.raises(SlotTaken):
        await story.book(job, at(11), by=story.dora)
    assert await story.book(job, at(11, 30), by=story.dora)


@pytest.mark.parametrize(
    "starts_at",
    [at(8), at(17, 30), at(10, 10), at(7, day=1), at(10, day=30), TEN.replace(year=1999), TEN.replace(year=4000)],
    ids=["closed", "ends too late", "off the grid", "too soon", "too far ahead", "past", "far future"],
)
async def test_what_is_not_listed_is_not_booked(story, starts_at):
    job = await story.job(story.vera, window_days=20, notice=120)
    with pytest.raises(NotOffered):
        await story.book(job, starts_at)


async def test_a_provider_without_hours_offers_nothing(story):
    otto = await story.person("otto", Role.PROVIDER)
    with pytest.raises(NotOffered):
        await story.book(await story.job(otto))


@pytest.mark.parametrize("nonsense", [datetime(2026, 6, 2, 9), datetime.min.replace(tzinfo=UTC)])
async def test_a_moment_is_on_the_calendar_with_its_offset(story, nonsense):
    with pytest.raises(Invalid):
        await story.book(await story.job(story.vera), nonsense)


async def test_only_published_jobs_are_booked_and_a_draft_does_not_exist(story):
    archived, draft = await story.job(story.vera), await story.job(story.vera, publish=False)
    await story.use(ArchiveJob)(story.vera, archived.id)
    with pytest.raises(JobNotBookable):
        await story.book(archived)
    with pytest.raises(NotFound):
        await story.book(draft)


async def test_nobody_books_their_own_job_or_without_a_name(story):
    job = await story.job(story.vera)
    with pytest.raises(OwnJob):
        await story.book(job, by=story.vera)
    with pytest.raises(Unauthenticated):
        await story.book(job, by=ANONYMOUS)


async def test_a_retried_command_finds_its_first_booking(story):
    job = await story.job(story.vera)
    command = Command(principal="user:carl", operation="book", key="k1", fingerprint="f")
    first = await story.perform(command, lambda: story.book(job))
    again = await story.perform(command, lambda: story.book(job))
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.answer.id, again.answer.version, again.answer.policy) == (
        first.answer.id,
        first.answer.version,
        job.policy,
    )
    assert len(story.rows("bookings")) == 1


# What happens between the judgment and the commit


async def test_a_job_archived_in_that_instant_is_not_booked(story):
    job = await story.job(story.vera)
    story.meanwhile = lambda: story.use(ArchiveJob)(story.vera, job.id)
    with pytest.raises(StaleVersion):
        await story.book(job)
    assert not story.rows("bookings") + story.rows("payments")


async def test_hours_that_change_in_that_instant_are_judged_again(story):
    async def close() -> None:
        async with story.begin(story.vera) as work:
            hours = await work.availabilities.get(story.vera.user_id)
            hours.override(TEN.date(), (), by=story.vera, now=NOW)

    job = await story.job(story.vera)
    story.meanwhile = close
    with pytest.raises(StaleVersion):
        await story.book(job)
    with pytest.raises(NotOffered):
        await story.book(job)


async def test_a_rival_in_that_instant_wins(story):
    job = await story.job(story.vera)
    story.meanwhile = lambda: story.book(job, at(10, 30), by=story.dora)
    with pytest.raises(SlotTaken):
        await story.book(job, at(10))
    assert len(story.rows("bookings")) == 1


async def test_the_last_seat_is_sold_once(story):
    job = await story.job(story.vera, **SESSION)
    story.meanwhile = lambda: story.book(job, seats=2, by=story.dora)
    with pytest.raises(SoldOut):
        await story.book(job, seats=2)
    assert story.seats(occupancy_of(job.id, TEN)) == 2


@pytest.mark.parametrize(("said", "winners"), [({}, 1), (SESSION, 3)])
async def test_of_twenty_who_race_as_many_get_it_as_there_are_seats(story, said, winners):
    job = await story.job(story.vera, **said)
    people = [await story.person(f"racer{number}") for number in range(20)]
    tried = await asyncio.gather(*(story.book(job, by=each) for each in people), return_exceptions=True)
    refused = [each for each in tried if isinstance(each, SlotTaken | SoldOut)]
    assert (len(tried) - len(refused), len(story.rows("bookings"))) == (winners, winners)


# Shared sessions


async def test_seats_of_one_session_are_sold_until_there_are_no_more(story):
    job = await story.job(story.vera, **SESSION)
    one = await story.book(job, seats=2)
    other = await story.book(job, by=story.dora)
    assert one.price == Money(9000, "EUR")
    assert one.occupancy == other.occupancy == occupancy_of(job.id, TEN)
    with pytest.raises(SoldOut):
        await story.book(job, by=await story.person("eve"))
    await story.cancel(one)
    assert story.seats(one.occupancy) == 1
    assert (await story.book(job, seats=2, by=await story.person("finn"))).seats == 2
    assert story.seats(one.occupancy) == 3


async def test_sessions_of_one_job_do_not_overlap_each_other(story):
    job = await story.job(story.vera, **SESSION)
    await story.book(job, at(10))
    with pytest.raises(SlotTaken):
        await story.book(job, at(10, 30), by=story.dora)
    assert await story.book(job, at(11), by=story.dora)


@pytest.mark.parametrize("seats", [0, -1, 4])
async def test_more_seats_than_there_are_never_fit(story, seats):
    with pytest.raises(TooManySeats):
        await story.book(await story.job(story.vera, **SESSION), seats=seats)


async def test_a_session_that_is_taken_back_to_one_seat_is_not_sold_again(story):
    job = await story.job(story.vera, **SESSION)
    await story.book(job)
    await story.use(ReviseJob)(story.vera, job.id, JobRevision(capacity=1))
    with pytest.raises(SlotTaken):
        await story.book(job, by=story.dora)


# Holds that lapse


async def test_a_lapsed_hold_blocks_nobody_though_no_sweeper_runs(story):
    job = await story.job(story.vera)
    first = await story.book(job)
    story.clock.advance(HOLD - timedelta(seconds=1))
    with pytest.raises(SlotTaken):
        await story.book(job, by=story.dora)
    story.clock.advance(timedelta(seconds=1))
    second = await story.book(job, at(10, 30), by=story.dora)
    assert (story.state(first), story.state(second)) == ("expired", "held")
    assert [event.booking_id for event in story.told(BookingExpired)] == [first.id]


async def test_seats_of_lapsed_holds_are_sold_again_in_the_same_commit(story):
    job = await story.job(story.vera, capacity=3)
    first = await story.book(job, seats=2)
    story.clock.advance(HOLD)
    second = await story.book(job, seats=3, by=story.dora)
    assert (story.state(first), story.seats(second.occupancy)) == ("expired", 3)


async def test_a_booking_moves_onto_the_time_of_a_lapsed_hold(story):
    job = await story.job(story.vera)
    booking = await story.book(job, at(15))
    await story.pay(booking)
    lapsed = await story.book(job, at(10), by=story.dora)
    story.clock.advance(HOLD)
    await story.move(booking, at(10))
    assert (story.state(lapsed), story.row("bookings", booking.id)["starts_at"]) == ("expired", at(10))


async def test_a_hold_ends_when_its_time_has_come_and_not_before(story):
    booking = await story.book(await story.job(story.vera, capacity=3), seats=2)
    expire = story.use(ExpireHold)
    await expire(SYSTEM, HoldDue(booking_id=booking.id))
    assert story.state(booking) == "held"
    story.clock.advance(HOLD)
    await expire(SYSTEM, HoldDue(booking_id=booking.id))
    await expire(SYSTEM, HoldDue(booking_id=booking.id))
    assert (story.state(booking), story.seats(booking.occupancy)) == ("expired", 0)
    assert len(story.told(BookingExpired)) == 1


async def test_a_hold_that_was_paid_in_time_does_not_end(story):
    booking = await story.book(await story.job(story.vera))
    await story.pay(booking)
    story.clock.advance(HOLD)
    await story.use(ExpireHold)(SYSTEM, HoldDue(booking_id=booking.id))
    assert story.state(booking) == "confirmed"


async def test_the_sweeper_ends_what_was_forgotten_oldest_first(story):
    job, asked = await story.job(story.vera), await story.job(story.vera, **ON_REQUEST)
    held = [await story.book(job, at(hour)) for hour in (10, 11, 12)]
    request = await story.book(asked, at(9))
    await story.pay(held[2])
    sweep = story.use(SweepHolds)
    assert await sweep(SYSTEM) == 0
    story.clock.advance(timedelta(days=2))
    assert await sweep(SYSTEM, most=1) == 1
    assert story.state(held[0]) == "expired"
    assert await sweep(OPERATOR) == 2
    assert [story.state(each) for each in (*held, request)] == ["expired", "expired", "confirmed", "expired"]
    with pytest.raises(Forbidden):
        await sweep(story.carl)


async def test_the_sweeper_leaves_what_is_paid_in_that_instant(story):
    booking = await story.book(await story.job(story.vera))
    story.clock.advance(HOLD + timedelta(seconds=1))

    async def pay_in_between() -> None:
        story.meanwhile = lambda: story.pay(booking)

    story.meanwhile = pay_in_between
    assert await story.use(SweepHolds)(SYSTEM) == 0
    assert story.state(booking) == "confirmed"


# Payments and their bookings


async def test_a_payment_confirms_its_hold_once(story):
    booking = await story.book(await story.job(story.vera))
    for _ in range(2):
        await story.pay(booking)
    assert story.state(booking) == "confirmed"
    assert len(story.told(BookingConfirmed)) == 1


async def test_a_late_payment_takes_the_slot_again_while_it_is_free(story):
    booking = await story.book(await story.job(story.vera, capacity=3), seats=2)
    story.clock.advance(HOLD)
    await story.use(ExpireHold)(SYSTEM, HoldDue(booking_id=booking.id))
    await story.pay(booking)
    assert (story.state(booking), story.seats(booking.occupancy)) == ("confirmed", 2)
    assert not story.told(BookingUnplaceable)


async def given_back(story: Story, booking) -> list[Money]:
    for _ in range(2):
        await story.pay(booking)
    return [event.amount for event in story.told(BookingUnplaceable)]


async def test_a_late_payment_whose_slot_is_gone_goes_back_once(story):
    job = await story.job(story.vera)
    booking = await story.book(job)
    story.clock.advance(HOLD)
    await story.book(job, by=story.dora)
    assert await given_back(story, booking) == [booking.price]
    assert story.state(booking) == "expired"


async def test_a_late_payment_that_loses_the_slot_in_that_instant_goes_back(story):
    job = await story.job(story.vera)
    booking = await story.book(job)
    story.clock.advance(HOLD)
    await story.use(ExpireHold)(SYSTEM, HoldDue(booking_id=booking.id))
    story.meanwhile = lambda: story.book(job, by=story.dora)
    assert await given_back(story, booking) == [booking.price]


@pytest.mark.parametrize("gone", ["sold out", "archived", "too late"])
async def test_a_late_payment_goes_back_whyever_the_slot_is_gone(story, gone):
    job = await story.job(story.vera, capacity=2)
    booking = await story.book(job, seats=2)
    story.clock.advance(HOLD)
    await story.use(ExpireHold)(SYSTEM, HoldDue(booking_id=booking.id))
    match gone:
        case "sold out":
            await story.book(job, by=story.dora)
        case "archived":
            await story.use(ArchiveJob)(story.vera, job.id)
        case "too late":
            story.clock.set(TEN + timedelta(minutes=1))
    assert await given_back(story, booking) == [booking.price]


async def test_money_for_a_booking_that_was_called_off_goes_back(story):
    booking = await story.book(await story.job(story.vera))
    await story.cancel(booking)
    assert await given_back(story, booking) == [booking.price]
    assert story.state(booking) == "cancelled"


async def test_a_second_payment_of_the_same_booking_goes_back(story):
    booking = await story.book(await story.job(story.vera))
    await story.pay(booking)
    twice = PaymentId(uuid4())
    for _ in range(2):
        await story.pay(booking, payment_id=twice)
    assert [event.payment_id for event in story.told(BookingUnplaceable)] == [twice]
    assert story.state(booking) == "confirmed"


# Requests


async def test_requests_take_no_time_until_one_is_accepted(story):
    job = await story.job(story.vera, **ON_REQUEST)
    one, other = await story.book(job), await story.book(job, by=story.dora)
    assert not story.rows("payments")
    accepted = await story.use(AcceptBooking)(story.vera, one.id)
    assert (accepted.state, accepted.expires_at) == (BookingState.HELD, NOW + HOLD)
    assert [row["id"] for row in story.rows("payments")] == [accepted.payment_id]
    with pytest.raises(SlotTaken):
        await story.use(AcceptBooking)(story.vera, other.id)
    assert story.state(other) == "requested"


async def test_a_request_is_for_a_start_that_is_offered(story):
    job = await story.job(story.vera, **ON_REQUEST)
    with pytest.raises(NotOffered):
        await story.book(job, at(8))
    await story.book(await story.job(story.vera))
    with pytest.raises(SlotTaken):
        await story.book(job, by=story.dora)


async def test_an_accepted_seat_is_counted(story):
    job = await story.job(story.vera, **SESSION, **ON_REQUEST)
    booking = await story.book(job, seats=2)
    assert story.seats(occupancy_of(job.id, TEN)) == 0
    assert (await story.use(AcceptBooking)(story.vera, booking.id)).state is BookingState.CONFIRMED
    assert story.seats(booking.occupancy) == 2


async def test_only_the_providers_side_answers_and_to_strangers_there_is_nothing(story):
    job = await story.job(story.vera, **ON_REQUEST)
    booking = await story.book(job)
    member = await story.member("rita", job.organization_id, MemberRole.MEMBER)
    for use, said in ((AcceptBooking, ()), (DeclineBooking, (Declining(),))):
        with pytest.raises(WrongSide):
            await story.use(use)(story.carl, booking.id, *said)
        for stranger in (story.dora, member):
            with pytest.raises(NotFound):
                await story.use(use)(stranger, booking.id, *said)
        with pytest.raises(Unauthenticated):
            await story.use(use)(ANONYMOUS, booking.id, *said)
    manager = await story.member("mia", job.organization_id, MemberRole.MANAGER)
    assert (await story.use(AcceptBooking)(manager, booking.id)).active


async def test_a_request_is_declined_with_a_reason(story):
    booking = await story.book(await story.job(story.vera, **ON_REQUEST))
    declined = await story.use(DeclineBooking)(story.vera, booking.id, Declining(reason="on holiday"))
    assert (declined.state, declined.cancel_reason) == (BookingState.CANCELLED, "on holiday")
    with pytest.raises(BookingStateRefused):
        await story.use(AcceptBooking)(story.vera, booking.id)


async def test_a_request_that_lapsed_is_not_accepted(story):
    booking = await story.book(await story.job(story.vera, **ON_REQUEST))
    assert story.due(HoldDue) == [TEN]
    story.clock.set(TEN)
    with pytest.raises(HoldLapsed):
        await story.use(AcceptBooking)(story.vera, booking.id)


# Moving


async def test_a_moved_booking_frees_its_old_time_and_takes_the_new(story):
    job = await story.job(story.vera, **FREE)
    booking = await story.book(job)
    moved = await story.move(booking, at(14))
    assert (moved.id, moved.reference, moved.sequence) == (booking.id, booking.reference, 1)
    assert len(story.rows("bookings")) == 1
    assert await story.book(job, at(10), by=story.dora)
    with pytest.raises(SlotTaken):
        await story.book(job, at(14), by=story.dora)


async def test_a_booking_may_overlap_the_time_it_leaves(story):
    booking = await story.book(await story.job(story.vera, **FREE))
    assert (await story.move(booking, at(10, 30))).starts_at == at(10, 30)


async def test_a_booking_does_not_move_onto_another(story):
    job = await story.job(story.vera, **FREE)
    booking = await story.book(job)
    await story.book(job, at(14), by=story.dora)
    with pytest.raises(SlotTaken):
        await story.move(booking, at(14))
    with pytest.raises(NotOffered):
        await story.move(booking, at(20))
    story.meanwhile = lambda: story.book(job, at(16), by=story.dora)
    with pytest.raises(SlotTaken):
        await story.move(booking, at(16))
    assert story.row("bookings", booking.id)["starts_at"] == TEN


async def test_seats_move_with_their_booking(story):
    job = await story.job(story.vera, **SESSION)
    booking = await story.book(job, seats=2)
    await story.book(job, at(14), by=story.dora)
    moved = await story.move(booking, at(14))
    assert (story.seats(booking.occupancy), story.seats(moved.occupancy)) == (0, 3)
    late = await story.book(job, by=story.dora)
    with pytest.raises(SoldOut):
        await story.move(late, at(14), by=story.dora)


async def test_a_booking_keeps_its_length_when_the_job_has_another_by_now(story):
    job = await story.job(story.vera, **FREE)
    booking = await story.book(job)
    await story.use(ReviseJob)(story.vera, job.id, JobRevision(duration=120))
    assert (await story.move(booking, at(17))).span.length == timedelta(hours=1)


async def test_nothing_moves_within_an_archived_job(story):
    job = await story.job(story.vera, **FREE)
    booking = await story.book(job)
    await story.use(ArchiveJob)(story.vera, job.id)
    with pytest.raises(JobNotBookable):
        await story.move(booking, at(14))


async def test_both_sides_move_a_booking_and_a_stranger_knows_of_none(story):
    booking = await story.book(await story.job(story.vera, **FREE))
    await story.move(booking, at(14), by=story.vera)
    with pytest.raises(Outdated):
        await story.move(booking, at(15), expected_version=1)
    await story.move(booking, at(15), expected_version=2)
    with pytest.raises(NotFound):
        await story.move(booking, at(16), by=story.dora)


async def test_a_moved_request_waits_for_its_new_start(story):
    booking = await story.book(await story.job(story.vera, **ON_REQUEST))
    await story.move(booking, at(14))
    assert story.due(HoldDue) == [at(10), at(14)]
    story.clock.set(at(10))
    await story.use(ExpireHold)(SYSTEM, HoldDue(booking_id=booking.id))
    assert story.state(booking) == "requested"


# Ending


async def test_a_cancelled_booking_frees_its_time_and_says_what_goes_back(story):
    job = await story.job(story.vera)
    booking = await story.book(job)
    await story.pay(booking)
    cancelled = await story.cancel(booking, reason="ill")
    assert (cancelled.state, cancelled.refund, cancelled.cancelled_by) == (
        BookingState.CANCELLED,
        booking.price,
        Side.CUSTOMER,
    )
    assert await story.book(job, by=story.dora)


@pytest.mark.parametrize(("who", "back"), [("carl", 0), ("vera", 4500), ("operator", 4500), ("system", 4500)])
async def test_at_short_notice_only_the_providers_side_gives_all_back(story, who, back):
    booking = await story.book(await story.job(story.vera))
    await story.pay(booking)
    story.clock.set(TEN - timedelta(hours=1))
    by = {"carl": story.carl, "vera": story.vera, "operator": OPERATOR, "system": SYSTEM}[who]
    assert (await story.cancel(booking, by=by)).refund == Money(back, "EUR")


async def test_a_stranger_cancels_nothing_and_nobody_cancels_twice(story):
    booking = await story.book(await story.job(story.vera))
    with pytest.raises(NotFound):
        await story.cancel(booking, by=story.dora)
    with pytest.raises(Outdated):
        await story.cancel(booking, expected_version=7)
    await story.cancel(booking)
    with pytest.raises(BookingStateRefused):
        await story.cancel(booking)


async def test_completed_work_asks_for_reviews_an_hour_after_its_end(story):
    booking = await story.book(await story.job(story.vera, **FREE))
    with pytest.raises(WrongSide):
        await story.use(CompleteBooking)(story.carl, booking.id)
    story.clock.set(at(10, 40))
    assert (await story.use(CompleteBooking)(story.vera, booking.id)).state is BookingState.COMPLETED
    assert story.due(ReviewDue) == [at(12)]


async def test_a_customer_who_did_not_come_is_marked(story):
    booking = await story.book(await story.job(story.vera, **FREE))
    story.clock.set(at(10, 15))
    assert (await story.use(MarkNoShow)(story.vera, booking.id)).state is BookingState.NO_SHOW
    with pytest.raises(BookingStateRefused):
        await story.use(CompleteBooking)(story.vera, booking.id)


async def test_every_step_has_its_audit_row(story):
    booking = await story.book(await story.job(story.vera, **FREE))
    await story.move(booking, at(14))
    await story.cancel(booking)
    steps = [row["action"] for row in story.rows("audit") if row["subject_id"] == booking.id]
    assert steps == ["booking.confirmed", "booking.rescheduled", "booking.cancelled"]


# Reading


async def listed(story: Story, actor: Actor, sort: BookingSort = BookingSort.START, **wanted) -> list[int]:
    """The hours in Lisbon at which the listed bookings start."""
    views, after = [], None
    while True:
        page = await story.use(ListBookings)(actor, BookingFilter(**wanted), sort=sort, after=after, limit=2)
        views += page.items
        after = page.next
        if after is None:
            return [view.span.starts_at.hour + 1 for view in views]


@pytest.fixture
async def busy(story):
    story.lesson, story.talk = await story.job(story.vera), await story.job(story.vera, title="Talk", **FREE)
    for by, job, hour in (
        (story.carl, story.lesson, 12),
        (story.dora, story.talk, 9),
        (story.carl, story.talk, 16),
        (story.dora, story.lesson, 14),
    ):
        await story.book(job, at(hour), by=by)
        story.clock.advance(timedelta(seconds=1))
    return story


async def test_each_side_lists_its_own(busy):
    assert await listed(busy, busy.carl) == [12, 16]
    assert await listed(busy, busy.dora, side=Side.CUSTOMER) == [9, 14]
    assert await listed(busy, busy.vera, side=Side.PROVIDER) == [9, 12, 14, 16]
    assert await listed(busy, busy.vera) == []
    assert await listed(busy, OPERATOR) == [9, 12, 14, 16]
    with pytest.raises(Unauthenticated):
        await listed(busy, ANONYMOUS)


async def test_managers_list_the_organizations_and_members_only_their_own(busy):
    organization = busy.lesson.organization_id
    manager = await busy.member("mia", organization, MemberRole.MANAGER)
    member = await busy.member("rita", organization, MemberRole.MEMBER)
    assert await listed(busy, manager, organization_id=organization) == [9, 12, 14, 16]
    assert await listed(busy, member, organization_id=organization) == []


async def test_lists_are_filtered_and_sorted(busy):
    mine = {"side": Side.PROVIDER}
    assert await listed(busy, busy.vera, BookingSort.NEWEST, **mine) == [14, 16, 9, 12]
    assert await listed(busy, busy.vera, BookingSort.START_LATEST, **mine) == [16, 14, 12, 9]
    assert await listed(busy, busy.vera, states=(BookingState.HELD,), **mine) == [12, 14]
    assert await listed(busy, busy.vera, starts_from=at(12), starts_before=at(16), **mine) == [12, 14]
    assert await listed(busy, busy.vera, job_id=busy.talk.id, **mine) == [9, 16]
    with pytest.raises(Invalid):
        await listed(busy, busy.vera, starts_from=datetime(2026, 6, 1), **mine)


async def test_a_booking_is_there_for_its_parties_alone(story):
    booking = await story.book(await story.job(story.vera))
    get = story.use(GetBooking)
    for party in (story.carl, story.vera, OPERATOR):
        view = await get(party, booking.id)
        assert (view.reference, view.price, view.span, view.policy) == (
            booking.reference,
            booking.price,
            booking.span,
            booking.policy,
        )
    for stranger in (story.dora, ANONYMOUS):
        with pytest.raises(NotFound):
            await get(stranger, booking.id)
