"""The benchmarks compare like with like: everybody who is measured answers the same."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from benchmarks import town
from benchmarks.contenders import Contender, Running, contenders
from benchmarks.database import Database
from benchmarks.goals import judged
from benchmarks.load import SEPARATOR, Order, drive
from benchmarks.questions import Bookings, reads, searches
from benchmarks.report import said
from benchmarks.rounds import Figures, Measured
from benchmarks.tokens import minted

from adapters.postgres.access import admit_app
from tests.support.servers import Server

SIZES = town.Sizes(jobs=300, bookings=60, customers=10)
MADE_AFRESH = {"id", "reference", "created_at", "confirmed_at"}


class Contest:
    """Everybody, serving the same small town."""

    def __init__(self, running: dict[str, Running], tokens: list[str]) -> None:
        self.running, self.bookings = running, Bookings(SIZES, tokens)

    def ask(self, who: str, request: bytes) -> Any:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *headers = head.decode().split("\r\n")
        method, path, _ = first.split()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.running[who].port}{path}",
            method=method,
            data=body or None,
            headers=dict(line.split(": ", 1) for line in headers),
        )
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def contest(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contest]:
    folder: Path = tmp_path_factory.mktemp("benchmarks")
    with postgres_server.clone() as url, ExitStack() as stack:
        asyncio.run(town.build(url, SIZES, datetime.now(UTC), lambda _: None))
        database = Database(url, asyncio.run(admit_app(url, "benchmark")))
        running = _all_serve(stack, database, folder)
        yield Contest(running, minted(folder / "guildhall", SIZES.customers))


def _all_serve(stack: ExitStack, database: Database, folder: Path) -> dict[str, Running]:
    """Started at the same time: most of a start is waiting for imports."""

    def serve(one: Contender) -> Running:
        return stack.enter_context(one.serve(database, folder, None))

    async def all_of_them() -> list[Running]:
        return list(await asyncio.gather(*(asyncio.to_thread(serve, one) for one in contenders(fetch=False))))

    return {one.name: one for one in asyncio.run(all_of_them())}


def test_those_we_compare_with_are_there(contest: Contest) -> None:
    assert {"guildhall", "floor", "orm", "django"} <= contest.running.keys()


def test_everybody_reads_the_same_job(contest: Contest) -> None:
    for request, _ in zip(reads(SIZES), range(3), strict=False):
        expected = contest.ask("guildhall", request)
        assert expected["title"]
        for who in contest.running:
            assert contest.ask(who, request) == expected, who


@pytest.mark.parametrize("sort", ["newest", "relevance"])
def test_everybody_finds_the_same_jobs_in_the_same_order(contest: Contest, sort: str) -> None:
    found = 0
    some = [request for request, _ in zip(searches(sort), range(64), strict=False)]
    for request in some[::7]:
        expected = contest.ask("guildhall", request)
        found += len(expected["items"])
        for who in contest.running:
            page = contest.ask(who, request)
            assert page["items"] == expected["items"], who
            assert page["has_more"] == expected["has_more"], who
    assert found > 10


def test_everybody_books_and_leaves_a_booking_an_event_and_a_receipt(contest: Contest) -> None:
    shown = {who: contest.ask(who, contest.bookings.next(customer=1)) for who in contest.running}
    expected = shown.pop("guildhall")
    assert expected["state"] == "confirmed"
    for who, answer in shown.items():
        assert answer.keys() == expected.keys(), who
        different = {key for key, value in answer.items() if value != expected[key]}
        assert different <= {*MADE_AFRESH, "span", "job_id", "provider_id", "job_title", "price", "policy", "zone"} | {
            "organization_id"
        }, who


def test_the_load_counts_every_answer_and_no_other(contest: Contest, tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    requests.write_bytes(SEPARATOR.join(request for request, _ in zip(reads(SIZES), range(8), strict=False)))
    floor = contest.running["floor"]
    order = {"port": floor.port, "file": str(requests), "connections": 4, "warm": 0.05, "seconds": 0.3, "once": False}
    seen = drive(Order(**order, watch={"application": floor.pid}))
    assert seen.answers == len(seen.latencies) == seen.statuses[200] > 0
    assert seen.processor["application"] >= 0
    missing = requests.read_bytes().replace(b"/v1/jobs/", b"/v1/nothing/")
    requests.write_bytes(missing)
    wrong = drive(Order(**order, watch={}))
    assert set(wrong.statuses) == {404}


def test_a_goal_that_was_missed_is_said_to_be_missed() -> None:
    def rounds(*rates: float) -> list[Figures]:
        return [Figures(rate=r, cpu=1, database=1, load=1, busy=1, p50=1, p95=1, p99=1) for r in rates]

    measured = {"read": Measured("read", {"guildhall": rounds(80, 40, 90), "django": rounds(10, 10, 10)})}
    verdicts = {v.wanted: said(v) for v in judged(measured, {"race": 41.0})}
    assert verdicts[">= 8 x django"] == "reached"
    assert verdicts["<= 40 ms"] == "missed"
    assert verdicts[">= 7 x django"] == "not measured"
