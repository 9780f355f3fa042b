"""The audit trail: written with every change, read by admins, sealed once, and verified."""

from datetime import timedelta
from typing import Any

import pytest

from application.audit import AuditFilter, ListAudit, SealAudit, VerifyAudit
from application.ports.audit import AuditTrail
from domain.audit import AlreadySealed, Break, Fault, Head, seal
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.errors import Forbidden, Unauthenticated
from tests.application.marketplace import NOW, Marketplace

OPERATOR = Actor(kind=Kind.OPERATOR, name="nora")


class Story(Marketplace):
    """Four people join, which leaves a trail."""

    root: Actor

    async def begins(self) -> "Story":
        for name in ("ada", "ben", "eve"):
            await self.person(name)
            self.clock.advance(timedelta(minutes=1))
        self.root = await self.person("root", Role.ADMIN)
        return self

    @property
    def trail(self) -> AuditTrail:
        return self.ports["trail"]

    async def list(self, by: Actor | None = None, limit: int = 100, **wanted: Any):
        return (await self.use(ListAudit)(by or self.root, AuditFilter(**wanted), limit=limit)).items

    def tamper(self, place: int, /, **change: Any) -> None:
        """Change a sealed row behind the back of the house."""
        rows = self.store.tables["audit"].rows
        id, row = next((id, row) for id, row in rows.items() if row["position"] == place)
        rows[id] = {**row, **change}


@pytest.fixture
async def story() -> Story:
    return await Story().begins()


async def test_a_clock_that_is_set_back_meanwhile_dates_nothing_before_it_was_decided(story):
    decided = story.clock.now()
    async with story.begin(story.root) as work:
        (user,) = await work.users.find(email="ada@example.org")
        user.suspend(by=story.root, reason="asked to", now=decided)
        story.clock.set(decided - timedelta(minutes=15))
    (told,) = [each for each in await story.list() if each.action == "user.suspended"]
    assert told.at == decided


async def test_every_change_has_its_entry_in_the_order_it_happened(story):
    newest = (await story.list())[0]
    assert (newest.actor, newest.subject_version, newest.at) == ("system", 1, NOW + timedelta(minutes=3))
    assert newest.position is None
    users = {row["id"] for row in story.rows("users")}
    assert {each.subject_id for each in await story.list(subject_table="users")} == users


async def test_the_trail_is_filtered_by_who_what_and_when(story):
    ada = min(story.rows("users"), key=lambda row: row["created_at"])["id"]
    about_ada = await story.list(subject_table="users", subject_id=ada)
    assert [each.subject_id for each in about_ada] == [ada]
    action = about_ada[0].action
    assert {each.action for each in await story.list(action=action)} == {action}
    assert await story.list(actor="user:nobody") == []
    early = await story.list(since=NOW, until=NOW + timedelta(minutes=1))
    assert early
    assert {each.at for each in early} == {NOW}
    assert {each.at for each in await story.list(since=NOW + timedelta(minutes=3))} == {NOW + timedelta(minutes=3)}


async def test_the_trail_is_read_in_pages(story):
    every = [each.id for each in await story.list()]
    page = await story.use(ListAudit)(OPERATOR, limit=3)
    rest = await story.use(ListAudit)(OPERATOR, after=page.next, limit=100)
    assert [each.id for each in (*page.items, *rest.items)] == every


async def test_the_trail_is_for_those_who_look_after_the_house(story):
    for deed in (lambda who: story.list(by=who), story.use(VerifyAudit)):
        with pytest.raises(Forbidden):
            await deed(Actor(user_id=story.root.user_id))
        with pytest.raises(Unauthenticated):
            await deed(ANONYMOUS)


async def test_sealing_chains_what_has_been_committed_and_goes_on_where_it_ended(story):
    total = len(story.rows("audit"))
    sealer = story.use(SealAudit)
    assert [await sealer(limit=3), await sealer(), await sealer()] == [3, total - 3, 0]
    await story.person("late")
    fresh = len(story.rows("audit")) - total
    assert await sealer() == fresh
    report = await story.use(VerifyAudit)(SYSTEM, batch=2)
    assert (report.holds, report.first_break, report.waiting_since) == (True, None, None)
    assert report.verified == await story.trail.head()
    assert report.verified.position == total + fresh
    assert sorted(each.position for each in await story.list()) == list(range(1, total + fresh + 1))


async def test_an_empty_chain_holds_and_says_what_waits(story):
    report = await story.use(VerifyAudit)(OPERATOR)
    assert (report.holds, report.verified, report.waiting_since) == (True, Head(), NOW)


async def test_of_two_sealers_at_once_one_is_refused_and_the_chain_does_not_fork(story):
    head, entries = await story.trail.head(), await story.trail.unsealed(limit=4)
    await story.trail.seal(seal(entries[:2], onto=head))
    for slow in (entries, entries[2:]):
        with pytest.raises(AlreadySealed):
            await story.trail.seal(seal(slow, onto=head))
    assert (await story.trail.head()).position == 2
    await story.use(SealAudit)()
    assert (await story.use(VerifyAudit)(OPERATOR)).holds


async def test_a_sealer_that_was_too_slow_tries_again_later(story):
    class Slow:
        """The trail as a sealer sees it when another one is faster by a moment."""

        def __init__(self, trail: AuditTrail) -> None:
            self.trail, self.head, self.unsealed = trail, trail.head, trail.unsealed

        async def seal(self, seals: Any) -> None:
            await SealAudit(trail=self.trail)(limit=1)
            await self.trail.seal(seals)

    total = len(story.rows("audit"))
    assert await SealAudit(trail=Slow(story.trail))() == 0  # type: ignore[arg-type]
    assert await story.use(SealAudit)() == total - 1
    assert (await story.use(VerifyAudit)(OPERATOR)).holds


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"actor": "user:ben"}, Break(position=3, fault=Fault.ALTERED)),
        ({"details": {"amount": 1}}, Break(position=3, fault=Fault.ALTERED)),
        ({"hash": "00" * 32}, Break(position=3, fault=Fault.ALTERED)),
        ({"position": None, "hash": None}, Break(position=3, fault=Fault.GAP)),
        ({"position": 999}, Break(position=3, fault=Fault.GAP)),
    ],
    ids=["another actor", "other numbers", "another hash", "unsealed", "moved"],
)
@pytest.mark.parametrize("batch", [1, 2, 1000])
async def test_a_trail_that_was_changed_shows_where(story, change, found, batch):
    await story.use(SealAudit)()
    story.tamper(3, **change)
    report = await story.use(VerifyAudit)(OPERATOR, batch=batch)
    assert (report.holds, report.first_break, report.verified.position) == (False, found, 2 if batch < 3 else 0)
