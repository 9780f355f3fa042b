"""`guildhall move`, as an operator uses it on the day: between a database of one's own and a Supabase project."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from entrypoints.cli import app
from entrypoints.cli.desk import Desk
from tests.cli.conftest import Said
from tests.contracts.movers import POSTGRES, end, lived_on
from tests.support.postgrest import gateway, postgrest, settings_for
from tests.support.servers import Server, Servers


@dataclass(frozen=True)
class Movers:
    """The two installations, by their files, and the database of the one that is lived in."""

    here: Path
    there: Path
    url: str

    def __call__(self, command: str, *words: str, back: bool = False) -> Said:
        """Run `guildhall move` between them."""
        ends = (self.there, self.here) if back else (self.here, self.there)
        named = (f"--from={ends[0]}", f"--to={ends[1]}")
        result = CliRunner().invoke(app, ["move", command, *named, *words], obj=Desk(logs=False))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def movers(postgres_server: Server, postgres_servers: Servers, tmp_path: Path) -> Iterator[Movers]:
    """A house on PostgreSQL with somebody in it, and an empty Supabase project."""

    async def inhabited() -> None:
        async with end(POSTGRES, postgres_servers, url=url) as house:
            await lived_on(house)

    with postgres_server.clone() as url, postgres_server.clone() as other:
        asyncio.run(inhabited())
        with postgrest(other) as rest, gateway(rest) as project:
            files = {"here": {"DATABASE_URL": url}, "there": settings_for(project)}
            for name, told in files.items():
                lines = [f"{key}={value}" for key, value in told.items()]
                (tmp_path / name).write_text("\n".join((*lines, f"GUILDHALL_DATA_DIR={tmp_path / 'data'}\n")))
            yield Movers(tmp_path / "here", tmp_path / "there", url)


def test_a_house_is_moved_and_moved_back_from_the_command_line(movers: Movers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")  # the files decide, not the shell
    assert movers("plan", "--json").json["way"] == "fresh"
    assert movers("cutover").code == 1
    lines = [json.loads(line) for line in movers("run", "--json").out.splitlines()]
    assert {line["event"] for line in lines} == {"copied", "tail", "done"}
    assert lines[-1]["copied"] == 2
    assert movers("verify", "--json").json["identical"] is True
    assert movers("files", "--verify", "--json").code == 0
    assert "cut_over" in movers("cutover").out
    assert movers("run", "--json").refusal["code"] == "move.not_under_way"
    assert "back" in movers("run", back=True).out
    assert movers("cutover", back=True).code == 0
    assert movers("rollback", back=True).code == 0


def test_a_difference_ends_with_1_and_is_shown(movers: Movers, postgres_servers: Servers) -> None:
    async def lives_on() -> None:
        async with end(POSTGRES, postgres_servers, url=movers.url) as house:
            await lived_on(house, number=9)

    assert movers("run").code == 0
    asyncio.run(lives_on())
    told = movers("verify")
    assert told.code == 1
    assert "00000000-0000-0000-0000-000000000009" in told.out
    assert movers("rollback").code == 0


def test_a_move_onto_itself_out_of_memory_or_to_nowhere_is_refused(movers: Movers, tmp_path: Path) -> None:
    same = Movers(movers.here, movers.here, movers.url)
    assert same("run", "--json").refusal["code"] == "move.same_place"
    (tmp_path / "memory").write_text("GUILDHALL_STORAGE=memory\n")
    assert Movers(movers.here, tmp_path / "memory", "")("plan", "--json").refusal["code"] == "move.in_memory"
    nowhere = Movers(movers.here, tmp_path / "nowhere", "")("plan")
    assert (nowhere.code, "no such file" in nowhere.err) == (2, True)
    (tmp_path / "away").write_text("DATABASE_URL=postgresql://nobody@127.0.0.1:1/nothing\n")
    assert Movers(movers.here, tmp_path / "away", "")("plan").code == 3
    assert same("give-logins", "--json").refusal["code"] == "move.no_project"
