"""A command is carried out once: its receipt commits with its effect, on every store, whatever happens on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any

import pytest

from adapters.persistence.mapping import KEPT
from adapters.persistence.store import Changes, Insert, Numbers, Store
from application.commands import AlreadyCommitted, Command, KeyReused, OutcomeUnknown
from application.messaging import SendMessage, Words
from domain.messaging import Message
from domain.organizations import THE_HOUSE, Organization
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import Conflict, Outdated, Refusal, StaleVersion
from domain.shared.ids import ConversationId, OrganizationId, UserId
from tests.contracts import races
from tests.contracts.rows import Rows
from tests.contracts.stores import Backend, backend, connected, postgres, until
from tests.support.house import House

__all__ = ["backend", "postgres"]

ACTOR = Actor(user_id=UserId(Rows("actor").id()))


def command(key: str = "k1", **told: Any) -> Command:
    return Command(**{"principal": "user:ada", "operation": "rename", "key": key, "fingerprint": "f1", **told})


class Town:
    """A house with an organization in it, whose name is the state that commands change."""

    def __init__(self, backend: Backend, store: Store | None = None) -> None:
        self.backend = backend
        self.house = House(store=store or backend.store, views=backend.views, job_search=backend.job_search)
        self.id = OrganizationId(self.house.ids.new())
        self.runs = 0
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def founded(self) -> "Town":
        """The same, with the organization there."""
        async with self.house.begin(SYSTEM) as work:
            owner, now = ACTOR.signed_in(), self.house.clock.now()
            work.organizations.add(Organization.found(id=self.id, owner_id=owner, name="First", now=now))
        return self

    def renaming(self, name: str, *, seen: int | None = None) -> Callable[[], Awaitable[Organization]]:
        """A use case bound to its input: whoever calls it renames the organization."""

        async def rename() -> Organization:
            self.runs += 1
            async with self.house.begin(ACTOR) as work:
                organization = await work.organizations.get(self.id)
                organization.must_be(seen)
                organization.rename(name, by=THE_HOUSE)
                if self.meanwhile:
                    meanwhile, self.meanwhile = self.meanwhile, None
                    # Somebody else's doing: it knows nothing of the command that is being carried out here.
                    await asyncio.create_task(_awaited(meanwhile), context=Context())
                return work.answer(organization)

        return rename

    async def stored(self) -> dict[str, Any]:
        """The organization as it is kept."""
        return (await self.backend.rows("organizations", id=self.id))[0]

    async def renamings(self) -> int:
        """How often it was renamed, by the events that left."""
        return len(await self.backend.rows("outbox", name="organization.renamed"))


async def _awaited(call: Callable[[], Awaitable[object]]) -> None:
    await call()


@pytest.fixture
async def town(backend: Backend) -> Town:
    return await Town(backend).founded()


async def test_the_same_command_is_carried_out_once_and_answered_alike(town: Town) -> None:
    first = await town.house.perform(command(), town.renaming("Second"))
    again = await town.house.perform(command(), town.renaming("Second"))
    assert (first.replayed, again.replayed) == (False, True)
    assert _image(again.answer) == _image(first.answer)
    assert (town.runs, (await town.stored())["version"], await town.renamings()) == (1, 2, 1)
    assert len(await town.backend.rows("receipts")) == 1


async def test_a_replay_answers_as_things_were_then(town: Town) -> None:
    await town.house.perform(command("k1"), town.renaming("Second"))
    await town.house.perform(command("k2"), town.renaming("Third"))
    again = await town.house.perform(command("k1"), town.renaming("Second"))
    assert (again.answer.name, again.answer.version) == ("Second", 2)
    assert (await town.stored())["name"] == "Third"


async def test_a_key_is_good_for_one_request(town: Town) -> None:
    await town.house.perform(command(), town.renaming("Second"))
    with pytest.raises(KeyReused):
        await town.house.perform(command(fingerprint="f2"), town.renaming("Third"))
    assert (town.runs, (await town.stored())["name"]) == (1, "Second")


@pytest.mark.parametrize("told", [{"principal": "user:bob"}, {"operation": "other"}, {"key": "k2"}])
async def test_what_is_asked_by_others_or_for_another_thing_is_another_command(
    town: Town, told: dict[str, str]
) -> None:
    await town.house.perform(command(), town.renaming("Second"))
    outcome = await town.house.perform(command(**told), town.renaming("Third"))
    assert not outcome.replayed
    assert (town.runs, (await town.stored())["name"]) == (2, "Third")


async def test_of_two_at_once_one_has_an_effect_and_the_other_replays(backend: Backend) -> None:
    town = Town(backend)
    sender, conversation = await _conversation(backend)
    call = lambda: town.house.use(SendMessage)(sender, conversation, Words(text="Hello"))  # noqa: E731
    outcomes = await asyncio.gather(*(town.house.perform(command(operation="send"), call) for _ in range(8)))
    assert sum(not outcome.replayed for outcome in outcomes) == 1
    assert len({_image(outcome.answer)["id"] for outcome in outcomes}) == 1
    assert len(await backend.rows("messages")) == len(await backend.rows("receipts")) == 1


async def test_the_loser_of_two_at_once_replays_though_its_own_rules_now_say_no(town: Town) -> None:
    """The second request has looked for a receipt, found none, and read the state before the first one commits."""
    call = town.renaming("Second", seen=1)
    town.meanwhile = lambda: town.house.perform(command(), call)
    outcome = await town.house.perform(command(), call)
    assert (outcome.replayed, outcome.answer.name, outcome.answer.version) == (True, "Second", 2)
    assert (await town.stored())["version"] == 2


async def test_a_refusal_leaves_no_receipt(town: Town) -> None:
    with pytest.raises(Outdated):
        await town.house.perform(command(), town.renaming("Second", seen=7))
    assert await town.backend.rows("receipts") == []
    outcome = await town.house.perform(command(), town.renaming("Second", seen=1))
    assert not outcome.replayed


async def test_a_stale_version_is_tried_again_as_a_whole(town: Town) -> None:
    town.meanwhile = town.renaming("Meanwhile")
    outcome = await town.house.perform(command(), town.renaming("Second"))
    assert (outcome.answer.name, outcome.answer.version) == ("Second", 3)
    assert town.runs == 3
    assert len(await town.backend.rows("receipts")) == 1


async def test_what_changes_all_the_time_is_given_up_after_three_tries(town: Town) -> None:
    async def always_late() -> Organization:
        town.meanwhile = town.renaming(f"Meanwhile {town.runs}")
        return await town.renaming("Second")()

    with pytest.raises(StaleVersion):
        await town.house.perform(command(), always_late)
    assert town.runs == 6
    assert (await town.stored())["name"] == "Meanwhile 4"
    assert await town.backend.rows("receipts") == []


async def test_only_the_first_commit_of_a_command_takes_its_receipt(town: Town) -> None:
    async def twice() -> Organization:
        await town.renaming("Second")()
        return await town.renaming("Third")()

    await town.house.perform(command(), twice)
    (receipt,) = await town.backend.rows("receipts")
    assert receipt["answer"]["name"] == "Second"


async def test_a_command_without_a_key_leaves_a_receipt_of_its_own(town: Town) -> None:
    for name in ("Second", "Third"):
        unkeyed = town.house.perform.unkeyed(ACTOR.principal, "rename")
        assert not (await town.house.perform(unkeyed, town.renaming(name))).replayed
    assert len(await town.backend.rows("receipts")) == 2


async def test_a_message_has_its_number_in_the_answer_and_in_every_replay(backend: Backend) -> None:
    town = Town(backend)
    sender, conversation = await _conversation(backend)

    async def send(key: str) -> Any:
        call = lambda: town.house.use(SendMessage)(sender, conversation, Words(text=key))  # noqa: E731
        return await town.house.perform(command(key, operation="send"), call)

    first, second, again = [await send(key) for key in ("k1", "k2", "k1")]
    numbers = [outcome.answer.sequence for outcome in (first, second, again)]
    assert numbers == [1, 2, 1]
    assert isinstance(again.answer, Message)
    assert _image(again.answer) == _image(first.answer)
    assert again.replayed


async def test_every_kind_of_answer_survives_its_receipt(backend: Backend) -> None:
    town, rows = Town(backend), Rows("answers")
    for cls, kept in KEPT.items():
        if "version" not in kept.table.names:
            continue
        inserts = rows.inserts(kept.table.name)
        await backend.commit(*inserts)
        answers: list[Any] = []

        async def look(table: str = kept.table.name, inserts: list[Insert] = inserts) -> Any:
            async with town.house.begin(SYSTEM) as work:
                thing = await getattr(work, table).get(inserts[-1].row["id"])
                work.tally(f"looks:{table}", 1)
                return work.answer(thing)

        answers = [(await town.house.perform(command(cls.__name__), look)).answer for _ in range(2)]
        assert type(answers[0]) is type(answers[1]) is cls
        assert _image(answers[0]) == _image(answers[1])


# --- When no reply comes ----------------------------------------------------------------------------------------------


class Mute(Store):
    """A store that does not answer some commits; `happens` says which of those it carries out nevertheless."""

    def __init__(self, store: Store, *happens: bool) -> None:
        self._store = store
        self.happens = list(happens)
        self.late: Changes | None = None
        self.load, self.claim, self.count = store.load, store.claim, store.count  # type: ignore[method-assign]

    async def load(self, *args: Any, **kwargs: Any) -> Any: ...

    async def claim(self, *args: Any, **kwargs: Any) -> Any: ...

    async def count(self, *args: Any, **kwargs: Any) -> Any: ...

    async def commit(self, changes: Changes) -> Numbers:
        if not self.happens:
            return await self._store.commit(changes)
        if self.happens.pop(0):
            await self._store.commit(changes)
        else:
            self.late = changes
        raise OutcomeUnknown("no reply")


@pytest.mark.parametrize("asked", [True, False], ids=["with a key", "without a key"])
@pytest.mark.parametrize("happened", [True, False], ids=["it happened", "it did not happen"])
async def test_a_commit_with_no_reply_is_looked_up_by_its_receipt(
    backend: Backend, happened: bool, asked: bool
) -> None:
    mute = Mute(backend.store)
    town = await Town(backend, mute).founded()
    mute.happens = [happened]
    told = command() if asked else town.house.perform.unkeyed("user:ada", "rename")
    outcome = await town.house.perform(told, town.renaming("Second"))
    assert (outcome.answer.name, outcome.answer.version, outcome.replayed) == ("Second", 2, False)
    assert (town.runs, await town.renamings()) == (1 if happened else 2, 1)
    assert (await town.stored())["version"] == 2


async def test_a_commit_that_happens_after_it_was_looked_for_is_not_repeated(backend: Backend) -> None:
    mute = Mute(backend.store)
    town = await Town(backend, mute).founded()
    mute.happens = [False]
    sender, conversation = await _conversation(backend)

    async def send() -> Message:
        town.runs += 1
        if town.runs == 2 and mute.late:
            await backend.store.commit(mute.late)
        return await town.house.use(SendMessage)(sender, conversation, Words(text="Hello"))

    outcome = await town.house.perform(command(), send)
    assert outcome.answer.sequence == 1
    assert len(await backend.rows("messages")) == 1


async def test_what_stays_unknown_is_said_to_be_unknown(backend: Backend) -> None:
    mute = Mute(backend.store)
    town = await Town(backend, mute).founded()
    mute.happens = [False, False, False]
    with pytest.raises(OutcomeUnknown):
        await town.house.perform(command(), town.renaming("Second"))
    assert town.runs == 3
    assert (await town.stored())["version"] == 1


async def test_a_connection_that_breaks_in_the_middle_of_a_commit_is_survived(postgres: Backend) -> None:
    town = await Town(postgres).founded()
    async with connected(postgres.url) as other, connected(postgres.url) as watcher:
        change = other.transaction()
        await change.start()
        await other.execute("select 1 from organizations where id = $1 for update", town.id)
        renaming = asyncio.ensure_future(town.house.perform(command(), town.renaming("Second")))
        blocked = "select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        pid = await until(lambda: watcher.fetchval(blocked))
        await watcher.execute("select pg_terminate_backend($1)", pid)
        await until(lambda: watcher.fetchval(f"{blocked} and pid <> $1", pid))
        await change.commit()
    outcome = await renaming
    assert (outcome.answer.version, town.runs, await town.renamings()) == (2, 2, 1)


async def test_a_commit_whose_connection_breaks_says_that_its_outcome_is_unknown(postgres: Backend) -> None:
    rows = Rows("broken")
    organization = rows.row("organizations")
    await postgres.insert("organizations", organization)
    async with connected(postgres.url) as other, other.transaction():
        await other.execute("select pg_advisory_xact_lock(hashtextextended('provider:1', 0))")
        commit = asyncio.ensure_future(postgres.commit(Insert("outbox", rows.row("outbox")), locks=("provider:1",)))
        pid = await until(
            lambda: other.fetchval("select pid from pg_locks where locktype = 'advisory' and not granted")
        )
        await other.execute("select pg_terminate_backend($1)", pid)
        _, refused = await races.gathered(commit)
    assert [type(refusal) for refusal in refused] == [OutcomeUnknown]
    assert await postgres.rows("outbox") == []


def test_a_lost_race_is_a_conflict_and_silence_is_not() -> None:
    assert issubclass(AlreadyCommitted, Conflict)
    assert not issubclass(OutcomeUnknown, Conflict)
    assert issubclass(KeyReused, Refusal)


async def _conversation(backend: Backend) -> tuple[Actor, ConversationId]:
    """Somebody in a conversation."""
    rows = Rows("conversation")
    participant = rows.row("participants")
    await backend.commit(*rows.parents, Insert("participants", participant))
    return Actor(user_id=UserId(participant["user_id"])), ConversationId(participant["conversation_id"])


def _image(thing: Any) -> dict[str, Any]:
    return KEPT[type(thing)].mapper.image(thing)
