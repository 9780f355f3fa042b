"""Playing one pair of commands on a scene: the rows put back, both wired at the gate, every schedule told apart."""

import re
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from adapters.persistence.accounts import StoredAccounts
from adapters.persistence.chains import StoredAuditTrail, StoredLedgerChain
from adapters.persistence.readers import StoredReaders
from adapters.persistence.receipts import StoredReceipts
from adapters.persistence.schema.tables import Row
from adapters.persistence.security import StoredSecurityLog
from adapters.persistence.store import Store, Views
from adapters.persistence.unit_of_work import StoredBegin
from adapters.simulated_gateway import Books
from adapters.system.chance import NoPause
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.commands import Perform
from domain.shared.errors import Conflict, Refusal, Unavailable
from entrypoints.use_cases import UseCases
from tests.proof.schedules.catalogue import Part
from tests.proof.schedules.gate import Plan, Step, Stuck, Waits, Walker, play
from tests.proof.schedules.scenes import Scene, ports
from tests.support.house import Nudges

HOUSE = frozenset({"outbox", "audit", "receipts", "security_events"})
"""Tables that take rows of their own from every commit: nobody decides on them."""
SECRETS = frozenset(
    {"id", "token_hash", "reference", "payload", "details", "answer", "fingerprint", "key", "context", "created_at"}
)
"""Columns that differ from run to run, or repeat what other columns say."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_REF = re.compile(r"\b(s[pre]_[0-9a-f]{32})\w*")
_EPOCH = re.compile(r"'epoch': '(\d+)'")
_USER = re.compile(r"'user_id': '([^']+)'")
_LOOSE = re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b")

_GATED = frozenset({"BookSlot", "AcceptBooking", "RescheduleBooking", "SettleBooking"})
_JOBS_AND_HOURS = frozenset(
    {
        "ArchiveJob",
        "ReviseJob",
        "RetireJobs",
        "SetAvailability",
        "OverrideDay",
        "ClearDay",
        "TakeTimeOff",
        "CancelTimeOff",
    }
)
_MANAGED = frozenset({"AddMember", "ChangeMemberRole", "RemoveMember", "RenameOrganization", "CreateJob"})
GUARDED = (
    (_GATED, _JOBS_AND_HOURS),
    (_MANAGED, frozenset({"ChangeMemberRole", "RemoveMember"})),
    (frozenset({"StartPayment"}), frozenset({"CancelBooking", "ExpireHold", "SweepHolds"})),
)
"""Commands that guard what they have read, and those that change it. They end like the order of their commits, not just
like some order: what was decided on still held when it was written."""

BEGINS_SESSIONS = frozenset({"SignIn", "ConsumeMagicLink"})
ENDS_SESSIONS = frozenset({"SuspendUser", "DeleteUser", "ResetPassword", "ChangePassword", "SignOutEverywhere"})
"""One exception to "like one of the two orders". A session that begins while its user's sessions end may be
answered with tokens; it belongs to an earlier epoch of its user and counts for nothing from the start (`User.epoch`,
`close_all`). Its rows are then left out of the comparison: all else must be like one of the two orders."""

ANSWERED_BY_THE_GATEWAY = (
    frozenset({"AskCapture", "RefreshPayment"}),
    frozenset({"CapturePayment", "ReleasePayment"}),
    frozenset({"CapturePayment", "LetGo"}),
)
"""Another: what one has the gateway do, the other may find done, and write down. All rules hold then as well, and what
was decided in vain is told by an event; no order of whole commands ends so, as the gateway's part comes between."""

Dump = tuple[tuple[str, tuple[str, ...]], ...]


class Ground(Protocol):
    """A database the pair is played on."""

    name: str
    waits: Waits

    async def reset(self, scene: Scene) -> None:
        """Make its rows those of the scene."""
        ...

    def stores(self, walker: Walker) -> tuple[Store, Views]:
        """The store and views of one of the two, gated."""
        ...

    async def rows(self) -> Mapping[str, Sequence[Row]]:
        """All there is."""
        ...

    async def broken(self) -> list[str]:
        """Rules of the business that do not hold."""
        ...


