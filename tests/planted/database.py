"""Mistakes only a real database shows: each with a check that passes on the sound product and must fail on it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from adapters.persistence.chains import StoredAuditTrail
from adapters.persistence.store import Changes, Insert, Numbers, Store
from adapters.postgres.pools import Pool, Pools
from adapters.postgres.store import PostgresStore
from application.audit import SealAudit, VerifyAudit
from domain.audit import AuditEntry, seal
from domain.shared.actors import SYSTEM
from domain.shared.errors import Refusal
from tests.adapters.test_pools import arrive, nobody_inherits_claims
from tests.contracts import races
from tests.contracts.rows import Rows
from tests.planted import stores
from tests.visibility import probe
from tests.visibility.world import world

MakeStore = Callable[[Pool], Store]
WRITERS = 24


class ChainsInTheCommit(PostgresStore):
    """Seals each audit row in the commit that writes it, onto the last hash it finds."""

    async def commit(self, changes: Changes) -> Numbers:
        trail = StoredAuditTrail(self)
        writes = list(changes.writes)
        for place, write in enumerate(writes):
            if isinstance(write, Insert) and write.table == "audit":
                head = await trail.head()
                entry = AuditEntry(**{name: write.row[name] for name in AuditEntry.__dataclass_fields__})
                (sealed,) = seal([entry], onto=head)
                writes[place] = Insert("audit", {**write.row, "position": sealed.position, "hash": sealed.hash})
        return await super().commit(replace(changes, writes=tuple(writes)))


async def _many_changes_one_chain(store: Store) -> None:
    """Many commits at once, each with its audit row: all are told, and the chain holds."""
    rows = Rows("chain")
    told = [rows.row("audit", version=1, position=None, hash=None) for _ in range(WRITERS)]
    came = await asyncio.gather(
        *(store.commit(Changes(writes=(Insert("audit", row),))) for row in told), return_exceptions=True
    )
    refused = [each for each in came if isinstance(each, Refusal)]
    assert not refused, f"{len(refused)} of {WRITERS} writers were refused because of the chain"
    trail = StoredAuditTrail(store)
    while await SealAudit(trail=trail)():
        pass
    report = await VerifyAudit(trail=trail)(SYSTEM)
    assert report.holds, f"the chain breaks at {report.first_break}"


@asynccontextmanager
async def _pool(url: str) -> Any:
    pool = Pool(url, role="service_role", size=16)
    try:
        yield pool
    finally:
        await pool.close()


async def _guards(make: MakeStore, url: str) -> None:
    async with _pool(url) as pool:
        await races.a_guard_sees_what_was_decided_before_it(make(pool), url, lock=False)


async def _numbers(make: MakeStore, url: str) -> None:
    async with _pool(url) as pool:
        await races.writers_number_without_gaps(make(pool), 40)


async def _order(make: MakeStore, url: str) -> None:
    async with _pool(url) as pool:
        await races.events_keep_their_order(make(pool))


async def _passing(make: MakeStore, url: str) -> None:
    async with _pool(url) as pool:
        await races.claimers_pass_each_other_by(make(pool), url)


async def _late(make: MakeStore, url: str) -> None:
    async with _pool(url) as pool:
        await races.what_commits_late_is_delivered(make(pool), url)


async def _chain(make: MakeStore, url: str) -> None:
    async with _pool(url) as pool:
        await _many_changes_one_chain(make(pool))


async def _slot(make: MakeStore, url: str) -> None:
    await races.one_slot_has_one_winner(url, make)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raced:
    """A store that has the mistake, and the race it must lose; `control` runs the same race with a sound one."""

    make: MakeStore
    race: Callable[[MakeStore, str], Awaitable[None]]
    says: str

    async def found(self, url: str) -> str | None:
        """What gave it away."""
        return await _lost(self.race(self.make, url))

    async def control(self, url: str) -> str | None:
        """What the race complains of where nothing is planted."""
        return await _lost(self.race(PostgresStore, url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A pool that lets claims outlive their transaction."""

    says: str = "the asker's claims stay on the connection"

    async def found(self, url: str) -> str | None:
        """What gave it away."""
        return await self._asked(url, stores.claims_outlive_their_transaction)

    async def control(self, url: str) -> str | None:
        """What is wrong where nothing is planted."""
        return await self._asked(url, lambda pool: pool)

    async def _asked(self, url: str, made: Callable[[Pool], Pool]) -> str | None:
        pools = Pools.of(url, house=1, public=1, users=1)
        await arrive(pools)
        try:
            return await _lost(nobody_inherits_claims(Pools(pools.house, pools.public, made(pools.users))))
        finally:
            await pools.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A statement that opens or shuts a door; the visibility matrix is asked about what it touches."""

    sql: str
    tables: Sequence[str]
    says: str

    async def found(self, url: str) -> str | None:
        """What the matrix complains of."""
        return await self._asked(url, self.sql)

    async def control(self, url: str) -> str | None:
        """What it complains of where nothing is planted."""
        return await self._asked(url, "select 1")

    async def _asked(self, url: str, statement: str) -> str | None:
        here = world()
        await probe.furnish(url, here)
        async with probe.connected(url) as owner:
            transaction = owner.transaction()
            await transaction.start()
            try:
                await owner.execute(statement)
                wrong = await probe.complaints(owner, here, self.tables, reads=True, writes=False)
                return str(wrong[0]) if wrong else None
            except asyncpg.PostgresError as error:
                return str(error)
            finally:
                await transaction.rollback()


async def _lost(race: Awaitable[None]) -> str | None:
    try:
        await race
    except AssertionError as lost:
        return str(lost).splitlines()[0] if str(lost) else "the check fails"
    return None


ON_POSTGRES: dict[str, Raced | Claimed | Seen] = {
    "guards look without locking": Raced(
        make=lambda pool: PostgresStore(stores.guards_read_plainly(pool)), race=_guards, says="no `for share`"
    ),
    "nobody locks": Raced(
        make=lambda pool: PostgresStore(stores.nobody_locks(pool)), race=_slot, says="no advisory lock"
    ),
    "a counter by version": Raced(make=stores.CounterByVersion, race=_numbers, says="optimistic sequence"),
    "a claim without order": Raced(
        make=lambda pool: PostgresStore(stores.claims_without_order(pool)), race=_order, says="SQL without the order"
    ),
    "claimers wait for each other": Raced(
        make=lambda pool: PostgresStore(stores.claims_wait_for_each_other(pool)),
        race=_passing,
        says="`for update` without `skip locked`",
    ),
    "an outbox by cursor": Raced(make=stores.CursorOutbox, race=_late, says="`id > last seen`"),
    "the chain is made in the commit": Raced(make=ChainsInTheCommit, race=_chain, says="sealed when written"),
    "claims are not reset": Claimed(),
    "a policy is dropped": Seen(
        sql="drop policy bookings_authenticated on bookings",
        tables=probe.touched("bookings"),
        says="drop policy bookings_authenticated",
    ),
    "a policy lets everything pass": Seen(
        sql="alter policy payments_authenticated on payments using (true)",
        tables=probe.touched("payments"),
        says="using (true)",
    ),
    "members are taken for managers": Seen(
        sql="create or replace function my_managed_organizations() returns uuid[] language sql stable security definer"
        " set search_path = '' as 'select public.my_organizations()'",
        tables=probe.touched("payments"),
        says="my_managed_organizations() = my_organizations()",
    ),
}
"""Each by what is wrong with it; beside them stand those of `tests.proof.schedules.planted`."""
