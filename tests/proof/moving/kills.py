"""SIGKILLs of the mover: at random moments of its long run, and at every step of verifying, cutting over and going
back.

Whatever a kill left behind, the next command brings the move to the same end, and there is no moment in which both
houses take writes."""

import asyncio
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from tests.proof.moving.struck import AFTER, BEFORE, WITHIN
from tests.proof.moving.town import alike, texts

ROOT = Path(__file__).resolve().parents[3]
STEPS = {
    "verify": ("move_standing:1", "move_digest:9"),
    "cutover": (
        "move_open:1",
        "move_news:1",
        "move_leave:1",
        "move_digest:2",
        "move_digest:70",
        "move_arrive:1",
        "move_leave:2",
    ),
    "rollback": ("move_open:1", "move_arrive:1", "move_leave:1"),
}
"""The calls at which commands are struck, each before it is made, while it is under way, and once it is answered."""
UNANSWERED = 3
"""How a command ends that was not answered in time, by a lock of the dead for instance: it may be given again."""


@dataclass(slots=True)
class Kills:
    """SIGKILLs of the mover, where it was each time, and what was wrong in the end."""

    struck: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    moves: int = 0
    cut_over: int = 0
    rolled_back: int = 0
    given_again: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """One move by the command line, from its first row to its end."""

    kills: Kills
    here: str
    there: str
    folder: Path
    before: dict[str, str]

    async def command(self, word: str, *, strike: str = "", patience: float | None = None) -> bool:
        """Whether this command came to its end; else it was killed."""
        while True:
            files = (_settings(self.folder, "from", self.here), _settings(self.folder, "to", self.there))
            takes_over = () if word == "verify" else ("--take-over",)
            code = await _run((word, *takes_over, *files), strike, patience)
            await self._never_both(word, strike)
            if code != UNANSWERED:
                break
            self.kills.given_again += 1
        if code == -signal.SIGKILL:
            self.kills.struck[word] += 1
            return False
        if code != 0 or strike:
            self.kills.failures.append(f"move {self.kills.moves}: {word} {strike} ended with {code}")
        return True

    async def to_its_end(self, word: str) -> None:
        """This command, undisturbed."""
        await self.command(word)

    async def cut_over(self) -> None:
        """In the new house, which is the same."""
        await self.to_its_end("cutover")
        self.kills.cut_over += 1
        await self._open("there")
        self._must(not (unlike := await alike(self.here, self.there)), f"after the cut-over {unlike} differ")

    async def roll_back(self) -> None:
        """Back in the old house, which is as it was and free of the move."""
        await self.to_its_end("rollback")
        self.kills.rolled_back += 1
        await self._open("here")
        self._must(await texts(self.here) == self.before, "after going back the old house is not as it was")
        self._must(await triggers(self.here) == 0, "the old house is still being watched")

    async def _never_both(self, word: str, strike: str) -> None:
        """A house nobody has begun to move into is nobody's to shut."""
        takes = await self._takes()
        if strike:
            self.kills.left[" and ".join(takes) or "neither"] += 1
        if await begun(self.there):
            self._must(takes != ["here", "there"], f"both houses take writes after {word} {strike}")

    async def _open(self, which: str) -> None:
        takes = await self._takes()
        self._must(takes == [which], f"{takes} take writes instead of {which}")

    async def _takes(self) -> list[str]:
        return [name for name, url in (("here", self.here), ("there", self.there)) if await takes_writes(url)]

    def _must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.kills.failures.append(f"move {self.kills.moves}: {otherwise}")


async def killed_while_copying(here: str, servers: Any, kills: Kills, *, count: int, seed: int) -> None:
    """A long move, killed so often at random moments, and then brought to its end and back."""
    chance, before = random.Random(seed), await texts(here)
    while kills.struck["run"] < count:
        with servers.clone() as there, tempfile.TemporaryDirectory() as folder:
            kills.moves += 1
            trial = Trial(kills, here, there, Path(folder), before)
            while not await trial.command(
                "run", patience=chance.uniform(0.7, 4.0) if kills.struck["run"] < count else None
            ):
                pass
            await trial.cut_over()
            await trial.roll_back()


