"""Users of other issuers: who they are here, from the first time they are seen, and kept in step from then on."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.identity.enrolment import join, receive
from application.ports.clock import Clock
from application.ports.identity import Accounts, ForeignClaims, ForeignState, IdentityNews
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.identity import (
    AccessEnded,
    AccountSuspended,
    BadEmail,
    EmailTaken,
    ExternalIdentity,
    IdentityRules,
    IdentityTaken,
    Origin,
    Stranger,
    User,
    email_address,
)
from domain.profiles import Particulars
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Conflict, Invalid, Unavailable

SEEN_EVERY = timedelta(hours=1)
"""How exactly we remember when somebody was last here: noting it is a write, and requests are mostly reads."""
NAMELESS = "Somebody"

Said = ForeignClaims | IdentityNews | Stranger
"""What an issuer says of somebody, in a token of theirs, in a message to us, or when we ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetsForeigners:
    """What use cases share that meet somebody whom another issuer vouches for."""

    begin: Begin
    clock: Clock
    ids: Ids
    accounts: Accounts
    identity_rules: IdentityRules

    async def _meet(self, claims: ForeignClaims, token: str) -> Actor:
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
        return Actor(user_id=state.user_id, role=state.role, proof=token)

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
        async with self.begin(SYSTEM) as work:
            await enter(work, claims, rules=self.identity_rules, ids=self.ids, now=self.clock.now())

    def _is_news(self, claims: ForeignClaims, state: ForeignState) -> bool:
        """A token that names no address takes none back, and one that does not vouch for it does not unsay what the
        issuer said elsewhere."""
        if not timedelta() <= self.clock.now() - state.last_seen_at < SEEN_EVERY:
            return True
        address = address_of(claims)
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
                address = address_of(claims)
                if address is not None and (address != identity.email or claims.email_verified):
                    await keep_in_step(work, identity, claims, now=self.clock.now())


async def enter(work: Work, said: Said, *, rules: IdentityRules, ids: Ids, now: datetime) -> ExternalIdentity:
    """The identity of somebody new, and with it their user; see `arrive`."""
    identity, _ = await arrive(work, said, rules=rules, ids=ids, now=now)
    return identity


async def arrive(
    work: Work, said: Said, *, rules: IdentityRules, ids: Ids, now: datetime
) -> tuple[ExternalIdentity, User]:
    """Somebody new, as identity and user: one who comes into being, or by the rules of the house the one who has the
    same address, where both sides have confirmed it. `IdentityTaken` for who is not new."""
    if await work.external_identities.first(issuer=said.issuer, subject=said.subject):
        raise IdentityTaken
    address = address_of(said)
    confirmed = said.email_verified and address is not None
    present = await work.users.first(email=address) if confirmed else None
    if address is not None and present is not None and present.verified and rules.tokens_join_by_address:
        return join(work, present, said, address, ids=ids, now=now), present
    free = address if confirmed and present is None else None
    told = _Believed(said.issuer, said.subject, address, confirmed)
    particulars = _particulars(said.display_name)
    return receive(work, told, address=free, role=Role.CUSTOMER, particulars=particulars, ids=ids, now=now)


@dataclass(frozen=True, slots=True)
class _Believed:
    """What counts of what an issuer said: an address that could be none is none."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool


async def keep_in_step(
    work: Work, identity: ExternalIdentity, said: Said, *, now: datetime, at: datetime | None = None
) -> None:
    """What the issuer says now. A confirmed address becomes its user's if nobody else has it; a name is taken only
    where nobody has given one: what people say of themselves here stays."""
    before = identity.email
    identity.tell(email=address_of(said), email_verified=said.email_verified, at=at)
    user: User = await work.users.get(identity.user_id)
    if identity.email_verified and identity.email is not None and await _is_from_there(work, user, identity, before):
        await _hand_over(work, user, identity.email, now=now)
    profile = await work.profiles.first(id=user.id)
    if profile is not None and profile.name == NAMELESS and said.display_name:
        profile.update(name=_particulars(said.display_name).name, now=now)


async def _is_from_there(work: Work, user: User, identity: ExternalIdentity, before: str | None) -> bool:
    """Whether this issuer decides about the user's address: they have none, or came by it and have no password here,
    so that nobody signs in by the address."""
    if user.email is None:
        return True
    same = user.email == before and identity.origin is Origin.FIRST_SIGHT
    return same and await work.credentials.first(id=user.id) is None


async def _hand_over(work: Work, user: User, address: str, *, now: datetime) -> None:
    if await work.users.first(email=address) is None:
        user.take_address(address, now=now)


def address_of(said: Said) -> str | None:
    """The address an issuer names, as it is kept; None where it names none that mail could reach."""
    try:
        return None if said.email is None else email_address(said.email)
    except BadEmail:
        return None


def _particulars(display_name: str) -> Particulars:
    """What a newcomer's profile says: their name, where the issuer told one that can be shown."""
    with suppress(Invalid):
        return Particulars(name=display_name[:120])
    return Particulars(name=NAMELESS)
