"""Every writing use case has its place in the catalogue; some pairs in all their schedules; planted bugs are found."""

import pytest

from adapters.simulated_gateway import Books
from tests.proof.schedules.campaign import play_all
from tests.proof.schedules.catalogue import LEFT_OUT, PARTS, Part, pairs, writers
from tests.proof.schedules.gate import Plan, Walker, never, play
from tests.proof.schedules.grounds import MemoryGround, on_postgres
from tests.proof.schedules.planted import PLANTED
from tests.proof.schedules.playing import House
from tests.proof.schedules.scenes import Scene, made

RACED = [
    ("a_workshop", {"book a slot", "archive the job"}),
    ("an_account", {"refresh", "change the password"}),
    ("a_shared_session", {"cancel as customer"}),
]
"""Pairs whose schedules are worth a second on every run."""


def test_every_writing_use_case_races_or_says_why_not() -> None:
    raced = {part.use_case.__name__ for part in PARTS}
    assert writers().keys() - raced - LEFT_OUT.keys() == set()
    assert (raced | LEFT_OUT.keys()) - writers().keys() == set(), "no such use case any more"
    assert raced & LEFT_OUT.keys() == set()


async def test_every_use_case_succeeds_in_some_scene() -> None:
    scenes: dict[str, Scene] = {}
    done: set[type] = set()
    books = Books(":memory:")
    for part in PARTS:
        if part.scene not in scenes:
            scenes[part.scene] = await made(part.scene)
        if part.use_case not in done and await alone(scenes[part.scene], part, books):
            done.add(part.use_case)
    books.close()
    assert {part.use_case for part in PARTS} - done == set()


async def alone(scene: Scene, part: Part, books: Books) -> bool:
    """Whether the command is carried out when nobody is in its way."""
    ground, walkers = MemoryGround(), (Walker("one"), Walker("nobody"))
    await ground.reset(scene)
    books._connection.deserialize(scene.books)

    async def nothing() -> None:
        """Nobody."""

    command = House(scene, walkers[0], books, ground).ask(part, part.asked(scene.known))
    ended, _ = await play(walkers, (command, nothing()), Plan(0), never)
    return not isinstance(ended, BaseException) and any(step.writes for step in walkers[0].steps)


async def test_some_pairs_end_like_one_of_their_orders(database: str) -> None:
    wanted = [pair for pair in pairs() if (pair[0].scene, {part.name for part in pair}) in RACED]
    assert len(wanted) == len(RACED)
    in_memory = await play_all(wanted, MemoryGround())
    assert in_memory.failures == []
    async with on_postgres(database) as ground:
        stored = await play_all(wanted, ground)
    assert stored.failures == []
    assert stored.schedules > in_memory.schedules > 3 * len(RACED)


@pytest.mark.parametrize("name", ["guards read plainly", "no advisory lock", "no receipts"])
async def test_a_planted_bug_is_found(database: str, name: str) -> None:
    plant = PLANTED[name]
    wanted = [pair for pair in pairs() if (pair[0].scene, {part.name for part in pair}) in plant.shows_in]
    async with on_postgres(database, plant.make) as ground:
        for statement in plant.sql:
            await ground.owner.execute(statement)
        assert (await play_all(wanted, ground, until_failed=True)).failures
