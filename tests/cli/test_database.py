"""Commands on PostgreSQL: migrating, row-level security behind `--as`, and a doctor who finds what was planted."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from entrypoints.cli import app
from entrypoints.cli.desk import Desk
from entrypoints.settings import DatabaseUrl, MailCarrier, Settings
from tests.cli.conftest import Said
from tests.cli.processes import free_port

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Counter:
    """Runs commands on a database, as a process would."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.settings = Settings(
            database_url=DatabaseUrl(url),
            data_dir=folder,
            mail=MailCarrier.MEMORY,
            port=free_port(),
            argon2_memory_kib=8,
            argon2_time_cost=1,
        )

    def __call__(self, *words: str, typed: str = "") -> Said:
        """Run `guildhall` with these words."""
        result = CliRunner().invoke(app, list(words), obj=Desk(given=self.settings, logs=False), input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def sql(self, *statements: str) -> None:
        """Do this to the database, as its owner."""

        async def run() -> None:
            connection: Any = await asyncpg.connect(self.url)
            for statement in statements:
                await connection.execute(statement)
            await connection.close()

        asyncio.run(run())

    def findings(self, code: int) -> dict[str, dict[str, str]]:
        """What the doctor found, by part."""
        said = self("doctor", "--json")
        assert said.code == code, said.out + said.err
        return {each["part"]: each for each in json.loads(said.out)["findings"]}


@pytest.fixture
def counter(database: str, tmp_path: Path) -> Counter:
    """A counter at a database that was just migrated."""
    return Counter(database, tmp_path)


@pytest.fixture(scope="module")
def settled(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Counter:
    """A counter at a database with the demo town in it."""
    counter = Counter(module_database, tmp_path_factory.mktemp("town"))
    assert counter("seed", "--demo", "--json").json["seeded"] is True
    return counter


def test_migrating_is_looked_at_done_and_not_done_again(empty_database: str, tmp_path: Path) -> None:
    counter = Counter(empty_database, tmp_path)
    before = counter("migrate", "--check", "--json")
    assert before.code == 1
    assert json.loads(before.out)["revision"] is None
    assert counter("user", "list", "--json").code == 3
    assert counter("user", "list", "--json").refusal["code"] == "schema.behind"
    assert counter.findings(code=0)["migrations"]["verdict"] == "warn"
    done = counter("migrate", "--json").json
    assert (done["before"], done["present"]) == (None, True)
    assert counter("migrate", "--json").json["before"] == done["revision"]
    assert counter("migrate", "--check").code == 0


def test_a_database_that_does_not_let_us_in_exits_with_3(database: str, tmp_path: Path) -> None:
    said = Counter(database.replace("://", "://not").rpartition("@")[0] + "@" + database.rpartition("@")[2], tmp_path)(
        "user", "list", "--json"
    )
    assert (said.code, said.refusal["code"]) == (3, "database.shut")
    elsewhere = Counter(database.rpartition("/")[0] + "/nowhere", tmp_path)("user", "list", "--json")
    assert (elsewhere.code, elsewhere.refusal["code"]) == (3, "database.shut")


def test_the_town_is_the_same_town_as_in_memory(settled: Counter) -> None:
    bookings = settled("booking", "list", "--all", "--json").json["items"]
    assert {"requested", "held", "confirmed", "cancelled", "completed", "no_show"} <= {one["state"] for one in bookings}
    assert len(settled("job", "search", "--all", "--json").json["items"]) == 15


def test_whoever_is_acted_as_sees_only_what_is_theirs(settled: Counter) -> None:
    ana = settled("user", "show", "ana@town.example", "--json").json["id"]
    mine = settled("booking", "list", "--as", "ana@town.example", "--json").json["items"]
    assert mine
    assert {one["customer_id"] for one in mine} == {ana}
    others = settled("booking", "list", "--as", "ben@town.example", "--json").json["items"]
    said = settled("booking", "show", others[0]["id"], "--as", "ana@town.example", "--json")
    assert (said.code, said.refusal["code"]) == (1, "not_found")
    assert settled("mail", "list", "--as", "ana@town.example", "--json").refusal["code"] == "forbidden"


def test_a_command_under_a_key_is_done_once_across_processes(counter: Counter) -> None:
    words = ("user", "create", "--email", "zoe@example.org", "--name", "Zoe", "--password", "ten or more of them")
    first = counter(*words, "--key", "zoe", "--json").json
    assert counter(*words, "--key", "zoe", "--json").json["id"] == first["id"]
    taken = counter(*words, "--json")
    assert (taken.code, taken.refusal["code"]) == (1, "identity.email_taken")


# --- The doctor ----------------------------------------------------------------------------------------------------


def test_a_house_in_order_is_well_and_the_owners_login_is_minded(settled: Counter) -> None:
    found = settled.findings(code=0)
    wanted = {"database", "extensions", "roles", "row-level security", "clock", "migrations", "application login"}
    assert wanted | {"audit trail", "ledger", "ratings", "dead events", "outbox"} <= set(found)
    assert found["application login"]["verdict"] == "warn"
    assert found["ledger"]["seen"].startswith("2 entries")


@pytest.mark.parametrize(
    ("part", "planted"),
    [
        ("row-level security", ("alter table bookings disable row level security",)),
        (
            "row-level security",
            (
                "drop policy reviews_house on reviews",
                "drop policy reviews_anon on reviews",
                "drop policy reviews_authenticated on reviews",
            ),
        ),
        ("row-level security", ("grant insert on payments to authenticated",)),
        ("extensions", ("drop extension btree_gist cascade",)),
        ("migrations", ("update alembic_version set version_num = '0000'",)),
    ],
)
def test_what_is_planted_in_the_catalogs_is_found(counter: Counter, part: str, planted: tuple[str, ...]) -> None:
    counter.sql(*planted)
    found = counter.findings(code=1)[part]
    assert found["verdict"] == "fail"
    assert found["fix"]


@pytest.fixture
def spoilt(settled: Counter) -> Iterator[Callable[..., None]]:
    """Spoils the town's rows past every guard, and mends them after the test."""
    mending: list[str] = []

    def spoil(statement: str, mend: str) -> None:
        mending.append(mend)
        settled.sql("set session_replication_role = replica;" + statement)

    yield spoil
    settled.sql(*("set session_replication_role = replica;" + mend for mend in mending))


def test_a_ledger_that_does_not_sum_to_zero_is_found(settled: Counter, spoilt: Callable[..., None]) -> None:
    spoilt(
        "update ledger set amount_minor = amount_minor + 1 where amount_minor > 0",
        "update ledger set amount_minor = amount_minor - 1 where amount_minor > 0",
    )
    assert "1 transactions" in settled.findings(code=1)["ledger"]["seen"]


def test_amounts_that_were_changed_on_both_sides_are_found(settled: Counter, spoilt: Callable[..., None]) -> None:
    from application.payments import SealLedger
    from entrypoints.container import open_house

    async def seal() -> None:
        async with open_house(settled.settings) as house:
            while await house.use(SealLedger)():
                pass

    asyncio.run(seal())
    assert settled.findings(code=0)["ledger"]["seen"] == "2 entries sum to zero, 2 are sealed and hold"
    spoilt("update ledger set amount_minor = -amount_minor", "update ledger set amount_minor = -amount_minor")
    assert settled.findings(code=1)["ledger"]["seen"] == "altered at position 1"


def test_a_balance_that_was_changed_is_found(settled: Counter, spoilt: Callable[..., None]) -> None:
    spoilt(
        "update balances set amount_minor = amount_minor + 1 where books = 'platform'",
        "update balances set amount_minor = amount_minor - 1 where books = 'platform'",
    )
    assert "its entries come to" in settled.findings(code=1)["ledger"]["seen"]


def test_an_audit_row_that_was_changed_is_found(settled: Counter, spoilt: Callable[..., None]) -> None:
    from application.audit import SealAudit
    from entrypoints.container import open_house

    async def seal() -> None:
        async with open_house(settled.settings) as house:
            while await house.use(SealAudit)():
                pass

    asyncio.run(seal())
    assert "rows hold" in settled.findings(code=0)["audit trail"]["seen"]
    spoilt(
        "update audit set actor = 'x' || actor where position = 5",
        "update audit set actor = substr(actor, 2) where position = 5",
    )
    assert settled.findings(code=1)["audit trail"]["seen"] == "altered at position 5"


def test_events_that_were_given_up_or_wait_too_long_are_warned_of(
    settled: Counter, spoilt: Callable[..., None]
) -> None:
    spoilt(
        "update outbox set dead_at = created_at, due_at = due_at - interval '2 days' where name = 'user.signed_up';"
        "update outbox set due_at = due_at - interval '2 days' where name = 'booking.confirmed'",
        "update outbox set dead_at = null",
    )
    found = settled.findings(code=0)
    assert found["outbox"]["verdict"] == "warn"
    dead = len(settled("events", "dead", "--limit", "1000", "--json").json["items"])
    assert found["dead events"]["verdict"] == ("warn" if dead else "ok")


def test_a_rating_that_is_not_what_its_reviews_say_is_found(settled: Counter, spoilt: Callable[..., None]) -> None:
    # The town's own reviews still wait for a worker: only a drift nobody is on the way to mend is a failure.
    assert settled.findings(code=0)["ratings"]["verdict"] == "warn"
    spoilt(
        "create table waiting as select id, finished_at from outbox; update outbox set finished_at = created_at",
        "update outbox o set finished_at = w.finished_at from waiting w where w.id = o.id; drop table waiting",
    )
    assert settled.findings(code=1)["ratings"]["verdict"] == "fail"