@dataclass(frozen=True, slots=True)
class End:
    """How a schedule ended: what became of each command, and of the rows."""

    outcomes: tuple[str, str]
    dump: Dump


@dataclass(slots=True)
class Played:
    """What came of all schedules of one pair."""

    pair: str
    schedules: int = 0
    ends: dict[End, Plan] = field(default_factory=dict)
    independent: bool = False
    excused: int = 0
    turned: int = 0
    failures: list[str] = field(default_factory=list)


class House:
    """One of the two commands' surroundings."""

    def __init__(self, scene: Scene, walker: Walker, books: Books, ground: Ground) -> None:
        clock = StandingClock(scene.now)
        ids = SeededIds(clock, seed=walker.name)
        store, views = ground.stores(walker)
        wired: dict[str, Any] = {
            "begin": StoredBegin(store=store, clock=clock, ids=ids, wake=Nudges()),
            "clock": clock,
            "ids": ids,
            "readers": StoredReaders(views),
            "accounts": StoredAccounts(views),
            "security_log": StoredSecurityLog(store, clock, ids),
            "trail": StoredAuditTrail(store),
            "ledger_chain": StoredLedgerChain(store),
            **ports(clock, ids, books),
        }
        self.use = UseCases(wired)
        self.perform = Perform(receipts=StoredReceipts(store), clock=clock, ids=ids, chance=NoPause())

    async def ask(self, part: Part, asked: tuple[Any, ...]) -> Any:
        """The command, as a driver runs it."""
        command = self.perform.unkeyed("schedules", part.name)
        if part.is_reaction:
            # Two workers with the same event in hand: whoever commits first leaves the receipt for both.
            command = replace(command, key=part.name, asked_to_remember=True)
            with suppress(Conflict):
                return await self.perform(command, lambda: self.use(part.use_case)(*asked))
            # A reaction that was refused is delivered again.
        return await self.perform(command, lambda: self.use(part.use_case)(*asked))


