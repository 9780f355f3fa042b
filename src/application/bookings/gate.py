"""The gate: whatever makes a booking take a provider's time passes here, and whatever ends it gives the seats back."""

from datetime import datetime, timedelta

from application.ports.criteria import Overlaps
from application.ports.unit_of_work import Work
from domain.bookings import Booking, JobNotBookable, NotOffered, SlotTaken, SoldOut, TooManySeats
from domain.jobs import Job, JobState
from domain.scheduling import Availability, Busy, SlotRules, offers
from domain.shared.errors import NotFound, Refusal
from domain.shared.ids import JobId

REFUSES: tuple[type[Refusal], ...] = (NotFound, JobNotBookable, NotOffered, SlotTaken, SoldOut, TooManySeats)
"""What the gate says no with."""


async def bookable(work: Work, job_id: JobId) -> Job:
    """The job, if it takes bookings; a draft is nobody's business."""
    job = await work.jobs.get(job_id)
    if job.state is JobState.DRAFT:
        raise NotFound.of("job", job_id)
    if not job.bookable:
        raise JobNotBookable
    return job


async def hours_of(work: Work, job: Job, starts_at: datetime) -> Availability:
    """The hours of the provider who performs the job; one who keeps none offers nothing."""
    try:
        return await work.availabilities.get(job.provider_id)
    except NotFound:
        raise NotOffered(starts_at) from None


async def gate(work: Work, booking: Booking, *, now: datetime) -> None:
    """Let the booking have the time and seats it now asks for, or refuse. The commit then holds only if the job and
    the hours are still as judged here; the store's exclusion and the session's tally stand against who was faster.
    Lapsed holds in the way expire with it, so that none of them blocks anything while no sweeper runs."""
    job = await bookable(work, booking.job_id)
    availability = await hours_of(work, job, booking.starts_at)
    work.guard(job)
    work.guard(availability)
    nearby = await work.bookings.find(provider_id=booking.provider_id, active=True, blocked=Overlaps(booking.blocked))
    others = [other for other in nearby if other.id != booking.id]
    _judge(booking, job, availability, [_busy(other) for other in others if not other.lapsed(now)], now)
    if not booking.active:
        return
    for other in others:
        if other.lapsed(now):
            lapse(work, other, now=now)
    work.lock(f"provider:{booking.provider_id}")
    if booking.shared:
        work.tally(f"seats:{booking.occupancy}", booking.seats, ceiling=job.capacity)


def give_back(work: Work, booking: Booking) -> None:
    """Free the seats of a shared session that the booking takes now; call it before the verb that ends or moves it."""
    if booking.active and booking.shared:
        work.tally(f"seats:{booking.occupancy}", -booking.seats)


def lapse(work: Work, booking: Booking, *, now: datetime) -> None:
    """Expire a hold or request whose time is over, and free its seats."""
    give_back(work, booking)
    booking.expire(now=now)


def _judge(booking: Booking, job: Job, availability: Availability, busy: list[Busy], now: datetime) -> None:
    """The engine that lists slots decides; asked again without the others, it tells why not."""
    rules = _rules(booking, job)

    def offered(against: list[Busy]) -> bool:
        return offers(availability, rules, against, starts_at=booking.starts_at, now=now, seats=booking.seats)

    if offered(busy):
        return
    if not offered([]):
        raise NotOffered(booking.starts_at)
    if booking.shared and offered([other for other in busy if other.occupancy != booking.occupancy]):
        raise SoldOut(starts_at=booking.starts_at.isoformat(), seats=booking.seats)
    raise SlotTaken(starts_at=booking.starts_at.isoformat())


def _rules(booking: Booking, job: Job) -> SlotRules:
    """The job's rules now, with the length and buffers this booking was made with."""
    return SlotRules(
        duration=booking.span.length // timedelta(minutes=1),
        buffer_before=booking.buffer_before,
        buffer_after=booking.buffer_after,
        interval=job.slot_interval,
        notice=job.notice,
        window_days=job.window_days,
        capacity=job.capacity,
        job_id=job.id,
    )


def _busy(other: Booking) -> Busy:
    return Busy(blocked=other.blocked, occupancy=other.occupancy, starts_at=other.starts_at, seats=other.seats)
