"""Links by mail: offered to whoever may have one, and spent once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.criteria import Between
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

NOBODY = UUID(int=0)
"""No row has this id: looking it up costs what looking up a real one does."""


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
        now = self.clock.now()
        async with self.begin(actor) as work:
            user = await work.users.first(email=email)
            await self._offer(work, user, purpose, now=now)

    async def _offer(self, work: Work, user: User | None, purpose: Purpose, *, now: datetime) -> None:
        lately = await self._lately(work, user, purpose, now=now)
        if user is not None and self.identity_rules.sends(user, purpose, lately=lately):
            self._issue(work, user, purpose, now=now)
        else:
            token_id, token_hash = self._fresh()
            work.one_time_tokens.add(OneTimeToken.decoy(id=token_id, purpose=purpose, token_hash=token_hash, now=now))

    async def _warn(self, work: Work, user: User, *, now: datetime) -> None:
        """Tell the owner that somebody tried to sign up as them."""
        lately = await self._lately(work, user, Purpose.VERIFY_EMAIL, now=now)
        tell = not user.suspended and lately < self.identity_rules.letters_an_hour
        token_id, token_hash = self._fresh()
        work.one_time_tokens.add(
            OneTimeToken.decoy(
                id=token_id,
                purpose=Purpose.VERIFY_EMAIL,
                token_hash=token_hash,
                now=now,
                user_id=user.id if tell else None,
            )
        )
        if tell:
            work.schedule(SignUpRepeated(user_id=user.id), about=user, at=now)

    def _issue(self, work: Work, user: User, purpose: Purpose, *, now: datetime) -> None:
        token_id, token_hash = self._fresh()
        work.one_time_tokens.add(
            OneTimeToken.issue(
                id=token_id,
                user_id=user.id,
                epoch=user.epoch,
                purpose=purpose,
                token_hash=token_hash,
                lifetime=self.identity_rules.lifetime(purpose),
                now=now,
            )
        )

    def _fresh(self) -> tuple[OneTimeTokenId, str]:
        token_id = OneTimeTokenId(self.ids.new())
        return token_id, self.one_time_secrets.digest(self.one_time_secrets.secret(token_id))

    async def _lately(self, work: Work, user: User | None, purpose: Purpose, *, now: datetime) -> int:
        sent = await work.one_time_tokens.find(
            user_id=user.id if user else NOBODY,
            purpose=purpose,
            created_at=Between(now - timedelta(hours=1)),
            limit=self.identity_rules.letters_an_hour,
        )
        return len(sent)


async def spend(work: Work, digest: str, purpose: Purpose, *, now: datetime) -> User:
    """Use up the link of that digest; the user it was sent to. All that does not work refuses alike."""
    token = await work.one_time_tokens.first(token_hash=digest, purpose=purpose)
    if token is None:
        raise BadLink
    user = await work.users.get(token.must_be_fresh(now=now))
    token.use(epoch=user.epoch, now=now)
    return user


@asynccontextmanager
async def watched(log: SecurityLog, actor: Actor, client: Client, *, purpose: Purpose) -> AsyncIterator[None]:
    """Links that do not work leave a trace: somebody may be guessing."""
    try:
        yield
    except BadLink as refusal:
        await log.note("link.refused", actor=actor, ip=client.ip, details={"purpose": purpose, "code": refusal.code})
        raise
