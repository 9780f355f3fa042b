"""Links by mail: offered to whoever may have one, and spent once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.criteria import AnyOf, Between
from application.ports.identity import OneTimeSecrets, SecurityLog
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.identity import (
    BadLink,
    Client,
    IdentityRules,
    OneTimeToken,
    Purpose,
    SignUpRepeated,
    User,
)
from domain.shared.actors import Actor
from domain.shared.ids import OneTimeTokenId


@submitted
class Address:
    """Whom to write to."""

    email: str
    """The e-mail address of the account."""


@submitted
class Link:
    """What a mailed link carries."""

    token: str
    """The secret part of the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffersLinks:
    """What use cases share that send links. To the asker all outcomes look alike and take alike: each looks up the
    same things and stores one token."""

    begin: Begin
    clock: Clock
    ids: Ids
    one_time_secrets: OneTimeSecrets
    identity_rules: IdentityRules

    async def _ask(self, actor: Actor, email: str, purpose: Purpose) -> None:
        async with self.begin(actor) as work:
            user = await work.users.first(email=email)
            await self._offer(work, email, user, purpose, now=self.clock.now())

    async def _offer(self, work: Work, email: str, user: User | None, purpose: Purpose, *, now: datetime) -> None:
        lately = await self._lately(work, email, purpose, now=now)
        if user is not None and self.identity_rules.sends(user, purpose, lately=lately):
            self._issue(work, user, purpose, now=now)
        else:
            self._decline(work, email, purpose, lately=lately, now=now)

    async def _warn(self, work: Work, user: User, *, now: datetime) -> None:
        """Tell the owner that somebody tried to sign up as them."""
        email = user.must_be_reachable()
        lately = await self._lately(work, email, Purpose.VERIFY_EMAIL, now=now)
        self._decline(work, email, Purpose.VERIFY_EMAIL, lately=lately, now=now)
        if lately < self.identity_rules.letters_an_hour and not user.suspended:
            work.schedule(SignUpRepeated(user_id=user.id), about=user, at=now)

    def _issue(self, work: Work, user: User, purpose: Purpose, *, now: datetime, address: str | None = None) -> None:
        token_id, token_hash = self._fresh()
        token = OneTimeToken.issue(
            id=token_id,
            user_id=user.id,
            epoch=user.epoch,
            purpose=purpose,
            token_hash=token_hash,
            address_hash=self.one_time_secrets.digest(address or user.must_be_reachable()),
            lifetime=self.identity_rules.lifetime(purpose),
            now=now,
            address=address,
        )
        work.one_time_tokens.add(token)

    def _decline(self, work: Work, email: str, purpose: Purpose, *, lately: int, now: datetime) -> None:
        token_id, token_hash = self._fresh()
        counts = lately < self.identity_rules.letters_an_hour
        address_hash = self.one_time_secrets.digest(email) if counts else ""
        decoy = OneTimeToken.decoy(
            id=token_id, purpose=purpose, token_hash=token_hash, address_hash=address_hash, now=now
        )
        work.one_time_tokens.add(decoy)

    def _fresh(self) -> tuple[OneTimeTokenId, str]:
        token_id = OneTimeTokenId(self.ids.new())
        return token_id, self.one_time_secrets.digest(self.one_time_secrets.secret(token_id))

    async def _lately(self, work: Work, email: str, purpose: Purpose, *, now: datetime) -> int:
        """How often this address was asked for within the hour; counted for unknown addresses too, so that it takes as
        long."""
        asked = await work.one_time_tokens.find(
            address_hash=self.one_time_secrets.digest(email),
            purpose=purpose,
            created_at=Between(now - timedelta(hours=1)),
            limit=self.identity_rules.letters_an_hour,
        )
        return len(asked)


async def spend(work: Work, secrets: OneTimeSecrets, link: Link, *purposes: Purpose, now: datetime) -> "Spent":
    """Use up this link, which is good for one of these purposes. All that does not work refuses alike; so does what was
    sent to an address that is not its user's any more."""
    token = await work.one_time_tokens.first(token_hash=secrets.digest(link.token), purpose=AnyOf(purposes))
    if token is None:
        raise BadLink
    user = await work.users.get(token.must_be_fresh(now=now))
    sent_there = token.address_hash in ("", secrets.digest(user.email or ""))
    if token.address is None and not sent_there:
        raise BadLink
    token.use(epoch=user.epoch, now=now)
    return Spent(user, token.address)


@dataclass(frozen=True, slots=True)
class Spent:
    """Whom a link was sent to, and the address it makes theirs, where it does."""

    user: User
    address: str | None


@asynccontextmanager
async def watched(log: SecurityLog, actor: Actor, client: Client, *, purpose: Purpose) -> AsyncIterator[None]:
    """Links that do not work leave a trace: somebody may be guessing."""
    try:
        yield
    except BadLink as refusal:
        await log.note("link.refused", actor=actor, ip=client.ip, details={"purpose": purpose, "code": refusal.code})
        raise
