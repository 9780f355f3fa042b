"""Row level security costs no index: however many rows there are, everything a front end usually asks is found."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from adapters.postgres.values import use_json
from tests.visibility.multitude import ME, gather
from tests.visibility.probe import connected

SIZE = int(os.environ.get("GUILDHALL_TEST_MULTITUDE", "10000"))
"""Of every large table; the campaign `visibility` asks the same of a hundred thousand."""

ASKED = {
    "your bookings, the newest": (
        "bookings",
        f"select id from bookings where customer_id = {ME} order by created_at desc, id desc limit 20",
    ),
    "the bookings of your organization": (
        "bookings",
        "select id from bookings where organization_id = md5('organization 7')::uuid order by starts_at, id limit 20",
    ),
    "one booking": ("bookings", f"select * from (select id, state from bookings where id = {ME}) b"),
    "all messages you may read": ("messages", "select id from messages"),
    "a conversation": (
        "messages",
        "select id, text from messages where conversation_id = md5('conversation 7')::uuid "
        "order by sequence desc limit 50",
    ),
    "your inbox": ("messages", f"select id, last_text from inbox where user_id = {ME}"),
    "your notifications": (
        "notifications",
        f"select id from notifications where user_id = {ME} order by created_at desc, id desc limit 20",
    ),
    "all your notifications": ("notifications", "select id from notifications"),
    "a provider's jobs": (
        "jobs",
        "select id, title from job_listings where provider_id = md5('person 1')::uuid "
        "order by created_at desc limit 20",
    ),
    "one job": ("jobs", "select id, title from job_listings where id = md5('job 7')::uuid"),
    "the newest jobs": (
        "jobs",
        "select id from jobs where state = 'published' order by published_at desc, id desc limit 20",
    ),
}
"""By what somebody wants to see: the large table behind it, and the statement."""
PUBLIC = ("a provider's jobs", "one job", "the newest jobs")
_CLAIMS = f"select json_build_object('sub', {ME}, 'role', 'authenticated')::text"


@pytest.fixture(scope="module")
def crowded(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with the multitude in it."""
    servers = request.getfixturevalue("postgres_servers")
    with servers.get("18").clone() as url, ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_gathered(url))).result()
        yield url


async def _gathered(url: str) -> None:
    async with connected(url) as connection:
        await use_json(connection)
        await gather(connection, SIZE)


@pytest.fixture
async def asker(crowded: str) -> AsyncIterator[Any]:
    """A connection of somebody who may become anybody; undone afterwards."""
    async with connected(crowded) as connection, connection.transaction():
        await connection.execute(f"select set_config('request.jwt.claims', ({_CLAIMS}), true)")
        yield connection


async def nodes(connection: Any, statement: str) -> list[dict[str, Any]]:
    """Every node of the statement's plan, with how often its rows were thrown away."""
    said = await connection.fetchval(f"explain (analyze, timing off, format json) {statement}")
    found, waiting = [], [orjson.loads(said)[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.get("Plans", [])
    return found


def reads_everything(node: dict[str, Any]) -> bool:
    """Whether it looked at a good part of a large table."""
    seen = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return bool(node["Node Type"] == "Seq Scan" and seen > SIZE / 100) or seen > SIZE / 10


@pytest.mark.parametrize(
    ("role", "wanted"), [*(("authenticated", name) for name in ASKED), *(("anon", name) for name in PUBLIC)]
)
async def test_an_index_finds(role: str, wanted: str, asker: Any) -> None:
    table, statement = ASKED[wanted]
    await asker.execute(f"set local role {role}")
    plan = await nodes(asker, statement)
    scans = [node for node in plan if node.get("Relation Name") == table]
    assert scans, "nobody looked there"
    assert not [node for node in plan if reads_everything(node)], [node["Node Type"] for node in plan]
    assert any("Index" in node["Node Type"] for node in plan)


async def test_a_policy_that_asks_row_by_row_would_be_noticed(asker: Any) -> None:
    """The twin: without the select around it, the index on messages is of no use."""
    await asker.execute(
        "alter policy messages_authenticated on messages using (conversation_id in (select unnest(my_conversations())))"
    )
    await asker.execute("set local role authenticated")
    assert [node for node in await nodes(asker, ASKED["all messages you may read"][1]) if reads_everything(node)]


async def test_searching_uses_the_index_of_words(asker: Any) -> None:
    """Under a policy the words would lose it; the search function looks for itself, and is as public as before."""
    counted = "select idx_scan from pg_stat_xact_user_tables"
    await asker.execute("set local role anon")
    before = await _scans(asker)
    found = await asker.fetch(
        "select id_ from search_jobs($1, $2, null, null, null, null, null, null, null, null, null, 'relevance', "
        "null, null, null, 20)",
        "'w77':*",
        ["w77"],
    )
    after = await _scans(asker)
    assert len(found) == 20, counted
    assert after["seq"] == before["seq"]
    assert after["words"] > before["words"]


async def _scans(connection: Any) -> dict[str, int]:
    rows = await connection.fetchrow(
        "select (select seq_scan from pg_stat_xact_user_tables where relname = 'jobs') as seq, "
        "(select pg_stat_get_xact_numscans('jobs_by_words'::regclass)) as words"
    )
    return dict(rows)
