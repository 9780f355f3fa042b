"""Linking: an account elsewhere becomes another way in, by whoever holds both."""

from dataclasses import dataclass
from typing import ClassVar

from application.identity.foreigners import address_of
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.identity import BearerTokens, ForeignClaims
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.identity import BadToken, ExternalIdentity, IdentityTaken, TokenExpired
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unauthenticated, Unavailable
from domain.shared.ids import ExternalIdentityId


@submitted
class ForeignToken:
    """What you hold of another account of yours."""

    access_token: str
    """An access token of another issuer that this house accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkIdentity:
    """Sign in here by another issuer's account too from now on. You prove that it is yours with one of its tokens; an
    account that has been used here before belongs to the user it made."""

    begin: Begin
    clock: Clock
    ids: Ids
    bearer_tokens: BearerTokens
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        BadToken,
        TokenExpired,
        IdentityTaken,
        Unavailable,
    )

    async def __call__(self, actor: Actor, token: ForeignToken) -> ExternalIdentity:
        user_id = actor.signed_in()
        claims = await self.bearer_tokens.verify(token.access_token)
        if not isinstance(claims, ForeignClaims) or claims.nobody:
            raise BadToken
        address = address_of(claims)
        async with self.begin(actor) as work:
            known = await work.external_identities.first(issuer=claims.issuer, subject=claims.subject)
            if known is not None:
                if known.user_id != user_id:
                    raise IdentityTaken
                return work.answer(known)
            identity = ExternalIdentity.link(
                id=ExternalIdentityId(self.ids.new()),
                user=await work.users.get(user_id),
                by=actor,
                issuer=claims.issuer,
                subject=claims.subject,
                email=address,
                email_verified=claims.email_verified and address is not None,
                now=self.clock.now(),
            )
            work.external_identities.add(identity)
            return work.answer(identity)
