"""One key, one effect; one event, one effect of each reaction, in the order things happened."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from adapters.persistence.outbox import StoredOutbox
from application.bookings import BookSlot, CancelBooking, Cancellation, Reservation
from application.commands import KeyReused
from application.jobs import CreateJob, JobDraft
from application.messaging import Opening as Talk
from application.messaging import SendMessage, StartConversation, Words
from application.organizations import CreateOrganization, NewName, NewOrganization, RenameOrganization
from application.payments import RefundPayment, Repayment
from domain.notifications import Notification
from domain.organizations import OrganizationRenamed
from domain.shared.actors import Actor, Role
from domain.shared.ids import NotificationId, UserId
from entrypoints.worker.delivery import LEASE, Deliver
from tests.application.marketplace import EUROS_45
from tests.races.planted import ClaimingInAnyOrder
from tests.races.test_money import at_the_gateway, must_add_up, paid
from tests.races.town import TEN, Together, Town, kinds

WITHOUT_RECEIPTS = "alter table receipts drop constraint receipts_key, drop constraint receipts_pkey"


async def twins_have_one_effect(town: Town, many: int = 4) -> None:
    job = await town.job(await town.provider())
    (ann,) = await town.crowd(1)
    talk = await town.ask(StartConversation, ann, Talk(job_id=job.id))
    said = Words(text="once")
    sent, refused = await town.at_once(*(town.ask(SendMessage, ann, talk.id, said, key="k") for _ in range(many)))
    assert await town.value("select count(*) from messages") == 1, "one key had two effects"
    assert refused == []
    assert {(message.id, message.sequence, message.version) for message in sent} == {(sent[0].id, 1, 1)}


async def test_requests_with_one_key_at_once_have_one_effect_and_one_answer(town: Town) -> None:
    await twins_have_one_effect(town)


async def test_without_receipts_each_has_its_own(town: Town) -> None:
    await town.owner.execute(WITHOUT_RECEIPTS)
    town.is_planted = True
    with pytest.raises(AssertionError, match="two effects"):
        await twins_have_one_effect(town)


async def test_one_key_with_two_requests_at_once_serves_one_of_them(town: Town) -> None:
    vera = await town.person("vera", Role.PROVIDER)
    drafts = [
        JobDraft(title=title, category="music", price=EUROS_45, duration=60, place="Lisboa")
        for title in ("Guitar lesson", "Piano lesson")
    ]
    made, refused = await town.at_once(*(town.ask(CreateJob, vera, draft, key="k") for draft in drafts))
    assert (len(made), kinds(refused)) == (1, {KeyReused})
    assert await town.value("select count(*) from jobs") == 1
    assert await town.value("select count(*) from organizations") == 1


async def test_a_booking_asked_for_twice_with_one_key_is_made_once_and_answered_twice(town: Town) -> None:
    """The twin that loses finds the slot taken, by itself: that is no refusal."""
    job = await town.job(await town.provider())
    (ann,) = await town.crowd(1)
    reservation = Reservation(job_id=job.id, starts_at=TEN)
    booked, refused = await town.at_once(*(town.ask(BookSlot, ann, reservation, key="k") for _ in range(3)))
    assert await town.value("select count(*) from bookings") == 1
    assert refused == []
    assert {booking.id for booking in booked} == {await town.value("select id from bookings")}


async def test_a_cancellation_asked_for_twice_with_one_key_is_answered_twice(town: Town) -> None:
    """The twin that loses finds the booking called off, by itself."""
    job = await town.job(await town.provider())
    (ann,) = await town.crowd(1)
    booking = await town.book(ann, job)
    calls = [town.ask(CancelBooking, ann, booking.id, Cancellation(), key="k") for _ in range(3)]
    called_off, refused = await town.at_once(*calls)
    assert refused == []
    assert {each.version for each in called_off} == {2}
    assert await town.value("select count(*) from outbox where name = 'booking.cancelled'") == 1


async def test_a_refund_asked_for_twice_with_one_key_is_made_once(town: Town) -> None:
    vera, _, booking = await paid(town)
    some = Repayment(amount_minor=6_000)
    calls = [town.ask(RefundPayment, vera, booking.payment_id, some, key="k") for _ in range(3)]
    made, refused = await town.at_once(*calls)
    assert refused == []
    assert len({refund.id for refund in made}) == 1
    await town.worker().all()
    await must_add_up(town)
    assert await at_the_gateway(town) == 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A reaction that leaves a notification; some take longer than others. `done` is the order in which they ended."""

    town: Town
    reader: UserId
    done: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def __call__(self, actor: Actor, event: OrganizationRenamed) -> None:
        number = int(event.after.split()[-1])
        for _ in range(20 if number % 2 else 0):
            await asyncio.sleep(0.001)
        async with self.town.begin(actor) as work:
            notification = Notification.post(
                id=NotificationId(self.town.ids.new()),
                user_id=self.reader,
                kind="renamed",
                title="renamed",
                body=f"{event.organization_id} {number}",
                about=event.organization_id,
                now=self.town.clock.now(),
            )
            work.notifications.add(notification)
            if self.town.together:
                await self.town.together.wait()
        self.done[event.organization_id].append(number)


