"""Who the database takes somebody for, by the claims of a token: our own ids only from claims that are ours."""

import json
from typing import Any
from uuid import UUID

import pytest

from adapters.persistence.store import Changes, Insert
from adapters.postgres.issuer import introduce
from adapters.postgres.pools import Pools
from adapters.postgres.store import PostgresStore
from tests.contracts.rows import Rows
from tests.contracts.stores import NOW, connected

ADA, BOB, SAM, ZOE = (UUID(int=n) for n in range(1, 5))
CLERK, SUPABASE = "https://clerk.shop.example", "https://project.supabase.example/auth/v1"

CLAIMS: tuple[tuple[str, dict[str, Any] | None, UUID | None], ...] = (
    ("nobody", None, None),
    ("ours", {"iss": "guildhall", "sub": str(ADA)}, ADA),
    ("of no issuer", {"sub": str(ADA)}, None),
    ("of an issuer with an empty name", {"iss": "", "sub": str(ADA)}, None),
    ("clerk's, with a role of the database", {"iss": CLERK, "sub": str(BOB), "db_role": "authenticated"}, None),
    ("supabase's, with a role of the database", {"iss": SUPABASE, "sub": str(BOB), "db_role": "authenticated"}, ADA),
    ("ours, and no id", {"iss": "guildhall", "sub": "user_ada"}, None),
    ("ours, without anybody", {"iss": "guildhall"}, None),
    ("the key of a project", {"iss": "supabase", "role": "anon"}, None),
    ("clerk's", {"iss": CLERK, "sub": "user_ada"}, ADA),
    ("clerk's, in a session of its own", {"iss": CLERK, "sub": "user_ada", "sid": "sess_2ada"}, ADA),
    ("supabase's", {"iss": SUPABASE, "sub": str(BOB)}, ADA),
    ("of another issuer", {"iss": SUPABASE, "sub": "user_ada"}, None),
    ("a foreign token with our id", {"iss": CLERK, "sub": str(BOB)}, None),
    ("a quote in it", {"iss": CLERK, "sub": "user_ada' or '1'='1"}, None),
    ("an issuer that is a number", {"iss": 7, "sub": str(ADA)}, None),
    ("an account the issuer closed", {"iss": CLERK, "sub": "user_zoe"}, None),
    ("somebody suspended", {"iss": CLERK, "sub": "user_sam"}, None),
)


async def people(url: str) -> None:
    """Ada by two issuers, Bob by none, Sam who is suspended, and Zoe whose issuer closed her account."""
    rows, pools = Rows(), Pools.of(url, house=1, public=1, users=1)
    users = [rows.row("users", id=id, suspended_at=NOW if id == SAM else None) for id in (ADA, BOB, SAM, ZOE)]
    identities = [
        rows.row("external_identities", user_id=id, issuer=issuer, subject=subject, ended_at=NOW if id == ZOE else None)
        for id, issuer, subject in (
            (ADA, CLERK, "user_ada"),
            (ADA, SUPABASE, str(BOB)),
            (SAM, CLERK, "user_sam"),
            (ZOE, CLERK, "user_zoe"),
        )
    ]
    writes = (*(Insert("users", row) for row in users), *(Insert("external_identities", row) for row in identities))
    await PostgresStore(pools.house).commit(Changes(writes=writes))
    await pools.close()


@pytest.mark.parametrize("postgres_server", ["18", "15"], indirect=True)
async def test_the_database_knows_everybody_by_their_claims(database: str) -> None:
    await people(database)
    async with connected(database) as connection:
        for said, claims, expected in CLAIMS:
            async with connection.transaction():
                await connection.execute("select set_config('role', 'authenticated', true)")
                text = "" if claims is None else json.dumps(claims)
                await connection.execute("select set_config('request.jwt.claims', $1, true)", text)
                assert await connection.fetchval("select current_user_id()") == expected, said
                seen = [row["id"] for row in await connection.fetch("select id from users")]
                assert seen == ([] if expected is None else [expected]), said


async def test_a_subject_taken_for_our_id_would_be_noticed(database: str) -> None:
    await people(database)
    async with connected(database) as connection:
        await connection.execute(
            "create or replace function current_user_id() returns uuid language sql stable set search_path = '' as "
            "$$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$"
        )
        async with connection.transaction():
            claims = json.dumps({"iss": SUPABASE, "sub": str(BOB)})
            await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
            assert await connection.fetchval("select current_user_id()") == BOB


async def test_tokens_are_ours_by_the_name_the_database_was_told(database: str) -> None:
    await people(database)
    ours = "https://it's.example"
    await introduce(database, ours)
    await introduce(database, ours)
    assert await taken_for(database, {"iss": ours, "sub": str(BOB)}) == BOB
    assert await taken_for(database, {"iss": "guildhall", "sub": str(BOB)}) == BOB, "the house itself asks"
    await introduce(database, "guildhall")
    assert await taken_for(database, {"iss": ours, "sub": str(BOB)}) is None


async def test_claims_taken_for_ours_by_what_they_say_of_their_role_would_be_noticed(database: str) -> None:
    await people(database)
    async with connected(database) as connection:
        source = await connection.fetchval("select pg_get_functiondef('current_user_id'::regproc)")
        ours = "coalesce(said ->> 'iss', '') not in ('guildhall', public.our_issuer())"
        assert ours in source
        await connection.execute(source.replace(ours, "said ->> 'db_role' is null"))
    claims = {"iss": CLERK, "sub": str(BOB), "db_role": "authenticated"}
    assert await taken_for(database, claims) == BOB


async def taken_for(url: str, claims: dict[str, Any]) -> UUID | None:
    """Whom the database takes these claims for."""
    async with connected(url) as connection, connection.transaction():
        await connection.execute("select set_config('role', 'authenticated', true)")
        await connection.execute("select set_config('request.jwt.claims', $1, true)", json.dumps(claims))
        found: UUID | None = await connection.fetchval("select current_user_id()")
        return found
