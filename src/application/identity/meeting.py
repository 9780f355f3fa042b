"""Who a stranger is here: somebody we know by that identity, somebody with that address, or a new user.

An address counts only if whoever vouches for it has confirmed it. An account whose address nobody had confirmed so far
may have been made by anyone, to lie in wait: whoever proves to own the address gets the account, and everything by
which its maker could come in is taken away.
"""

from datetime import datetime, timedelta

from application.identity.closing import close_all
from application.identity.enrolment import set_up_alone
from application.ports.ids import Ids
from application.ports.unit_of_work import Work
from domain.identity import AccessEnded, EndReason, ExternalIdentity, IdentityRules, SignInFirst, Stranger, User
from domain.profiles import Particulars, Profile
from domain.shared.actors import Role
from domain.shared.errors import Invalid
from domain.shared.ids import ExternalIdentityId, UserId

_LATELY = timedelta(hours=1)


async def meet(
    work: Work, stranger: Stranger, *, rules: IdentityRules, ids: Ids, now: datetime, role: Role | None = None
) -> User:
    """The user this stranger is. Of two first sights at once one finds its identity or address taken (`IdentityTaken`,
    `EmailTaken`), and is run again. `role` is what somebody who may say so wants a new user to be."""
    known = await work.external_identities.first(issuer=stranger.issuer, subject=stranger.subject)
    if known is not None:
        if known.ended:
            raise AccessEnded
        _note(known, stranger, now=now)
        user: User = await work.users.get(known.user_id)
        user.must_be_welcome()
        return user
    address = stranger.address
    present = await work.users.first(email=address)
    if present is None:
        user = _arrive(work, stranger, address, role=role or stranger.wish, ids=ids, now=now)
    else:
        user = present
        user.must_be_welcome()
        if not user.verified:
            await claim(work, user, stranger, now=now)
        elif not rules.joins_by_address:
            raise SignInFirst
    belong = ExternalIdentity.first_seen if present is None else ExternalIdentity.joined
    identity = belong(
        id=ExternalIdentityId(ids.new()),
        user=user,
        issuer=stranger.issuer,
        subject=stranger.subject,
        email=address,
        email_verified=True,
        now=now,
    )
    work.external_identities.add(identity)
    return user


async def claim(work: Work, user: User, stranger: Stranger, *, now: datetime) -> None:
    """The account of an address nobody had confirmed goes to its owner: whoever made it loses password, sessions,
    links and every other way in, and what they said of themselves is forgotten."""
    user.verify_email(now=now)
    user.end_sessions()
    await close_all(work, user, EndReason.CLAIMED, now=now)
    for credential in await work.credentials.find(id=user.id):
        work.credentials.remove(credential)
    for identity in await work.external_identities.find(user_id=user.id):
        work.external_identities.remove(identity)
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


def _note(known: ExternalIdentity, stranger: Stranger, *, now: datetime) -> None:
    """What its issuer says now, and that it was here; not at every turn, so that most of them write nothing."""
    if (known.email, known.email_verified) != (stranger.email, stranger.email_verified):
        known.tell(email=stranger.email, email_verified=stranger.email_verified)
    if now - known.last_seen_at >= _LATELY:
        known.seen(now=now)


def _arrive(work: Work, stranger: Stranger, address: str, *, role: Role, ids: Ids, now: datetime) -> User:
    user = User.arrive(id=UserId(ids.new()), email=address, role=role, now=now)
    said = particulars(stranger)
    work.users.add(user)
    work.profiles.add(Profile.begin(id=user.id, particulars=said, now=now))
    if user.role is Role.PROVIDER:
        set_up_alone(work, user.id, name=said.name, ids=ids, now=now)
    return user
