"""Users of other issuers: who they are here, from the first time they are seen."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.identity import Accounts, BearerTokens, ForeignClaims, ForeignState
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.identity import (
    AccessEnded,
    AccountSuspended,
    BadEmail,
    BadToken,
    EmailTaken,
    ExternalIdentity,
    IdentityRules,
    IdentityTaken,
    TokenExpired,
    User,
    email_address,
)
from domain.profiles import Particulars, Profile
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor
from domain.shared.errors import Conflict, Invalid, Refusal, Unauthenticated, Unavailable
from domain.shared.ids import ExternalIdentityId, UserId

SEEN_EVERY = timedelta(hours=1)
"""How exactly we remember when somebody was last here: noting it is a write, and requests are mostly reads."""
NAMELESS = "Somebody"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetsForeigners:
    """What use cases share that meet somebody whom another issuer vouches for."""

    begin: Begin
    clock: Clock
    ids: Ids
    accounts: Accounts
    identity_rules: IdentityRules

    async def _meet(self, claims: ForeignClaims) -> Actor:
        """Who they are here, by one read; whoever is here for the first time becomes a user."""
        if claims.nobody:
            return ANONYMOUS
        state = await self.accounts.foreign(claims.issuer, claims.subject) or await self._welcome(claims)
        if state.ended:
            raise AccessEnded
        if state.suspended:
            raise AccountSuspended
        if self._is_news(claims, state):
            await self._catch_up(claims)
        return Actor(user_id=state.user_id, role=state.role)

    async def _welcome(self, claims: ForeignClaims) -> ForeignState:
        """Of many first requests at once one makes the user; the others find them."""
        with suppress(IdentityTaken):
            try:
                await self._enter(claims)
            except EmailTaken:
                # Somebody took the address meanwhile: the second run leaves it with them.
                await self._enter(claims)
        state = await self.accounts.foreign(claims.issuer, claims.subject)
        if state is None:
            raise Unavailable("you could not be let in just now; try again")
        return state

    async def _enter(self, claims: ForeignClaims) -> None:
        now, address = self.clock.now(), named_address(claims)
        identity_id = ExternalIdentityId(self.ids.new())
        confirmed = claims.email_verified and address is not None
        async with self.begin(SYSTEM) as work:
            if await work.external_identities.first(issuer=claims.issuer, subject=claims.subject):
                raise IdentityTaken
            present = await work.users.first(email=address) if confirmed else None
            told: dict[str, Any] = {
                "issuer": claims.issuer,
                "subject": claims.subject,
                "email": address,
                "email_verified": confirmed,
            }
            if present and self.identity_rules.tokens_join_by_address and present.verified:
                work.guard(present)
                work.external_identities.add(ExternalIdentity.joined(id=identity_id, user=present, now=now, **told))
                return
            user = User.arrive(
                id=UserId(self.ids.new()), email=address if confirmed and present is None else None, now=now
            )
            work.users.add(user)
            work.profiles.add(Profile.begin(id=user.id, particulars=particulars(claims.display_name), now=now))
            work.external_identities.add(ExternalIdentity.first_seen(id=identity_id, user=user, now=now, **told))

    def _is_news(self, claims: ForeignClaims, state: ForeignState) -> bool:
        """A token that names no address takes none back, and one that does not vouch for it does not unsay what the
        issuer said elsewhere."""
        if not timedelta() <= self.clock.now() - state.last_seen_at < SEEN_EVERY:
            return True
        address = named_address(claims)
        if address is None or (address, claims.email_verified) == (state.email, state.email_verified):
            return False
        return address != state.email or claims.email_verified

    async def _catch_up(self, claims: ForeignClaims) -> None:
        """Beside the request: whoever is in the way, the next request of theirs does it."""
        with suppress(Conflict, Unavailable):
            async with self.begin(SYSTEM) as work:
                identity = await work.external_identities.first(issuer=claims.issuer, subject=claims.subject)
                if identity is None or identity.ended:
                    return
                identity.seen(now=self.clock.now())
                if (address := named_address(claims)) is not None:
                    same = address == identity.email
                    identity.tell(
                        email=address, email_verified=claims.email_verified or (same and identity.email_verified)
                    )
                await give_address(work, identity, clock=self.clock)


async def give_address(work: Work, identity: ExternalIdentity, *, clock: Clock) -> None:
    """The address an issuer has confirmed becomes its user's, if they have none and nobody else has it."""
    if not identity.email_verified or identity.email is None:
        return
    user = await work.users.get(identity.user_id)
    if user.email is None and await work.users.first(email=identity.email) is None:
        user.take_address(identity.email, now=clock.now())


def named_address(claims: ForeignClaims) -> str | None:
    """The address a token names, as it is kept; None where it names none that mail could reach."""
    return readable_address(claims.email)


def readable_address(said: str | None) -> str | None:
    """An address as it is kept; None where there is none, or no mail could reach it."""
    try:
        return None if said is None else email_address(said)
    except BadEmail:
        return None


def particulars(display_name: str) -> Particulars:
    """What a newcomer's profile says: their name, where the issuer told one that can be shown."""
    with suppress(Invalid):
        return Particulars(name=display_name[:120])
    return Particulars(name=NAMELESS)


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
        address = named_address(claims)
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