class Pair:
    """Two commands on one scene."""

    def __init__(self, scene: Scene, parts: tuple[Part, Part], ground: Ground, books: Books) -> None:
        self.scene, self.parts, self.ground, self.books = scene, parts, ground, books
        same = parts[0] is parts[1]
        self.played = Played(f"{scene.name}: {parts[0].name} | {parts[1].name}{' again' if same else ''}")
        self._judged: dict[Dump, list[str]] = {}
        self._serial: list[End] = []
        self._late: int | None = None

    async def all(self, *, most: int | None = None) -> Played:
        """Every schedule with up to two preemptions."""
        if self.scene.broken is None:
            await self.ground.reset(self.scene)
            self.scene.broken = frozenset(await self.ground.broken())
        serial: dict[End, Plan] = {}
        came: list[tuple[list[Step], list[Step]]] = []
        for first in (0, 1):
            end, steps = await self.one(Plan(first))
            if end is None:
                return self.played
            serial[end] = Plan(first)
            self._serial.append(end)
            came.append(steps)
        ways = (came[0][0] + came[1][0], came[0][1] + came[1][1])
        if not _meet(*ways):
            self.played.independent = True
            return self.played
        for first in (0, 1):
            await self._preempted(first, came[first][first], ways[1 - first], serial)
            if len(self.played.failures) > 2 or (most and self.played.schedules >= most):
                break
        return self.played

    async def _preempted(
        self, first: int, way: Sequence[Step], ways_of_other: Sequence[Step], serial: Mapping[End, Plan]
    ) -> None:
        written = frozenset().union(*(step.tables for step in ways_of_other if step.writes)) - HOUSE
        for cut in range(1, len(way)):
            step = way[cut]
            if not step.writes and not step.tables & written:
                continue  # it reads nothing the other writes: stopping after it is the same
            steps = await self._judge(Plan(first, (cut,)), serial)
            if steps is None:
                return
            other = steps[1 - first]
            for back in range(1, len(other)):
                if any(step.writes for step in other[:back]) and len(self.played.failures) < 3:
                    await self._judge(Plan(first, (cut, back)), serial)

    async def _judge(self, plan: Plan, serial: Mapping[End, Plan]) -> tuple[list[Step], list[Step]] | None:
        end, steps = await self.one(plan)
        if end is None:
            return None
        if end in serial:
            if self._late is not None and serial[end].first == self._late and end != self._serial[1 - self._late]:
                self.played.turned += 1
                if self._is_guarded():
                    self.played.failures.append(
                        f"{self.played.pair}: {plan}: decided on what was no longer so when it was committed"
                    )
            return steps
        ended_apart = self._begins_and_ends_sessions() and lived(end.dump) in {lived(other.dump) for other in serial}
        if ended_apart or _strayed(end.dump) or self._by_the_gateway() or self._answers_differ(end, serial):
            self.played.excused += 1
        else:
            self.played.failures.append(f"{self.played.pair}: {plan} ends like neither order: {_unlike(end, serial)}")
        return steps

    def _is_guarded(self) -> bool:
        names = tuple(part.use_case.__name__ for part in self.parts)
        return any(
            names[each] in guarded and names[1 - each] in changing for guarded, changing in GUARDED for each in (0, 1)
        )

    def _begins_and_ends_sessions(self) -> bool:
        names = {part.use_case.__name__ for part in self.parts}
        return bool(names & BEGINS_SESSIONS) and bool(names & ENDS_SESSIONS)

    def _by_the_gateway(self) -> bool:
        return frozenset(part.use_case.__name__ for part in self.parts) in ANSWERED_BY_THE_GATEWAY

    def _answers_differ(self, end: End, serial: Mapping[End, Plan]) -> bool:
        """The last exception: all rows are as in one of the orders, and only what the later one is told differs, which
        may be another of the refusals its use case names, or, of two twins, the answer of the first."""
        twins = self.parts[0] is self.parts[1]
        named = [{refusal.__name__ for refusal in getattr(part.use_case, "refuses", ())} for part in self.parts]

        def alike(place: int, told: str, other: str) -> bool:
            both_refused = told != "done" != other and told in named[place]
            return told == other or both_refused or (twins and told == "done")

        return any(
            other.dump == end.dump and all(alike(place, end.outcomes[place], other.outcomes[place]) for place in (0, 1))
            for other in serial
        )

    async def one(self, plan: Plan) -> tuple[End | None, tuple[list[Step], list[Step]]]:
        """One schedule; None for one that went wrong in itself."""
        await self.ground.reset(self.scene)
        self.books._connection.deserialize(self.scene.books)
        commits: list[str] = []
        walkers = (Walker("first", commits=commits), Walker("second", commits=commits))
        calls = tuple(self._call(part, walker) for part, walker in zip(self.parts, walkers, strict=True))
        self.played.schedules += 1
        steps = (walkers[0].steps, walkers[1].steps)
        try:
            ended = await play(walkers, (calls[0], calls[1]), plan, self.ground.waits)
        except Stuck as stuck:
            self.played.failures.append(f"{self.played.pair}: {plan}: {stuck}")
            return None, steps
        wrong = [f"{type(end).__name__}: {end}" for end in ended if _is_wrong(end)]
        wrong += ["a deadlock"] * sum(walker.deadlocks for walker in walkers)
        dump = dumped(self.scene, await self.ground.rows())
        if dump not in self._judged:
            broken = await self.ground.broken()
            self._judged[dump] = [rule for rule in broken if rule not in (self.scene.broken or ())]
        wrong += self._judged[dump]
        self.played.failures += [f"{self.played.pair}: {plan}: {each}" for each in wrong]
        end = End((_outcome(ended[0]), _outcome(ended[1])), dump)
        if len(set(commits)) == 2 and end.outcomes == ("done", "done"):
            self._late = 0 if commits[-1] == "first" else 1
        else:
            self._late = None
        self.played.ends.setdefault(end, plan)
        return end, steps

    def _call(self, part: Part, walker: Walker) -> Coroutine[Any, Any, Any]:
        house = House(self.scene, walker, self.books, self.ground)
        return house.ask(part, part.asked(self.scene.known))