async def renamed(town: Town, *, guilds: int, times: int) -> Note:
    """Organizations that went by many names, one after the other; nobody has been told yet."""
    vera = await town.person("vera", Role.PROVIDER)
    made = [await town.ask(CreateOrganization, vera, NewOrganization(name="Guild")) for _ in range(guilds)]
    await Deliver(outbox=town.outbox, reactions={}, perform=town.perform, clock=town.clock).all()
    for number in range(1, times + 1):
        for guild in made:
            await town.ask(RenameOrganization, vera, guild.id, NewName(name=f"Guild {number}"))
    return Note(town=town, reader=vera.signed_in())


def worker(town: Town, note: Note) -> Deliver:
    """A worker of its own, which knows nothing of what others have in hand."""
    outbox = StoredOutbox(town.store, town.clock)
    return Deliver(outbox=outbox, reactions={OrganizationRenamed: (note,)}, perform=town.perform, clock=town.clock)


async def workers_deliver_everything(town: Town, *, workers: int = 3, guilds: int = 6, times: int = 5) -> None:
    note = await renamed(town, guilds=guilds, times=times)
    for _ in range(100):
        await asyncio.gather(*(worker(town, note).all() for _ in range(workers)))
        if not await town.value("select count(*) from outbox where finished_at is null"):
            break
    assert await town.value("select count(*) from notifications") == guilds * times, "not one effect per event"
    assert len(note.done) == guilds
    for order in note.done.values():
        assert order == list(range(1, times + 1)), "told out of order"


async def test_workers_deliver_each_event_once_and_in_order(town: Town) -> None:
    await workers_deliver_everything(town)


async def test_workers_that_claim_in_any_order_tell_out_of_order(town: Town) -> None:
    with pytest.raises(AssertionError, match="out of order"):
        await workers_deliver_everything(town.planted(ClaimingInAnyOrder))


async def a_worker_loses_its_lease(town: Town) -> None:
    """One worker stops in the middle of a reaction, another takes the event over, and then the first one wakes up."""
    note = await renamed(town, guilds=1, times=1)
    first, second = worker(town, note), worker(town, note)
    taken = await first.outbox.claim(lease=LEASE, limit=1)
    town.clock.advance(LEASE)
    taken_over = await second.outbox.claim(lease=LEASE, limit=1)
    assert [each.id for each in taken] == [each.id for each in taken_over]
    town.together = Together(2)
    await asyncio.gather(first.one(taken[0]), second.one(taken_over[0]))
    assert await town.value("select count(*) from notifications") == 1, "one event had two effects"
    assert await town.value("select count(*) from outbox where finished_at is null") == 0
    assert await town.value("select max(attempts) from outbox") == 2


async def test_an_event_in_the_hands_of_two_workers_has_one_effect(town: Town) -> None:
    await a_worker_loses_its_lease(town)


async def test_without_receipts_it_has_two(town: Town) -> None:
    await town.owner.execute(WITHOUT_RECEIPTS)
    town.is_planted = True
    with pytest.raises(AssertionError, match="two effects"):
        await a_worker_loses_its_lease(town)


async def test_all_that_follows_from_many_bookings_happens_once(town: Town) -> None:
    """Real reactions under several workers: a payment opened and a conversation made per booking, and no more."""
    job = await town.job(await town.provider(), capacity=12)
    crowd = await town.crowd(12)
    await town.at_once(*(town.book(one, job) for one in crowd))
    await asyncio.gather(*(town.worker().all() for _ in range(3)))
    await town.worker().all()
    counts = "select (select count(*) from conversations), (select count(*) from payments where state = 'open')"
    assert tuple((await town.sql(counts))[0]) == (12, 12)
    opened = await town.books.do(lambda books: books.execute("select count(*) from payments").fetchone()[0])
    assert opened == 12
    assert await town.value("select count(*) from outbox where finished_at is null and not scheduled") == 0
