"""Rules about change: each step is refused once, and what the business does passes; PostgreSQL keeps the guards."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from adapters.persistence.rules import LIVENESS, RULES, STEPS, Judge, Step
from adapters.persistence.schema.tables import Row
from adapters.postgres.pools import Pools
from adapters.postgres.rules import PostgresRules
from domain.bookings.states import PATHS
from domain.shared.time import Span
from tests.application.marketplace import NOW
from tests.rules.lives import Town

ROOT = Path(__file__).parents[2]
HOUR = timedelta(hours=1)

Turn = Callable[[Row], dict[str, Any]]


def _moved(row: Row, by: timedelta) -> dict[str, Any]:
    span = Span(row["span"].starts_at + by, row["span"].ends_at + by)
    return {"span": span, "sequence": row["sequence"] + 1}


def _by(name: str, step: int) -> Turn:
    return lambda row: {name: row[name] + step}


WRONG: dict[str, tuple[Callable[[Row], Any], Turn]] = {
    "an_identity_stays_its_users": (lambda row: True, lambda _: {"subject": "somebody else"}),
    "a_booking_follows_its_paths": (lambda row: row["state"] == "cancelled", lambda _: {"state": "confirmed"}),
    "it_is_placed_in_open_hours": (lambda row: True, lambda row: _moved(row, timedelta(hours=12))),
    "a_move_keeps_identity": (lambda row: True, lambda row: {**_moved(row, HOUR), "sequence": row["sequence"]}),
    "the_price_never_changes": (lambda row: True, _by("price_minor", 1)),
    "the_ledger_is_append_only": (lambda row: True, _by("amount_minor", 1)),
    "captured_money_stays_captured": (lambda row: row["state"] == "captured", lambda _: {"state": "open"}),
    "a_failed_refund_stays_failed": (lambda row: row["state"] == "failed", lambda _: {"state": "succeeded"}),
    "what_a_bank_moved_stays_moved": (lambda row: row["state"] == "won", _by("returned_minor", -1)),
    "a_receipt_never_changes": (lambda row: True, lambda _: {"answer": {}}),
    "an_event_is_kept_until_it_is_delivered": (lambda row: row["finished_at"], lambda _: {"finished_at": None}),
    "a_review_stays_as_it_was_given": (lambda row: True, _by("stars", -1)),
    "a_message_keeps_its_place": (lambda row: True, _by("sequence", 1)),
    "read_marks_go_forward": (lambda row: row["read_sequence"], _by("read_sequence", -1)),
    "an_ended_session_stays_ended": (
        lambda row: row["revoked_at"],
        lambda _: {"revoked_at": None, "end_reason": None},
    ),
    "a_spent_token_stays_spent": (lambda row: row["rotated_at"], lambda _: {"rotated_at": None}),
    "a_used_link_stays_used": (lambda row: row["used_at"], lambda _: {"used_at": None}),
    "a_new_password_leaves_one_session": (lambda row: True, lambda row: {"changed_at": row["changed_at"] + HOUR}),
    "a_paper_never_changes": (lambda row: True, _by("sequence", 1)),
    "an_issued_invoice_keeps_what_it_asks": (lambda row: row["paper_id"], _by("total_minor", 1)),
    "a_settlement_never_changes": (lambda row: True, _by("amount_minor", 1)),
    "an_answered_invitation_stays_so": (lambda row: row["state"] == "accepted", lambda _: {"state": "pending"}),
    "what_was_provisioned_stays": (lambda row: row["state"] == "provisioned", lambda _: {"state": "open"}),
    "the_trail_is_append_only": (lambda row: True, lambda _: {"actor": "nobody"}),
    "security_events_are_append_only": (lambda row: True, lambda _: {"actor": "nobody"}),
}
"""For every step which row, and what may not become of it."""


@pytest.fixture
def rich(town: Town) -> Town:
    """The town with a refund that failed, a security event, and somebody with two sessions of one epoch."""
    town.add("refunds", town.some("refunds"), state="failed")
    town.add("security_events", {"id": 0, "at": NOW, "kind": "x", "actor": "a", "subject": None, "details": {}})
    for session in list(town.tables["sessions"].values()):
        epoch = town.tables["users"][session["user_id"]]["epoch"]
        town.add("sessions", session, revoked_at=None, epoch=epoch)
        town.add("sessions", session, revoked_at=None, epoch=epoch)
    return town


def _row(step: Step, town: Town) -> Row:
    wanted, _ = WRONG[step.name]
    if step.name == "a_new_password_leaves_one_session":
        doubly = {row["user_id"] for row in town.tables["sessions"].values()}
        return town.some(step.table, lambda row: row["id"] in doubly)
    return town.some(step.table, wanted)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.code}-{step.name}")
def test_a_wrong_step_is_told_once_with_what_moved(step: Step, rich: Town) -> None:
    before = _row(step, rich)
    after = {**before, **WRONG[step.name][1](before)}
    rich.tables[step.table][before["id"]] = after
    judge = Judge(rich.tables, rules=())
    judge.note(step.table, before, after)
    told = [broken for broken in judge.judge() if broken.name == step.name]
    assert [broken.subject for broken in told] == [str(before["id"])]
    assert "->" in told[0].said
    assert judge.judge() == []


LASTING = (
    "bookings",
    "ledger",
    "payments",
    "refunds",
    "disputes",
    "reviews",
    "messages",
    "participants",
    "sessions",
    "audit",
    "papers",
    "settlements",
)


@pytest.mark.parametrize("table", [*LASTING, "security_events"])
def test_what_lasts_is_never_removed(table: str, rich: Town) -> None:
    judge = Judge(rich.tables, rules=())
    row = rich.some(table)
    judge.note(table, row, None)
    assert {broken.said for broken in judge.judge()} == {"it was removed"}


def test_an_event_is_removed_only_when_it_was_delivered(town: Town) -> None:
    judge = Judge(town.tables, rules=())
    judge.note("outbox", town.some("outbox", lambda row: row["finished_at"]), None)
    assert judge.judge() == []
    judge.note("outbox", town.some("outbox", lambda row: row["finished_at"] is None), None)
    assert [broken.name for broken in judge.judge()] == ["an_event_is_kept_until_it_is_delivered"]


def test_making_any_row_of_the_town_is_no_wrong_step(town: Town) -> None:
    """But for bookings of a past in which their provider kept other hours."""
    judge = Judge(town.tables, rules=())
    for table, rows in town.tables.items():
        for row in rows.values():
            judge.note(table, None, row)
    wrong = {(broken.name, town.tables["bookings"][_id(broken.subject)]["state"]) for broken in judge.judge()}
    ends = {("a_booking_follows_its_paths", end) for end in ("completed", "no_show", "cancelled", "expired")}
    assert wrong <= ends


def _id(subject: str) -> Any:
    from uuid import UUID

    return UUID(subject)


def test_the_paths_are_those_of_the_domain() -> None:
    from adapters.persistence.rules.bookings import PATHS as RULED

    said = {f"{was.value}>{is_.value}" for was, ends in PATHS.items() for is_ in ends}
    assert set(RULED) == said | {">requested", ">held", ">confirmed"}


@pytest.mark.parametrize("step", [step for step in STEPS if step.sql], ids=lambda step: step.name)
async def test_a_guard_that_is_gone_or_asleep_is_found_in_the_catalog(step: Step, database: str) -> None:
    pools = Pools.of(database, house=1, public=1, users=1)
    reader = PostgresRules(pools.house)
    owner = await asyncpg.connect(database)

    async def missing() -> list[str]:
        reading = await reader.read(step, now=NOW, most=5)
        assert reading is not None
        return [offence.subject for offence in reading.offences]

    assert await missing() == []
    await owner.execute(f"alter table {step.table} disable trigger {step.table}_append_only")
    assert await missing() == [step.table]
    await owner.execute(f"alter table {step.table} enable trigger {step.table}_append_only")
    assert await missing() == []
    await owner.execute(f"drop trigger {step.table}_append_only on {step.table}")
    assert await missing() == [step.table]
    await owner.close()
    await pools.close()


def test_a_step_that_no_database_shows_says_what_reads_it_instead() -> None:
    names = {rule.name for rule in RULES}
    for step in STEPS:
        assert bool(step.sql) != bool(step.instead), step.name
        if step.instead.startswith("tests/"):
            assert (ROOT / step.instead.split(" ")[0]).is_file(), step.instead
        elif step.instead:
            assert any(name in step.instead for name in names), step.instead


def test_every_liveness_rule_reads_a_table_of_its_own_time() -> None:
    assert all(rule.sql.count("$1") == 1 for rule in LIVENESS)
