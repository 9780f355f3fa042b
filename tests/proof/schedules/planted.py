"""Bugs planted in the store, and the pairs whose schedules must show them."""

from dataclasses import dataclass

from adapters.persistence.store import Changes, Numbers
from adapters.postgres.store import PostgresStore
from tests.planted.stores import guards_read_plainly, nobody_locks
from tests.proof.schedules.grounds import MakePostgres
from tests.races.planted import CountingByLooking, WithoutCeilings, WithoutGuards, without_versions

Shown = tuple[str, set[str]]
"""A scene, and the names of the two commands."""


@dataclass(frozen=True, slots=True)
class Plant:
    """A store with a bug, and what it does to the database besides."""

    make: MakePostgres
    shows_in: tuple[Shown, ...]
    sql: tuple[str, ...] = ()


class LookingFirst(PostgresStore):
    """Looks whether the time is free, and then takes it, without a lock."""

    async def commit(self, changes: Changes) -> Numbers:
        return await super().commit(Changes(changes.locks[:0], changes.tallies, changes.guards, changes.writes))


_ARCHIVED: Shown = ("a_workshop", {"book a slot", "archive the job"})
_SAME_SLOT: Shown = ("a_workshop", {"book a slot", "book it as another"})
_RECEIPTS = "alter table receipts drop constraint receipts_key, drop constraint receipts_pkey"

PLANTED: dict[str, Plant] = {
    "guards read plainly": Plant(lambda pool: PostgresStore(guards_read_plainly(pool)), (_ARCHIVED,)),
    "no guards": Plant(WithoutGuards, (_ARCHIVED,)),
    "no advisory lock": Plant(
        lambda pool: PostgresStore(nobody_locks(pool)),
        (("a_paid_booking", {"reschedule", "book where it moves to"}), _SAME_SLOT),
        ("alter table bookings drop constraint bookings_no_overlap",),
    ),
    "look first, then insert": Plant(
        LookingFirst, (_SAME_SLOT,), ("alter table bookings drop constraint bookings_no_overlap",)
    ),
    "the last one to write wins": Plant(without_versions, (("a_paid_booking", {"give back some", "give back all"}),)),
    "seats without a ceiling": Plant(WithoutCeilings, (("a_shared_session", {"book the last seat"}),)),
    "numbers by looking": Plant(CountingByLooking, (("a_talk", {"say something", "answer"}),)),
    "no receipts": Plant(
        PostgresStore,
        (("late_money", {"tell of the money"}),),
        (_RECEIPTS, "alter table mails drop constraint mails_once"),
    ),
}