def _meet(one: Sequence[Step], other: Sequence[Step]) -> bool:
    """Whether one of them writes a table that the other reads or writes."""

    def tables(steps: Sequence[Step], *, written: bool) -> frozenset[str]:
        return frozenset().union(*(step.tables for step in steps if step.writes or not written)) - HOUSE

    return bool(
        tables(one, written=True) & tables(other, written=False)
        or tables(other, written=True) & tables(one, written=False)
    )


def _is_wrong(end: Any) -> bool:
    """Whether this is no way for a command to end: neither an answer nor a refusal the asker can act on."""
    return isinstance(end, BaseException) and (not isinstance(end, Refusal) or isinstance(end, Unavailable))


def _outcome(end: Any) -> str:
    return type(end).__name__ if isinstance(end, BaseException) else "done"


def dumped(scene: Scene, rows: Mapping[str, Sequence[Row]]) -> Dump:
    """All rows without what differs from run to run; rows made by the commands have no names of their own."""
    known = {str(id): name for id, name in scene.ids.items()}

    def told(value: Any) -> str:
        text = _UUID.sub(lambda found: known.get(found[0], "*"), str(value))
        return _LOOSE.sub("*", _REF.sub("*", text))

    tables: list[tuple[str, tuple[str, ...]]] = []
    for table, some in sorted(rows.items()):
        lines = []
        for row in some:
            shown = {name: told(value) for name, value in sorted(row.items()) if name not in SECRETS}
            lines.append(f"{known.get(str(row.get('id')), '*')} {shown}")
        tables.append((table, tuple(sorted(lines))))
    return tuple(tables)


def _strayed(dump: Dump) -> bool:
    """The other exception: a payment opened at the gateway while it was called off here. Nobody can know that before
    both are done; the event that it strayed is committed with it, and its reaction closes it there."""
    rows = dict(dump)
    called_off = any("'state': 'cancelled'" in line for line in rows["payments"])
    return called_off and any("'name': 'payment.strayed'" in line for line in rows["outbox"])


def lived(dump: Dump) -> Dump:
    """The state without sessions that count for nothing: rows of the house's own, and those a session brings along."""
    rows = dict(dump)
    epochs = {line.split(" ", 1)[0]: _EPOCH.search(line) for line in rows["users"]}
    of = {name: found[1] for name, found in epochs.items() if found}

    def counts(line: str) -> bool:
        user, epoch = _USER.search(line), _EPOCH.search(line)
        return "'revoked_at': 'None'" in line and bool(user and epoch and of.get(user[1]) == epoch[1])

    kept = {
        **{table: lines for table, lines in rows.items() if table not in HOUSE | {"refresh_tokens", "one_time_tokens"}},
        "sessions": tuple(line for line in rows["sessions"] if counts(line)),
    }
    return tuple(sorted(kept.items()))


def _unlike(end: End, serial: Mapping[End, Plan]) -> str:
    """What tells it apart from each of the serial ends."""
    told = []
    for other, plan in serial.items():
        parts = [f"{end.outcomes} not {other.outcomes}"] if end.outcomes != other.outcomes else []
        for (table, rows), (_, rows_other) in zip(end.dump, other.dump, strict=True):
            gained, lost = set(rows) - set(rows_other), set(rows_other) - set(rows)
            if gained or lost:
                parts.append(f"{table}: +{sorted(gained)[:2]} -{sorted(lost)[:2]}")
            elif rows != rows_other:
                parts.append(f"{table}: as often no more")
        told.append(f"[{plan.first} first: {'; '.join(parts)}]")
    return " ".join(told)[:1800]
