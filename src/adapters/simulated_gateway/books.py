"""The simulated gateway's own books, in SQLite. Each piece of work is one transaction, off the event loop."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar
from weakref import finalize

T = TypeVar("T")

_TABLES = """
create table if not exists payments (
    ref text primary key, payment_id text not null, attempt integer not null, state text not null,
    amount integer not null, currency text not null, captured integer not null default 0,
    refunded integer not null default 0, card text not null default '', failure text not null default '',
    client_secret text not null, capture_later integer not null default 0, authorised_until real);
create table if not exists payees (
    ref text primary key, payee_id text not null, name text not null, email text not null,
    takes_charges integer not null default 0, pays_out integer not null default 0,
    submitted integer not null default 0, rejected integer not null default 0, wanted text not null default '');
create table if not exists shared (
    payment_ref text primary key references payments (ref), payee_ref text not null references payees (ref),
    fee integer not null);
create table if not exists moved (
    ref text primary key, payment_ref text not null references payments (ref), kind text not null,
    payee_ref text not null references payees (ref), amount integer not null, currency text not null);
create table if not exists payouts (
    ref text primary key, payee_ref text not null references payees (ref), state text not null,
    amount integer not null, currency text not null, arrives_at real not null, failure text not null default '');
create table if not exists refunds (
    ref text primary key, refund_id text not null, payment_ref text not null references payments (ref),
    state text not null, amount integer not null, currency text not null, failure text not null default '');
create table if not exists journal (
    number integer primary key, at real not null, what text not null, ref text not null, amount integer not null,
    currency text not null);
create index if not exists journal_what on journal (what, at);
create table if not exists disputes (
    ref text primary key, payment_ref text not null references payments (ref), state text not null,
    reason text not null, amount integer not null, currency text not null, taken integer not null default 0,
    returned integer not null default 0, fee integer not null default 0, due_at real not null, opened_at real not null,
    answer text not null default '');
create table if not exists warnings (
    ref text primary key, payment_ref text not null references payments (ref), reason text not null,
    warned_at real not null);
create table if not exists setups (
    ref text primary key, customer_ref text not null, client_secret text not null, state text not null, card_ref text,
    card text not null default '');
create table if not exists kept_cards (
    ref text primary key, customer_ref text, card text not null);
create table if not exists answers (
    key text primary key, fingerprint text not null, answer text not null);
create table if not exists plans (
    ref text primary key, kind text not null, parent text not null, active integer not null, facts text not null,
    created_at real not null);
create table if not exists customers (
    ref text primary key, customer_id text not null, email text not null, name text not null);
create table if not exists checkouts (
    ref text primary key, purchase_id text not null, price_ref text not null, state text not null,
    paid integer not null default 0, customer_ref text, subscription_ref text, email text not null,
    success_url text not null);
create table if not exists subscriptions (
    ref text primary key, purchase_id text not null, customer_ref text not null, price_ref text not null,
    state text not null, period_ends_at real, trial_ends_at real, ends_with_period integer not null default 0);
create table if not exists deliveries (
    id text primary key, body text not null, created_at real not null, due_at real not null, tries integer not null,
    delivered_at real, given_up_at real, last_error text not null default '');
create index if not exists deliveries_due on deliveries (due_at) where delivered_at is null and given_up_at is null;
"""


_LATER = {"capture_later": "integer not null default 0", "authorised_until": "real"}
"""Columns of payments that books of an earlier house lack."""


class Books:
    """One SQLite file shared by every process of an installation, or ":memory:" for one process alone."""

    def __init__(self, path: Path | str) -> None:
        self._in_memory = str(path) == ":memory:"
        if not self._in_memory:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # Whoever can read the books can pay with what is in them.
            Path(path).touch(mode=0o600)
        self._lock = Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        # Books that everybody has forgotten are closed, like any others.
        finalize(self, self._connection.close)
        self._connection.row_factory = sqlite3.Row
        if not self._in_memory:
            self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma foreign_keys = on")
        self._connection.executescript(_TABLES)
        known = {row["name"] for row in self._connection.execute("pragma table_info(payments)")}
        for column in _LATER.keys() - known:
            self._connection.execute(f"alter table payments add column {column} {_LATER[column]}")

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run this in one transaction; an exception undoes it."""
        if self._in_memory:
            return self._run(work)
        return await asyncio.to_thread(self._run, work)

    def read(self, question: str) -> list[dict[str, Any]]:
        """What the books say, for an auditor."""
        with self._lock:
            return [dict(row) for row in self._connection.execute(question)]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock, _transaction(self._connection):
            return work(self._connection)


def note(books: sqlite3.Connection, what: str, ref: str, amount: int, currency: str, *, at: float) -> None:
    """Write down that a payment was opened, a refund made, a payout sent, or that money moved, in the transaction of
    it."""
    books.execute(
        "insert into journal (at, what, ref, amount, currency) values (?, ?, ?, ?, ?)",
        (at, what, ref, amount, currency),
    )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
