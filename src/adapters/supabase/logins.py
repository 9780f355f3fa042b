"""The accounts of a project's Auth, by a direct connection to its database: its API gives no password hashes out, and
takes them one at a time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from application.ports.logins import Login, Logins
from domain.shared.errors import Unavailable

FOR_GOOD = timedelta(days=36_500)
"""How long an account is banned that is suspended here: Auth knows no other end than a date."""

_BATCH = """
select id::text as subject, nullif(email, '') as email, nullif(encrypted_password, '') as password_hash,
  email_confirmed_at as confirmed_at, coalesce(banned_until > $3, false) as banned, created_at
from auth.users
where deleted_at is null and not is_sso_user and not coalesce(is_anonymous, false)
  and ($1::uuid is null or id > $1::uuid)
order by id limit $2
"""
# Auth reads a NULL token as an error: each such column is an empty text. A password login needs its row of identities.
_USERS = """
insert into auth.users as u (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, banned_until,
  raw_app_meta_data, raw_user_meta_data, is_sso_user, created_at, updated_at, confirmation_token, recovery_token,
  email_change, email_change_token_new, email_change_token_current, phone_change, phone_change_token,
  reauthentication_token)
select '00000000-0000-0000-0000-000000000000', w.id, 'authenticated', 'authenticated', w.email, coalesce(w.hash, ''),
  w.confirmed, w.banned, '{"provider": "email", "providers": ["email"]}', '{}', false, w.created, $7,
  '', '', '', '', '', '', '', ''
from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
  as w (id, email, hash, confirmed, banned, created)
where not exists (select from auth.users o where lower(o.email) = w.email and o.id <> w.id and not o.is_sso_user)
on conflict (id) do update set email = excluded.email, updated_at = excluded.updated_at,
  encrypted_password = case when excluded.encrypted_password = '' then u.encrypted_password
    else excluded.encrypted_password end,
  email_confirmed_at = coalesce(u.email_confirmed_at, excluded.email_confirmed_at), banned_until = excluded.banned_until
where (u.email, u.encrypted_password, u.email_confirmed_at, u.banned_until is null) is distinct from
  (excluded.email, excluded.encrypted_password, excluded.email_confirmed_at, excluded.banned_until is null)
"""
_IDENTITIES = """
insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select gen_random_uuid(), u.id::text, u.id,
  jsonb_build_object('sub', u.id::text, 'email', u.email, 'email_verified', u.email_confirmed_at is not null,
    'phone_verified', false), 'email', null, $2, $2
from auth.users u where u.id = any ($1::uuid[]) and u.email is not null
on conflict (provider_id, provider) do update set identity_data = excluded.identity_data,
  updated_at = excluded.updated_at where auth.identities.identity_data is distinct from excluded.identity_data
"""
_THERE = "select id::text from auth.users where id = any ($1::uuid[])"
_NOT_AUTH = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.InsufficientPrivilegeError)


class ProjectLogins(Logins):
    """Accounts of the project whose Auth answers at `issuer` and whose database has this owner's address."""

    def __init__(self, issuer: str, owner_url: str, *, now: datetime) -> None:
        self._issuer, self._owner_url, self._now = issuer, owner_url, now

    @property
    def issuer(self) -> str:
        return self._issuer

    async def batch(self, *, after: str | None, most: int) -> Sequence[Login]:
        async with self._connected() as connection:
            return [Login(**dict(row)) for row in await connection.fetch(_BATCH, after, most, self._now)]

    async def put(self, logins: Sequence[Login], *, at: datetime) -> Sequence[str]:
        subjects = [login.subject for login in logins]
        async with self._connected() as connection, connection.transaction():
            await connection.execute(
                _USERS,
                subjects,
                [login.email for login in logins],
                [login.password_hash for login in logins],
                [login.confirmed_at for login in logins],
                [at + FOR_GOOD if login.banned else None for login in logins],
                [login.created_at for login in logins],
                at,
            )
            await connection.execute(_IDENTITIES, subjects, at)
            there = {row[0] for row in await connection.fetch(_THERE, subjects)}
        return [subject for subject in subjects if subject not in there]

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        if not self._owner_url:
            raise Unavailable("DATABASE_URL must name the project's database: its API gives no password hashes out")
        try:
            connection = await asyncpg.connect(self._owner_url, timeout=10, server_settings={"timezone": "UTC"})
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise Unavailable(f"the project's database does not answer: {error}") from error
        try:
            yield connection
        except _NOT_AUTH as error:
            raise Unavailable(f"this is not the database of a project's Auth: {error}") from error
        finally:
            await connection.close()
