"""A desk in a small town: commands are run as an operator would, against a house in memory that stays open."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from entrypoints.cli import app
from entrypoints.cli.demo_town import found_town
from entrypoints.cli.desk import Desk
from entrypoints.container import OpenHouse, open_house
from entrypoints.settings import ClockName, MailCarrier, Settings, Storage

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its answer, for programs."""
        assert self.code == 0, self.err or self.out
        return json.loads(self.out)

    @property
    def refusal(self) -> dict[str, Any]:
        """Its refusal, for programs."""
        told: dict[str, Any] = json.loads(self.err.splitlines()[-1])["error"]
        return told


class Office:
    """Runs commands on one open house."""

    def __init__(self, house: OpenHouse) -> None:
        self.house = house

    def __call__(self, *words: str, typed: str = "") -> Said:
        """Run `guildhall` with these words."""
        desk = Desk(enter=self._enter, given=self.house.settings, logs=False)
        result = CliRunner().invoke(app, list(words), obj=desk, input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def json(self, *words: str) -> Any:
        """The answer of a command, for programs."""
        return self(*words, "--json").json

    def one(self, *words: str) -> Any:
        """The first thing a list shows."""
        return self.json(*words)["items"][0]

    def settle(self) -> None:
        """Let everything that follows from what happened follow."""
        asyncio.run(self.house.container.deliver().all())

    @asynccontextmanager
    async def _enter(self, settings: Settings, migrate: bool | None) -> AsyncIterator[OpenHouse]:
        yield self.house


def opened(folder: Path, **settings: Any) -> OpenHouse:
    """A house in memory at nine on a Monday, with passwords that cost nothing."""
    chosen: dict[str, Any] = {
        "storage": Storage.MEMORY,
        "mail": MailCarrier.MEMORY,
        "clock": ClockName.MOVABLE,
        "data_dir": folder,
        "argon2_memory_kib": 8,
        "argon2_time_cost": 1,
    }

    async def entered() -> OpenHouse:
        async with open_house(Settings(**{**chosen, **settings})) as house:
            return house

    house = asyncio.run(entered())
    if house.settings.clock is ClockName.MOVABLE:
        house.container.clock().set(MONDAY)
    return house


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office in the demo town, where everything has come to rest."""
    house = opened(tmp_path_factory.mktemp("town"))
    asyncio.run(found_town(house))
    office = Office(house)
    office.settle()
    return office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An office in a house where nobody lives yet."""
    return Office(opened(tmp_path))
