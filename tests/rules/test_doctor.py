"""`guildhall doctor --rules`, on a database and in memory."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from adapters.persistence.rules import LIVENESS, RULES, STEPS
from entrypoints.cli import app
from entrypoints.cli.desk import Desk
from entrypoints.settings import DatabaseUrl, MailCarrier, Settings
from tests.cli.conftest import Office, opened
from tests.rules.conftest import shop_at
from tests.rules.lives import Town

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Counter:
    """Asks the doctor about one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.settings = Settings(database_url=DatabaseUrl(url), data_dir=folder, mail=MailCarrier.MEMORY)

    def __call__(self, *words: str) -> Any:
        """`guildhall doctor --rules` with these words."""
        desk = Desk(given=self.settings, logs=False)
        return CliRunner().invoke(app, ["doctor", "--rules", *words], obj=desk)

    def sql(self, statement: str) -> None:
        """Do this past every guard."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url)
            await connection.execute("set session_replication_role = replica;" + statement)
            await connection.close()

        asyncio.run(run())


@pytest.fixture
def counter(database: str, healthy: Town, tmp_path: Path) -> Counter:
    """A counter at the town, where by now everything has been delivered."""

    async def move_in() -> None:
        async with shop_at(database) as shop:
            for table, rows in healthy.tables.items():
                await shop.put(table, rows.values())

    asyncio.run(move_in())
    counter = Counter(database, tmp_path)
    counter.sql("update outbox set finished_at = created_at where finished_at is null")
    return counter


def test_the_doctor_says_that_every_rule_holds(counter: Counter) -> None:
    said = counter("--json")
    told = json.loads(said.stdout)
    readable = [rule for rule in (*RULES, *STEPS, *LIVENESS) if rule.sql is not None]
    assert (said.exit_code, told["well"]) == (0, True), told
    assert [rule["name"] for rule in told["rules"]] == [rule.name for rule in readable]
    assert all(rule["holds"] and not rule["offences"] for rule in told["rules"])
    in_words = counter()
    assert in_words.exit_code == 0
    assert f"all {len(readable)} rules hold" in in_words.stdout


def test_the_doctor_names_what_is_broken_what_it_means_and_what_to_do(counter: Counter) -> None:
    counter.sql("update bookings set sequence = sequence + 1, price_minor = price_minor + 1")
    said = counter("--json")
    told = {rule["name"]: rule for rule in json.loads(said.stdout)["rules"]}
    assert said.exit_code == 1
    found = told["a_move_is_told"]
    assert (found["holds"], found["code"], found["total"], len(found["offences"])) == (False, "B8", 16, 10)
    assert found["means"]
    assert found["mend"]
    assert not told["the_price_is_what_is_asked"]["holds"]
    in_words = counter()
    assert in_words.exit_code == 1
    assert "BROKEN B8" in in_words.stdout
    assert "and 6 more" in in_words.stdout
    assert f"it means: {found['means']}" in in_words.stdout
    assert found["offences"][0]["subject"] in in_words.stdout


def test_offline_and_the_rules_exclude_each_other(counter: Counter) -> None:
    assert counter("--offline").exit_code == 2


def test_rules_are_read_in_memory_too(tmp_path: Path) -> None:
    office = Office(opened(tmp_path))
    assert office("doctor", "--rules").code == 0
    user = office.json("user", "create", "--email", "zoe@example.org", "--name", "Zoe", "--password", "ten or more x")
    rows = office.house.container.store().tables["users"].rows
    key = next(iter(rows))
    rows[key] = {**rows[key], "epoch": 3}
    said = office("doctor", "--rules")
    assert said.code == 1
    assert f"{user['id']}: it is in epoch 3, and everything was ended 0 times" in said.out
