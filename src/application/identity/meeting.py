"""Who a stranger is here: somebody we know by that identity, somebody with that address, or a new user.

An address counts only if whoever vouches for it has confirmed it. An account whose address nobody had confirmed so far
may have been made by anyone, to lie in wait: whoever proves to own the address gets the account, and everything by
which its maker could come in is taken away.
"""

from datetime import datetime

from application.identity.closing import dispossess
from application.identity.enrolment import join, receive
from application.identity.foreigners import SEEN_EVERY, address_of, keep_in_step
from application.ports.ids import Ids
from application.ports.unit_of_work import Work
from domain.identity import AccessEnded, ExternalIdentity, IdentityRules, SignInFirst, Stranger, User
from domain.profiles import Particulars
from domain.shared.actors import Role
from domain.shared.errors import Invalid


async def meet(work: Work, stranger: Stranger, *, rules: IdentityRules, ids: Ids, now: datetime) -> User:
    """The user this stranger is whom a provider vouches for. Of two first sights at once one finds its identity or
    address taken (`IdentityTaken`, `EmailTaken`), and is run again."""
    if known := await _known(work, stranger, now=now):
        identity, user = known
        identity.tell(email=stranger.email, email_verified=stranger.email_verified)
        return user
    address = stranger.address
    present = await work.users.first(email=address)
    if present is None:
        return _arrive(work, stranger, address, role=Role.CUSTOMER, ids=ids, now=now)
    present.must_be_welcome()
    if not present.verified:
        await claim(work, present, stranger, now=now)
    elif not rules.joins_by_address:
        raise SignInFirst
    join(work, present, stranger, address, ids=ids, now=now)
    return present


async def meet_abroad(
    work: Work, stranger: Stranger, *, rules: IdentityRules, ids: Ids, now: datetime, role: Role | None = None
) -> User:
    """The user this stranger is whose account is kept elsewhere. There everybody comes in whom that door lets in: whose
    address is not confirmed, or is somebody's here already, comes in without one. `role` is what somebody who may say
    so wants a new user to be; else it is what they came for."""
    if known := await _known(work, stranger, now=now):
        identity, user = known
        if (identity.email, identity.email_verified) != (stranger.email, stranger.email_verified):
            await keep_in_step(work, identity, stranger, now=now)
        return user
    address = address_of(stranger) if stranger.email_verified else None
    present = await work.users.first(email=address) if address else None
    if address is None or present is None:
        return _arrive(work, stranger, address, role=role or stranger.wish, ids=ids, now=now)
    if present.verified and not rules.tokens_join_by_address:
        return _arrive(work, stranger, None, role=role or stranger.wish, ids=ids, now=now)
    present.must_be_welcome()
    if not present.verified:
        await claim(work, present, stranger, now=now)
    join(work, present, stranger, address, ids=ids, now=now)
    return present


async def claim(work: Work, user: User, stranger: Stranger, *, now: datetime) -> None:
    """The account of an address nobody had confirmed goes to its owner: whoever made it loses password, sessions,
    links and every other way in, and what they said of themselves is forgotten."""
    user.verify_email(now=now)
    await dispossess(work, user, now=now)
    profile, said = await work.profiles.get(user.id), particulars(stranger)
    profile.update(
        name=said.name, headline="", bio="", avatar_url="", locale=said.locale, zone=said.zone, phone="", now=now
    )


def particulars(stranger: Stranger) -> Particulars:
    """What a stranger says of themselves, as far as it can be said here."""
    name = stranger.name or (stranger.email or "").partition("@")[0] or "somebody"
    try:
        return Particulars(name=name, locale=stranger.locale or "en", zone=stranger.zone or "UTC")
    except Invalid:
        return Particulars(name=(stranger.email or "somebody").partition("@")[0])


async def _known(work: Work, stranger: Stranger, *, now: datetime) -> tuple[ExternalIdentity, User] | None:
    """The identity and its user. That it was here is noted; not at every turn, so that most of them write nothing."""
    identity = await work.external_identities.first(issuer=stranger.issuer, subject=stranger.subject)
    if identity is None:
        return None
    if identity.ended:
        raise AccessEnded
    user: User = await work.users.get(identity.user_id)
    user.must_be_welcome()
    if now - identity.last_seen_at >= SEEN_EVERY:
        identity.seen(now=now)
    return identity, user


def _arrive(work: Work, stranger: Stranger, address: str | None, *, role: Role, ids: Ids, now: datetime) -> User:
    said = particulars(stranger)
    _, user = receive(work, stranger, address=address, role=role, particulars=said, ids=ids, now=now)
    return user
