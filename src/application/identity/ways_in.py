"""The other ways in of somebody who is signed in: which there are, one more, and one less."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.identity.oauth import Voucher, claimed
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.ids import Ids
from application.ports.oauth import FlowSecrets
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.identity import BadFlow, ExternalIdentity, IdentityTaken, LastWayIn, Origin
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import ExternalIdentityId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityView:
    """An account elsewhere, as its user here sees it."""

    source: ClassVar[str] = "external_identities"
    id: ExternalIdentityId
    user_id: UserId
    issuer: str
    subject: str
    origin: Origin
    email: str | None
    email_verified: bool
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListIdentities:
    """The accounts elsewhere by which you sign in here, the newest first."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor, *, after: Position | None = None, limit: int = 50) -> Page[IdentityView]:
        where = {"user_id": actor.signed_in(), "ended_at": None}
        newest = Order("created_at", descending=True)
        return await self.readers.page(actor, IdentityView, where, order=newest, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkProvider:
    """Sign in here by way of a provider too from now on. You prove that the account there is yours with the code its
    sign-in came back with; whatever its address, it becomes another way in to the account you are signed in to."""

    begin: Begin
    clock: Clock
    ids: Ids
    flow_secrets: FlowSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, BadFlow, IdentityTaken)

    async def __call__(self, actor: Actor, voucher: Voucher) -> ExternalIdentity:
        user_id, now = actor.signed_in(), self.clock.now()
        async with self.begin(actor) as work:
            _, stranger = await claimed(work, voucher, self.flow_secrets, now=now)
            known = await work.external_identities.first(issuer=stranger.issuer, subject=stranger.subject)
            if known is not None:
                if known.user_id != user_id:
                    raise IdentityTaken
                return work.answer(known)
            identity = ExternalIdentity.link(
                id=ExternalIdentityId(self.ids.new()),
                user=await work.users.get(user_id),
                by=actor,
                issuer=stranger.issuer,
                subject=stranger.subject,
                email=stranger.email,
                email_verified=stranger.email_verified and stranger.email is not None,
                now=now,
            )
            work.external_identities.add(identity)
            return work.answer(identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkIdentity:
    """Sign in by that account elsewhere no longer. The last way in stays."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, LastWayIn)

    async def __call__(self, actor: Actor, identity_id: ExternalIdentityId) -> None:
        user_id = actor.signed_in()
        async with self.begin(actor) as work:
            identity = await work.external_identities.get(identity_id)
            if identity.user_id != user_id:
                raise NotFound.of("external identity", identity_id)
            user = await work.users.get(user_id)
            others = await work.external_identities.find(user_id=user_id, ended_at=None)
            ways = len([each for each in others if each.id != identity_id])
            ways += await work.credentials.first(id=user_id) is not None
            user.unlink(identity.issuer, others=ways)
            work.external_identities.remove(identity)
