"""Words said at once: numbered without gaps, reviewed once, and nobody's change is lost."""

from datetime import timedelta

import pytest

from application.bookings import CompleteBooking
from application.messaging import Opening as Talk
from application.messaging import SendMessage, StartConversation, Words
from application.organizations import AddMember, CreateOrganization, NewMember, NewOrganization, RemoveMember
from application.profiles import ProfileChanges, UpdateProfile
from application.reviews import Assessment, PostReview
from domain.bookings import Booking
from domain.organizations import LastOwner, MemberRole
from domain.reviews import AlreadyReviewed
from domain.shared.actors import Actor, Role
from domain.shared.terms import PaymentTerms
from tests.races.planted import CountingByLooking, without_versions
from tests.races.town import TEN, Town, kinds

NUMBERS = "select array_agg(sequence order by sequence) from messages"


async def many_write_at_once(town: Town, many: int = 100) -> None:
    job = await town.job(await town.provider())
    (ann,) = await town.crowd(1)
    talk = await town.ask(StartConversation, ann, Talk(job_id=job.id))
    vera = Actor(user_id=job.provider_id, role=Role.PROVIDER)
    sent, refused = await town.at_once(
        *(
            town.ask(SendMessage, ann if number % 2 else vera, talk.id, Words(text=f"{number}"))
            for number in range(many)
        )
    )
    assert not refused, f"{len(refused)} of {many} messages were refused"
    assert await town.value(NUMBERS) == list(range(1, many + 1))
    stored = {row["id"]: row["sequence"] for row in await town.sql("select id, sequence from messages")}
    assert {message.id: message.sequence for message in sent} == stored, "the sender was told another number"


async def test_a_hundred_messages_at_once_are_numbered_without_gaps(town: Town) -> None:
    await many_write_at_once(town)


async def test_numbers_that_are_looked_up_refuse_most_writers(town: Town) -> None:
    with pytest.raises(AssertionError, match="were refused"):
        await many_write_at_once(town.planted(CountingByLooking), 40)


async def completed(town: Town) -> tuple[Actor, Booking]:
    """A lesson that Ann has had."""
    vera = await town.provider()
    job = await town.job(vera, terms=PaymentTerms.LATER)
    (ann,) = await town.crowd(1)
    booking = await town.book(ann, job)
    town.clock.set(TEN + timedelta(hours=2))
    return ann, await town.ask(CompleteBooking, vera, booking.id)


async def a_review_is_posted_once(town: Town) -> None:
    ann, booking = await completed(town)
    posted, refused = await town.at_once(
        *(town.ask(PostReview, ann, booking.id, Assessment(stars=stars)) for stars in (1, 3, 5))
    )
    assert await town.value("select count(*) from reviews") == 1, "reviewed more than once"
    assert (len(posted), kinds(refused)) == (1, {AlreadyReviewed})
    await town.worker().all()
    rating = (await town.sql("select count, total from ratings"))[0]
    assert tuple(rating) == (1, posted[0].stars)


async def test_a_review_posted_from_three_windows_stands_once(town: Town) -> None:
    await a_review_is_posted_once(town)


async def test_without_the_constraint_it_stands_three_times(town: Town) -> None:
    await town.owner.execute("alter table reviews drop constraint reviews_once")
    town.is_planted = True
    with pytest.raises(AssertionError, match="more than once"):
        await a_review_is_posted_once(town)


async def two_changes_at_once_both_count(town: Town) -> None:
    ann = await town.person("ann")
    told, refused = await town.at_once(
        town.ask(UpdateProfile, ann, ProfileChanges(headline="Gardener")),
        town.ask(UpdateProfile, ann, ProfileChanges(bio="Since 1990.")),
    )
    assert (len(told), refused) == (2, [])
    profile = (await town.sql("select headline, bio from profiles where id = $1", ann.user_id))[0]
    assert tuple(profile) == ("Gardener", "Since 1990."), "a change is lost"


async def test_of_two_changes_at_once_neither_is_lost(town: Town) -> None:
    await two_changes_at_once_both_count(town)


async def test_without_versions_one_is_lost(town: Town) -> None:
    with pytest.raises(AssertionError, match="is lost"):
        await two_changes_at_once_both_count(town.planted(without_versions))


async def test_of_two_last_owners_who_leave_at_once_one_stays(town: Town) -> None:
    vera, otto = await town.person("vera", Role.PROVIDER), await town.person("otto", Role.PROVIDER)
    guild = await town.ask(CreateOrganization, vera, NewOrganization(name="Guild"))
    await town.ask(AddMember, vera, guild.id, NewMember(user_id=otto.signed_in(), role=MemberRole.OWNER))
    _, refused = await town.at_once(
        *(town.ask(RemoveMember, owner, guild.id, owner.signed_in()) for owner in (vera, otto))
    )
    assert kinds(refused) == {LastOwner}
    assert await town.value("select count(*) from memberships where role = 'owner'") == 1
    assert await town.value("select owners from organizations") == 1