async def killed_on_the_day(here: str, servers: Any, kills: Kills, *, most: int | None, seed: int) -> None:
    """Short moves, in which every step of the day is struck once before, within and after. Every other one goes back
    from wherever its cut-over was killed; the others go on, and then back."""
    before = await texts(here)
    for day in days(random.Random(seed), most):
        with servers.clone() as there, tempfile.TemporaryDirectory() as folder:
            kills.moves += 1
            trial = Trial(kills, here, there, Path(folder), before)
            await trial.to_its_end("run")
            for strike in day.verify:
                await trial.command("verify", strike=strike)
            await trial.to_its_end("verify")
            for strike in day.cutover:
                await trial.command("cutover", strike=strike)
            if day.goes_on:
                await trial.cut_over()
            for strike in day.rollback:
                await trial.command("rollback", strike=strike)
            await trial.roll_back()


@dataclass(frozen=True, slots=True)
class Day:
    """The strikes of one move."""

    verify: Sequence[str]
    cutover: Sequence[str]
    rollback: Sequence[str]
    goes_on: bool


def days(chance: random.Random, most: int | None) -> Iterator[Day]:
    """All strikes, spread over as few moves as they need: of those at or after the opening of the new house there can
    be one in each, and it comes last."""
    strikes = {word: _strikes(word, chance)[:most] for word in STEPS}
    last = [strike for strike in strikes["cutover"] if _opens(strike)]
    early = [strike for strike in strikes["cutover"] if not _opens(strike)]
    count = max(len(last), len(strikes["rollback"]))
    for at in range(count):
        yield Day(
            verify=strikes["verify"][at::count],
            cutover=[*early[at::count], *last[at : at + 1]],
            rollback=strikes["rollback"][at : at + 1],
            goes_on=at % 2 == 0,
        )


def _strikes(word: str, chance: random.Random) -> list[str]:
    found = [
        f"{step}:{when}" + (f":{chance.uniform(0.0, 0.02):.4f}" if when == WITHIN else "")
        for step in STEPS[word]
        for when in (BEFORE, WITHIN, AFTER)
    ]
    chance.shuffle(found)
    return found


def _opens(strike: str) -> bool:
    """Whether the new house may be open after it."""
    return strike.startswith("move_leave:2") or (strike.startswith("move_arrive") and BEFORE not in strike)


async def takes_writes(url: str) -> bool:
    """Whether somebody could write there now; nothing is."""
    connection: Any = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("set local role service_role; set local lock_timeout = '10s'")
            await connection.execute("insert into tallies (name, value, ceiling) values ('would it', 1, 1)")
        except asyncpg.PostgresError as error:
            if error.sqlstate != "PT503":
                raise
            return False
        finally:
            await transaction.rollback()
        return True
    finally:
        await connection.close()


async def begun(url: str) -> bool:
    """Whether somebody moves into that house."""
    connection: Any = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("select exists (select from moves where role = 'arriving')"))
    finally:
        await connection.close()


async def triggers(url: str) -> int:
    """How many triggers of a move there are."""
    connection: Any = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("select count(*) from pg_trigger where tgname like 'move\\_%'"))
    finally:
        await connection.close()


async def _run(words: tuple[str, ...], strike: str, patience: float | None) -> int:
    """`guildhall move` with these words, struck at that call, or killed after so many seconds if it is still at it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.proof.moving.struck",
        "move",
        *words,
        "--json",
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "STRIKE": strike},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(patience):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        _, said = await process.communicate()
    code = process.returncode or 0
    if code not in (0, -signal.SIGKILL):
        sys.stderr.write(f"{' '.join(words)} {strike}: {said.decode()[-2000:]}\n")
    return code


def _settings(folder: Path, name: str, url: str) -> str:
    file = folder / f"{name}.env"
    file.write_text(f"DATABASE_URL={url}\nGUILDHALL_DATA_DIR={folder / name}\n")
    return f"--{name}={file}"
