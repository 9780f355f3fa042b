"""Many customers, one slot: who is first has it, everybody else is told so, and no commit blocks another for good."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from application.bookings import AcceptBooking, RescheduleBooking, Rescheduling
from application.jobs import ArchiveJob
from application.scheduling import Hours, SetAvailability
from domain.bookings import Booking, BookingStateRefused, JobNotBookable, NotOffered, SlotTaken, SoldOut
from domain.jobs import Job
from domain.shared.actors import SYSTEM, Actor
from domain.shared.ids import BookingId
from domain.shared.terms import Acceptance, PaymentTerms
from domain.shared.time import Span
from tests.races.planted import WithoutCeilings, WithoutGuards, WithoutLocks, with_plain_reads
from tests.races.town import ELEVEN, TEN, Town, deadlocks, kinds

ACTIVE = "select count(*) from bookings where active"
OVERLAPS = """
    select count(*) from bookings a join bookings b on a.provider_id = b.provider_id and a.id < b.id
    where a.active and b.active and a.occupancy <> b.occupancy and a.blocked && b.blocked
"""
STOPS_BETWEEN = """
    create function stop() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock_shared(42); return new; end $$;
    create trigger stop before insert on bookings for each row when (new.note = 'second') execute function stop();
"""
WITHOUT_EXCLUSION = "alter table bookings drop constraint bookings_no_overlap"


async def one_of_many_gets_the_slot(town: Town, many: int) -> None:
    job = await town.job(await town.provider())
    crowd = await town.crowd(many)
    booked, refused = await town.at_once(*(town.book(one, job) for one in crowd))
    assert await town.value(OVERLAPS) == 0
    assert len(booked) == 1
    assert kinds(refused) == {SlotTaken}
    assert await town.value(ACTIVE) == 1
    assert await town.value("select count(*) from payments") == 1


@pytest.mark.parametrize("many", [20, 200])
async def test_one_of_many_gets_the_slot(town: Town, many: int) -> None:
    await one_of_many_gets_the_slot(town, many)


async def test_without_constraint_and_lock_many_get_the_slot(town: Town) -> None:
    await town.owner.execute(WITHOUT_EXCLUSION)
    with pytest.raises(AssertionError):
        await one_of_many_gets_the_slot(town.planted(WithoutLocks), 20)
    assert await town.value(OVERLAPS) > 0


async def test_without_the_constraint_the_lock_alone_is_not_enough(town: Town) -> None:
    await town.owner.execute(WITHOUT_EXCLUSION)
    with pytest.raises(AssertionError):
        await one_of_many_gets_the_slot(town, 20)
    assert await town.value(OVERLAPS) > 0


async def two_take_the_same_two_slots(town: Town) -> None:
    """Each commit takes both slots, one of them the later first; each has its first before either has its second."""
    await town.owner.execute(STOPS_BETWEEN)
    job = await town.job(await town.provider())
    (ann,) = await town.crowd(1)
    model = await town.book(ann, job, TEN + timedelta(hours=4))

    def slot(starts_at: datetime, note: str) -> Booking:
        id, span = BookingId(town.ids.new()), Span(starts_at, starts_at + timedelta(hours=1))
        return replace(model, id=id, occupancy=id, reference=town.ids.reference(), span=span, note=note, version=0)

    async def take(first: datetime, second: datetime) -> bool:
        async with town.begin(SYSTEM) as work:
            work.lock(f"provider:{job.provider_id}")
            work.bookings.add(slot(first, "first"))
            work.bookings.add(slot(second, "second"))
        return True

    async with town.in_the_way("select pg_advisory_xact_lock(42)"):
        taking = asyncio.ensure_future(town.at_once(take(TEN, ELEVEN), take(ELEVEN, TEN), together=False))
        await town.until_waiting(taking, 2)
    taken, refused = await taking
    assert (taken, kinds(refused)) == ([True], {SlotTaken})
    await town.pools.close()
    assert await deadlocks(town.owner) == 0


async def test_the_lock_keeps_commits_from_blocking_each_other(town: Town) -> None:
    await two_take_the_same_two_slots(town)


async def test_without_the_lock_they_block_each_other_for_good(town: Town) -> None:
    """The constraint still keeps them apart, but the server has to undo one to get the other out."""
    with pytest.raises(AssertionError):
        await two_take_the_same_two_slots(town.planted(WithoutLocks))
    assert await town.value(OVERLAPS) == 0
    assert await deadlocks(town.owner) > 0


async def test_neighbours_by_half_an_hour_are_in_each_others_way_too(town: Town) -> None:
    """With buffers and a grid of 15 minutes: many slots that overlap, wanted in any order."""
    job = await town.job(await town.provider(), slot_interval=15, buffer_before=10, buffer_after=10)
    crowd = await town.crowd(32)
    starts = [TEN.replace(minute=15 * (number % 4)) for number in range(len(crowd))]
    wanted = zip(crowd, starts, strict=True)
    booked, refused = await town.at_once(*(town.book(one, job, starts_at) for one, starts_at in wanted))
    assert await town.value(OVERLAPS) == 0
    assert await town.value(ACTIVE) == len(booked) == 1
    assert kinds(refused) == {SlotTaken}


async def three_of_many_get_a_seat(town: Town) -> None:
    job = await town.job(await town.provider(), capacity=3)
    crowd = await town.crowd(20)
    booked, refused = await town.at_once(*(town.book(one, job) for one in crowd))
    assert await town.value("select sum(seats) from bookings where active") == 3
    assert len(booked) == 3
    assert kinds(refused) == {SoldOut}
    assert await town.value("select value from tallies") == 3


async def test_three_of_many_get_a_seat_of_the_class(town: Town) -> None:
    await three_of_many_get_a_seat(town)


async def test_without_a_ceiling_the_class_is_oversold(town: Town) -> None:
    with pytest.raises(AssertionError):
        await three_of_many_get_a_seat(town.planted(WithoutCeilings))
    assert await town.value("select sum(seats) from bookings where active") == 20


async def archived_while_booked(town: Town) -> None:
    """The booking is decided, then the job is archived, then the booking commits."""
    vera = await town.provider()
    job = await town.job(vera)
    (ann,) = await town.crowd(1)

    async def archive() -> None:
        await town.use(ArchiveJob)(vera, job.id)

    town.meanwhile = archive
    booked, refused = await town.at_once(town.book(ann, job), together=False)
    assert await town.value(ACTIVE) == 0, "a booking was made of an archived job"
    assert (booked, kinds(refused)) == ([], {JobNotBookable})


async def archived_while_waiting(town: Town) -> None:
    """The booking's commit waits for the provider's lock while the job is archived."""
    vera = await town.provider()
    job = await town.job(vera)
    (ann,) = await town.crowd(1)
    lock = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
    async with town.in_the_way(lock, f"provider:{vera.user_id}"):
        booking = asyncio.ensure_future(town.at_once(town.book(ann, job), together=False))
        await town.until_waiting(booking)
        await town.use(ArchiveJob)(vera, job.id)
    booked, refused = await booking
    assert await town.value(ACTIVE) == 0, "a booking was made of an archived job"
    assert (booked, kinds(refused)) == ([], {JobNotBookable})


async def test_a_job_archived_meanwhile_is_not_booked(town: Town) -> None:
    await archived_while_booked(town)


async def test_a_job_archived_while_the_commit_waits_is_not_booked(town: Town) -> None:
    await archived_while_waiting(town)


async def test_without_guards_an_archived_job_is_booked(town: Town) -> None:
    with pytest.raises(AssertionError, match="archived job"):
        await archived_while_booked(town.planted(WithoutGuards))


async def test_with_guards_that_do_not_lock_an_archived_job_is_booked(town: Town) -> None:
    with pytest.raises(AssertionError, match="archived job"):
        await archived_while_waiting(town.planted(with_plain_reads))


async def closed_while_booked(town: Town) -> None:
    """The booking is decided, then the provider changes the hours, then the booking commits."""
    vera = await town.provider()
    job = await town.job(vera)
    (ann,) = await town.crowd(1)

    async def close() -> None:
        await town.use(SetAvailability)(vera, vera.signed_in(), Hours(zone="Europe/Lisbon"))

    town.meanwhile = close
    booked, refused = await town.at_once(town.book(ann, job), together=False)
    assert await town.value(ACTIVE) == 0, "a booking was made outside of the hours"
    assert (booked, kinds(refused)) == ([], {NotOffered})


async def test_hours_changed_meanwhile_are_kept(town: Town) -> None:
    await closed_while_booked(town)


async def test_without_guards_a_booking_lies_outside_of_the_hours(town: Town) -> None:
    with pytest.raises(AssertionError, match="outside of the hours"):
        await closed_while_booked(town.planted(WithoutGuards))


async def requested(town: Town, many: int) -> tuple[Actor, Job, list[Actor]]:
    """A provider who is asked first, a job, and customers."""
    vera = await town.provider()
    job = await town.job(vera, acceptance=Acceptance.REQUEST)
    return vera, job, await town.crowd(many)


async def test_a_request_is_accepted_once(town: Town) -> None:
    vera, job, (ann,) = await requested(town, 1)
    booking = await town.book(ann, job)
    accepted, refused = await town.at_once(*(town.ask(AcceptBooking, vera, booking.id) for _ in range(5)))
    assert len(accepted) == 1
    assert kinds(refused) == {BookingStateRefused}
    assert await town.value("select count(*) from payments") == 1
    assert await town.value("select count(*) from outbox where name = 'booking.accepted'") == 1


async def test_of_two_requests_for_one_slot_one_is_accepted(town: Town) -> None:
    vera, job, crowd = await requested(town, 5)
    asked = [await town.book(one, job) for one in crowd]
    accepted, refused = await town.at_once(*(town.ask(AcceptBooking, vera, booking.id) for booking in asked))
    assert len(accepted) == await town.value(ACTIVE) == 1
    assert kinds(refused) == {SlotTaken}


async def test_a_booking_is_moved_to_a_slot_that_others_want(town: Town) -> None:
    job = await town.job(await town.provider())
    ann, *others = await town.crowd(11)
    booking = await town.book(ann, job, TEN)
    moved, refused = await town.at_once(
        town.ask(RescheduleBooking, ann, booking.id, Rescheduling(starts_at=ELEVEN)),
        *(town.book(other, job, ELEVEN) for other in others),
    )
    assert len(moved) == 1
    assert kinds(refused) == {SlotTaken}
    assert await town.value(OVERLAPS) == 0
    assert await town.value(ACTIVE) == (1 if moved[0].id == booking.id else 2)
    spans = await town.sql("select id, lower(span) as start from bookings where active order by 2")
    assert spans[-1]["start"] == ELEVEN
    assert len({row["start"] for row in spans}) == len(spans)


async def test_two_bookings_that_change_places_do_not_both_get_them(town: Town) -> None:
    """Each wants the other's slot: neither is free, so both stay, and nobody waits for ever."""
    job = await town.job(await town.provider())
    ann, bob = await town.crowd(2)
    first, second = await town.book(ann, job, TEN), await town.book(bob, job, ELEVEN)
    moved, refused = await town.at_once(
        town.ask(RescheduleBooking, ann, first.id, Rescheduling(starts_at=ELEVEN)),
        town.ask(RescheduleBooking, bob, second.id, Rescheduling(starts_at=TEN)),
        together=False,
    )
    assert (moved, kinds(refused)) == ([], {SlotTaken})


async def test_seats_change_hands_between_two_sessions_in_both_directions(town: Town) -> None:
    """Moves from one session to another and back, with cancellations between: every seat is counted once."""
    job = await town.job(await town.provider(), capacity=10, terms=PaymentTerms.LATER)
    crowd = await town.crowd(10)
    held = [await town.book(one, job, TEN if number % 2 else ELEVEN) for number, one in enumerate(crowd)]
    moves = [
        town.ask(
            RescheduleBooking,
            one,
            booking.id,
            Rescheduling(starts_at=ELEVEN if booking.starts_at == TEN else TEN),
        )
        for one, booking in zip(crowd, held, strict=True)
    ]
    moved, refused = await town.at_once(*moves)
    assert (len(moved), refused) == (10, [])
    seats = "select occupancy, sum(seats)::int from bookings where active group by occupancy order by 1"
    tallies = "select substr(name, 7)::uuid, value::int from tallies where value > 0 order by 1"
    assert [tuple(row) for row in await town.sql(seats)] == [tuple(row) for row in await town.sql(tallies)]
