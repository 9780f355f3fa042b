"""Accounts moved to another issuer and back, passwords included: people sign in as before, wherever that is done."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from application.ports.clock import Clock
from application.ports.criteria import AnyOf
from application.ports.ids import Ids
from application.ports.logins import Login, Logins
from application.ports.moving import Origin, Unwatched, Watching
from application.ports.unit_of_work import Begin, Work
from domain.identity import Credential, ExternalIdentity, User
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated, Unavailable
from domain.shared.ids import ExternalIdentityId, UserId

CROWD = 200
"""Accounts that are moved at once."""
_HASHES = ("$2a$", "$2b$", "$2y$", "$argon2id$")
"""How the hashes begin that both sides read."""
_REFUSES: tuple[type[Refusal], ...] = (Unauthenticated, Forbidden, Unavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Accounts looked at, identities newly tied to their users, users and passwords new to the house, and who could not
    be moved because their address belongs to another account there."""

    seen: int = 0
    linked: int = 0
    users: int = 0
    passwords: int = 0
    clashes: Sequence[str] = ()

    def and_(self, other: "Accounts") -> "Accounts":
        """Both together."""
        return Accounts(
            seen=self.seen + other.seen,
            linked=self.linked + other.linked,
            users=self.users + other.users,
            passwords=self.passwords + other.passwords,
            clashes=(*self.clashes, *other.clashes),
        )


class NoLogins(Logins):
    """The accounts of a project that no settings name."""

    @property
    def issuer(self) -> str:
        """Nobody's name."""
        return ""

    async def batch(self, *, after: str | None, most: int) -> Sequence[Login]:
        """Nobody to ask."""
        raise Unavailable("no project is named whose accounts these would be")

    async def put(self, logins: Sequence[Login], *, at: datetime) -> Sequence[str]:
        """Nobody to give them to."""
        raise Unavailable("no project is named whose accounts these would be")


NOBODYS = NoLogins()


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveLogins:
    """Give every account to another issuer, with its password hash: under the id it has here, unless it has an identity
    there already. From then on the tokens of that issuer mean the same users. Repeated, it gives what is new."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = _REFUSES
    begin: Begin
    origin: Origin
    clock: Clock
    ids: Ids
    logins: Logins = NOBODYS

    async def __call__(self, actor: Actor, *, watching: Watching = Unwatched()) -> Accounts:
        actor.must_be_admin()
        total, after = Accounts(), None
        while (batch := await self.origin.batch("users", after=after, most=CROWD)).rows:
            after, now = batch.last, self.clock.now()
            ids = [UserId(UUID(row["id"])) for row in batch.rows]
            async with self.begin(actor) as work:
                users = {user.id: user for user in await work.users.find(id=AnyOf(tuple(ids)))}
                hashes = {one.id: one.password_hash for one in await work.credentials.find(id=AnyOf(tuple(ids)))}
                known = await self._identities(work, ids)
            given = {id: _login(user, hashes.get(id), known.get(id)) for id, user in users.items()}
            clashes = set(await self.logins.put(list(given.values()), at=now))
            new = [users[id] for id, login in given.items() if id not in known and login.subject not in clashes]
            async with self.begin(actor) as work:
                for user in new:
                    work.external_identities.add(_link(self, actor, user, given[user.id], now))
            some = Accounts(seen=len(users), linked=len(new), clashes=sorted(clashes))
            total = total.and_(some)
            watching.told("logins", rows=total.seen)
        return total

    async def _identities(self, work: Work, ids: Sequence[UserId]) -> Mapping[UserId, ExternalIdentity]:
        found = await work.external_identities.find(user_id=AnyOf(tuple(ids)), issuer=self.logins.issuer)
        return {identity.user_id: identity for identity in found if not identity.ended}


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLogins:
    """Take every account over from another issuer, with its password hash: whoever has an identity there keeps the user
    it is here, and signs in here with the same password; whom nobody has seen here yet becomes a user. An address alone
    joins nobody to anybody. Repeated, it takes what is new."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = _REFUSES
    begin: Begin
    clock: Clock
    ids: Ids
    logins: Logins = NOBODYS

    async def __call__(self, actor: Actor, *, watching: Watching = Unwatched()) -> Accounts:
        actor.must_be_admin()
        total = Accounts()
        async for batch in _all(self.logins):
            total = total.and_(await self._taken(actor, batch))
            watching.told("logins", rows=total.seen)
        return total

    async def _taken(self, actor: Actor, batch: Sequence[Login]) -> Accounts:
        now = self.clock.now()
        async with self.begin(actor) as work:
            subjects = AnyOf(tuple(login.subject for login in batch))
            known = {
                identity.subject: identity
                for identity in await work.external_identities.find(issuer=self.logins.issuer, subject=subjects)
            }
            ids = AnyOf(tuple(identity.user_id for identity in known.values()))
            users = {user.id: user for user in await work.users.find(id=ids)}
            held = {one.id: one for one in await work.credentials.find(id=ids)}
            emails = AnyOf(tuple(login.email for login in batch if login.email and login.subject not in known))
            taken = {user.email for user in await work.users.find(email=emails)}
            done = Accounts(seen=len(batch))
            for login in batch:
                identity = known.get(login.subject)
                if identity is None and login.email in taken and login.confirmed_at:
                    done = replace(done, clashes=(*done.clashes, login.subject))
                    continue
                user = users[identity.user_id] if identity else self._arrived(work, actor, login, now)
                credential = held.get(user.id) if identity else None
                brought = self._password(work, user, credential, login, now)
                done = replace(done, users=done.users + (identity is None), passwords=done.passwords + brought)
                if login.banned and not user.suspended:
                    user.suspend(by=actor, reason="banned by the issuer this account came from", now=now)
        return done

    def _arrived(self, work: Work, actor: Actor, login: Login, now: datetime) -> User:
        user = User.arrive(id=UserId(self.ids.new()), email=login.email if login.confirmed_at else None, now=now)
        work.users.add(user)
        work.external_identities.add(_link(self, actor, user, login, now))
        return user

    def _password(self, work: Work, user: User, credential: Credential | None, login: Login, now: datetime) -> bool:
        """Whether its password is new to the house. Without an address there is nothing to sign in with."""
        if not login.password_hash or not login.password_hash.startswith(_HASHES) or user.email is None:
            return False
        if credential is None:
            work.credentials.add(Credential.create(id=user.id, password_hash=login.password_hash, now=now))
            return True
        if credential.password_hash == login.password_hash:
            return False
        credential.upgrade(login.password_hash)
        return True


def _login(user: User, password_hash: str | None, known: ExternalIdentity | None) -> Login:
    return Login(
        subject=known.subject if known else str(user.id),
        email=user.email,
        password_hash=password_hash,
        confirmed_at=user.email_verified_at,
        banned=user.suspended,
        created_at=user.created_at,
    )


def _link(use_case: Any, actor: Actor, user: User, login: Login, now: datetime) -> ExternalIdentity:
    return ExternalIdentity.link(
        id=ExternalIdentityId(use_case.ids.new()),
        user=user,
        by=actor,
        issuer=use_case.logins.issuer,
        subject=login.subject,
        email=login.email,
        email_verified=login.email is not None and login.confirmed_at is not None,
        now=now,
    )


async def _all(logins: Logins) -> AsyncIterator[Sequence[Login]]:
    after = None
    while batch := await logins.batch(after=after, most=CROWD):
        yield batch
        after = batch[-1].subject
