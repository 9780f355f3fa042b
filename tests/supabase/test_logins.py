"""People sign in with their old passwords after their accounts moved to Supabase Auth, and after they came back.

What Auth does with an account is played by what its sign-in does: it reads the row as its code does, and checks the
hash. Its own server is not in these tests."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import bcrypt
import pytest

from adapters.local_identity.passwords import HashCost, LocalPasswords
from adapters.memory.moving import MemoryHouse
from adapters.supabase.logins import ProjectLogins
from application.moving import GiveLogins, TakeLogins
from domain.identity import Credential, ExternalIdentity, User
from domain.shared.actors import SYSTEM, Role
from domain.shared.errors import Unavailable
from domain.shared.ids import UserId
from tests.contracts.stores import connected
from tests.support.house import House

ISSUER = "https://project.supabase.example/auth/v1"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = {"ann": "ann's old password", "bob": "bob's old password", "eve": "eve was suspended"}


@pytest.fixture
async def project(database: str) -> str:
    """The address of a database with Auth's tables in it."""
    async with connected(database) as owner:
        await owner.execute((Path(__file__).parent / "auth_schema.sql").read_text())
    return database


@pytest.fixture
async def passwords() -> AsyncIterator[LocalPasswords]:
    """The house's own hashing."""
    made = LocalPasswords(HashCost.least())
    yield made
    made.close()


async def inhabited(passwords: LocalPasswords) -> House:
    """A house where three people have accounts: one with an argon2id hash, one with bcrypt's, one suspended."""
    house = House()
    async with house.begin(SYSTEM) as work:
        for number, (name, password) in enumerate(PEOPLE.items(), 1):
            user = User.create(id=UserId(UUID(int=number)), email=f"{name}@town.example", role=Role.CUSTOMER, now=NOW)
            if name == "eve":
                user.suspend(by=SYSTEM, reason="rude", now=NOW)
            old = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
            hash = old if name == "bob" else await passwords.hash(password)
            work.users.add(user)
            work.credentials.add(Credential.create(id=user.id, password_hash=hash, now=NOW))
    return house


def logins(url: str) -> ProjectLogins:
    return ProjectLogins(ISSUER, url, now=NOW)


async def given(house: House, url: str) -> Any:
    give = GiveLogins(
        begin=house.begin, origin=MemoryHouse(house.store), logins=logins(url), clock=house.clock, ids=house.ids
    )
    return await give(SYSTEM)


async def taken(house: House, url: str) -> Any:
    return await TakeLogins(begin=house.begin, logins=logins(url), clock=house.clock, ids=house.ids)(SYSTEM)


async def signs_in(url: str, passwords: LocalPasswords, name: str, password: str) -> bool:
    """Whether Auth lets them in: a row it can read, an identity, no ban, and a hash that matches."""
    async with connected(url) as owner:
        row = await owner.fetchrow(
            "select u.*, i.provider from auth.users u left join auth.identities i "
            "on i.user_id = u.id and i.provider_id = u.id::text and i.provider = 'email' "
            "where u.email = $1 and u.aud = 'authenticated' and not u.is_sso_user",
            f"{name}@town.example",
        )
    tokens = [column for column in row.keys() if "token" in column and not column.endswith("_at")]  # noqa: SIM118
    readable = all(row[column] is not None for column in (*tokens, "email_change", "phone_change"))
    open_ = readable and row["provider"] == "email" and row["email_confirmed_at"] and row["banned_until"] is None
    return bool(open_) and await passwords.verify(password, row["encrypted_password"])


async def test_people_sign_in_at_the_project_with_their_old_passwords(project: str, passwords: LocalPasswords) -> None:
    house = await inhabited(passwords)
    accounts = await given(house, project)
    assert (accounts.seen, accounts.linked, list(accounts.clashes)) == (3, 3, [])
    for name in ("ann", "bob"):
        assert await signs_in(project, passwords, name, PEOPLE[name])
        assert not await signs_in(project, passwords, name, "something else")
    assert not await signs_in(project, passwords, "eve", PEOPLE["eve"])
    async with house.begin(SYSTEM) as work:
        linked: list[ExternalIdentity] = await work.external_identities.find(issuer=ISSUER)
    assert {(one.subject, one.user_id) for one in linked} == {(str(UUID(int=n)), UUID(int=n)) for n in (1, 2, 3)}
    again = await given(house, project)
    assert (again.seen, again.linked) == (3, 0)


async def test_passwords_come_back_and_mean_the_same_users(project: str, passwords: LocalPasswords) -> None:
    house = await inhabited(passwords)
    await given(house, project)
    fresh = bcrypt.hashpw(b"a new one, set there", bcrypt.gensalt(4, prefix=b"2a")).decode()
    async with connected(project) as owner:
        await owner.execute("update auth.users set encrypted_password = $1 where email like 'ann@%'", fresh)
        await owner.execute("update auth.users set banned_until = $1 where email like 'bob@%'", NOW + timedelta(days=9))
    accounts = await taken(house, project)
    assert (accounts.seen, accounts.users, accounts.passwords, list(accounts.clashes)) == (3, 0, 1, [])
    async with house.begin(SYSTEM) as work:
        hashes = {one.id.int: one.password_hash for one in await work.credentials.find()}
        bob = await work.users.get(UserId(UUID(int=2)))
    assert await passwords.verify("a new one, set there", hashes[1])
    assert await passwords.verify(PEOPLE["bob"], hashes[2])
    assert bob.suspended
    assert (await taken(house, project)).passwords == 0


async def test_whom_nobody_has_seen_here_becomes_a_user_and_an_address_alone_joins_nobody(
    project: str, passwords: LocalPasswords
) -> None:
    elsewhere = await inhabited(passwords)
    await given(elsewhere, project)
    house = House()
    async with house.begin(SYSTEM) as work:
        work.users.add(User.create(id=UserId(UUID(int=77)), email="ann@town.example", role=Role.ADMIN, now=NOW))
    accounts = await taken(house, project)
    assert (accounts.seen, accounts.users, list(accounts.clashes)) == (3, 2, [str(UUID(int=1))])
    async with house.begin(SYSTEM) as work:
        assert await work.credentials.find(id=UUID(int=77)) == []
        [bob] = await work.users.find(email="bob@town.example")
        assert (bob.role, bob.verified) == (Role.CUSTOMER, True)
        [credential] = await work.credentials.find(id=bob.id)
    assert await passwords.verify(PEOPLE["bob"], credential.password_hash)


async def test_an_account_there_that_has_the_address_is_left_alone(project: str, passwords: LocalPasswords) -> None:
    house = await inhabited(passwords)
    async with connected(project) as owner:
        await owner.execute(
            "insert into auth.users (id, aud, email, encrypted_password) values ($1, 'authenticated', $2, 'theirs')",
            UUID(int=900),
            "Ann@town.example",
        )
    accounts = await given(house, project)
    assert (accounts.linked, list(accounts.clashes)) == (2, [str(UUID(int=1))])
    async with connected(project) as owner:
        assert (
            await owner.fetchval("select encrypted_password from auth.users where id = $1", UUID(int=900)) == "theirs"
        )


async def test_a_database_without_auth_is_told_so(database: str, passwords: LocalPasswords) -> None:
    house = await inhabited(passwords)
    with pytest.raises(Unavailable, match="not the database of a project's Auth"):
        await given(house, database)
    with pytest.raises(Unavailable, match="DATABASE_URL"):
        await given(house, "")
