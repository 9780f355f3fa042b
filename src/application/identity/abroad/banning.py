"""Whom the house has suspended is banned where the account is kept, and let in again with the house; whom it has
deleted is deleted there. Access ends here at once; this ends what could be begun elsewhere, as soon as somebody answers
there."""

from dataclasses import dataclass
from typing import ClassVar

from application.ports.identity_provider import ForeignUsers
from application.ports.unit_of_work import Begin
from domain.identity import UserDeleted, UserRestored, UserSuspended
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unavailable
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class _KnowsAccounts:
    begin: Begin
    foreign_users: ForeignUsers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unavailable,)

    async def _subjects(self, actor: Actor, user_id: UserId) -> list[str]:
        """Who this user is there."""
        issuer = self.foreign_users.issuer
        if not issuer:
            return []
        async with self.begin(actor) as work:
            return [each.subject for each in await work.external_identities.find(user_id=user_id, issuer=issuer)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BanAbroad(_KnowsAccounts):
    """Nobody signs in to a suspended user's account elsewhere."""

    async def __call__(self, actor: Actor, event: UserSuspended) -> None:
        for subject in await self._subjects(actor, event.user_id):
            await self.foreign_users.ban(subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreAbroad(_KnowsAccounts):
    """A restored user's account elsewhere may be signed in to again."""

    async def __call__(self, actor: Actor, event: UserRestored) -> None:
        for subject in await self._subjects(actor, event.user_id):
            await self.foreign_users.restore(subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAbroad(_KnowsAccounts):
    """A deleted user's account elsewhere is deleted too."""

    async def __call__(self, actor: Actor, event: UserDeleted) -> None:
        for subject in await self._subjects(actor, event.user_id):
            await self.foreign_users.delete(subject)
