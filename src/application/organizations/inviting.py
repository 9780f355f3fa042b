"""Invitations: written to an address, and answered by its owner alone, with or without an account."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.identity.enrolment import enrol
from application.inputs import submitted
from application.parties import theirs
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.identity import OneTimeSecrets, PasswordHasher, SecurityLog
from application.ports.ids import Ids
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin, Work
from domain.identity import (
    AccountSuspended,
    BadEmail,
    EmailTaken,
    IdentityRules,
    User,
    WeakPassword,
    email_address,
)
from domain.organizations import (
    AlreadyInvited,
    AlreadyMember,
    BadInvitation,
    Invitation,
    InvitationDue,
    InvitationState,
    InvitedSomebodyElse,
    MayNotManage,
    MemberRole,
    Membership,
    NoAccountYet,
    Permission,
    TooManyInvitations,
)
from domain.organizations.invitation import MOST_PENDING
from domain.profiles import BadLocale, Particulars
from domain.shared.actors import Actor, Role
from domain.shared.errors import Invalid, NotFound, Refusal, Unauthenticated, Unavailable
from domain.shared.ids import InvitationId, MembershipId, OneTimeTokenId, OrganizationId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView:
    """An invitation, as those who manage the organization see it."""

    source: ClassVar[str] = "invitations"
    id: InvitationId
    version: int
    organization_id: OrganizationId
    email: str
    role: MemberRole
    invited_by: UserId | None
    state: InvitationState
    accepted_by: UserId | None
    expires_at: datetime
    answered_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationCard:
    """What the holder of an invitation is shown before they answer; `has_account` says whether its address has one."""

    organization_id: OrganizationId
    organization_name: str
    email: str
    role: MemberRole
    expires_at: datetime
    has_account: bool


@submitted
class NewInvitation:
    """Who shall be invited, and as what."""

    email: str
    """The address to write to; it need not have an account."""
    role: MemberRole = MemberRole.MEMBER
    """What they shall be there. Managers invite members, owners anybody."""


@submitted
class InvitationFilter:
    """Which invitations."""

    state: InvitationState | None = None
    """Only those that wait, or that ended in this way."""


@submitted
class InvitationLink:
    """What the letter carries."""

    token: str
    """The secret part of the link."""


@submitted
class Joining:
    """Who joins, having no account yet."""

    token: str
    """The secret part of the invitation's link."""
    name: str
    """What others call you."""
    password: str
    """At least 10 characters; not your address, and not what everybody tries first."""
    locale: str = "en"
    """The language you read."""
    zone: str = "UTC"
    """Your IANA time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteMember:
    """Invite somebody to an organization by mail. The letter's link works once, for seven days, and for the owner of
    that address only, who may have an account or sign up with it."""

    begin: Begin
    clock: Clock
    ids: Ids
    one_time_secrets: OneTimeSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        MayNotManage,
        NotFound,
        BadEmail,
        AlreadyMember,
        AlreadyInvited,
        TooManyInvitations,
    )

    async def __call__(self, actor: Actor, organization_id: OrganizationId, new: NewInvitation) -> Invitation:
        now, invitation_id = self.clock.now(), InvitationId(self.ids.new())
        secret = self.one_time_secrets.secret(OneTimeTokenId(invitation_id))
        async with self.begin(actor) as work:
            organization, standing = await theirs(work, actor, organization_id)
            invitation = Invitation.send(
                id=invitation_id,
                organization_id=organization.id,
                email=email_address(new.email),
                role=new.role,
                by=standing,
                invited_by=actor.user_id,
                token_hash=self.one_time_secrets.digest(secret),
                now=now,
            )
            await _must_be_new(work, invitation, now=now)
            work.invitations.add(invitation)
            work.schedule(InvitationDue(invitation_id=invitation.id), about=invitation, at=invitation.expires_at)
            return work.answer(invitation)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInvitations:
    """The invitations of an organization, the newest first, for those who manage it."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self,
        actor: Actor,
        organization_id: OrganizationId,
        wanted: InvitationFilter = InvitationFilter(),
        *,
        after: Position | None = None,
        limit: int = 50,
    ) -> Page[InvitationView]:
        if not actor.is_admin:
            actor.signed_in()
        where: dict[str, object] = {"organization_id": organization_id}
        if wanted.state is not None:
            where["state"] = wanted.state
        order = Order("created_at", descending=True)
        return await self.readers.page(actor, InvitationView, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvitation:
    """Take an invitation back while nobody has answered it; its link is worthless from then on."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound, BadInvitation)

    async def __call__(self, actor: Actor, organization_id: OrganizationId, invitation_id: InvitationId) -> Invitation:
        async with self.begin(actor) as work:
            _, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.INVITE)
            invitation = await work.invitations.get(invitation_id)
            if invitation.organization_id != organization_id:
                raise NotFound.of("invitation", invitation_id)
            invitation.revoke(by=standing, now=self.clock.now())
            return work.answer(invitation)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvitation:
    """Look at an invitation with the secret of its letter. Looking changes nothing, for mail scanners look too."""

    begin: Begin
    clock: Clock
    one_time_secrets: OneTimeSecrets
    security_log: SecurityLog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadInvitation,)

    async def __call__(self, actor: Actor, link: InvitationLink) -> InvitationCard:
        try:
            async with self.begin(actor) as work:
                invitation = await _held(work, self.one_time_secrets, link.token)
                invitation.must_wait(now=self.clock.now())
                organization = await work.organizations.get(invitation.organization_id)
                owner = await work.users.first(email=invitation.email)
        except BadInvitation as refusal:
            await self.security_log.note("invitation.refused", actor=actor, details={"code": refusal.code})
            raise
        return InvitationCard(
            organization_id=organization.id,
            organization_name=organization.name,
            email=invitation.email,
            role=invitation.role,
            expires_at=invitation.expires_at,
            has_account=owner is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInvitation:
    """Join the organization that invited you. Signed in, you must be the owner of the address it was sent to; not
    signed in, whoever holds the letter reads the mail of that address, and its owner joins."""

    begin: Begin
    clock: Clock
    ids: Ids
    one_time_secrets: OneTimeSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadInvitation,
        InvitedSomebodyElse,
        NoAccountYet,
        AlreadyMember,
        AccountSuspended,
    )

    async def __call__(self, actor: Actor, link: InvitationLink) -> Membership:
        now = self.clock.now()
        async with self.begin(actor) as work:
            invitation = await _held(work, self.one_time_secrets, link.token)
            invitation.must_wait(now=now)
            if actor.user_id is not None:
                user = await work.users.get(actor.user_id)
            elif (owner := await work.users.first(email=invitation.email)) is not None:
                user = owner
            else:
                raise NoAccountYet
            return await _join(work, invitation, user, ids=self.ids, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinByInvitation:
    """Sign up with an invitation, and join the organization it came from. The address counts as confirmed: the letter
    arrived there."""

    begin: Begin
    clock: Clock
    ids: Ids
    one_time_secrets: OneTimeSecrets
    passwords: PasswordHasher
    identity_rules: IdentityRules
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadInvitation,
        EmailTaken,
        WeakPassword,
        BadLocale,
        Invalid,
        Unavailable,
    )

    async def __call__(self, actor: Actor, joining: Joining) -> Membership:
        now = self.clock.now()
        async with self.begin(actor) as work:
            email = (await _waiting(work, self.one_time_secrets, joining.token, now=now)).email
        self.identity_rules.passwords.judge(joining.password, email=email)
        particulars = Particulars(name=joining.name, locale=joining.locale, zone=joining.zone)
        password_hash = await self.passwords.hash(joining.password)
        async with self.begin(actor) as work:
            invitation = await _waiting(work, self.one_time_secrets, joining.token, now=now)
            if await work.users.first(email=invitation.email):
                raise EmailTaken
            user = User.create(id=UserId(self.ids.new()), email=email, role=Role.PROVIDER, now=now)
            enrol(work, user, password_hash=password_hash, particulars=particulars, ids=self.ids, now=now, alone=False)
            return await _join(work, invitation, user, ids=self.ids, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineInvitation:
    """Say no to an invitation, with the secret of its letter; whoever invited hears of it."""

    begin: Begin
    clock: Clock
    one_time_secrets: OneTimeSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadInvitation,)

    async def __call__(self, actor: Actor, link: InvitationLink) -> None:
        async with self.begin(actor) as work:
            invitation = await _held(work, self.one_time_secrets, link.token)
            invitation.decline(now=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireInvitation:
    """An invitation nobody answered is over when its time is."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, event: InvitationDue) -> None:
        async with self.begin(actor) as work:
            invitation = await work.invitations.get(event.invitation_id)
            invitation.expire(now=self.clock.now())


async def _held(work: Work, secrets: OneTimeSecrets, token: str) -> Invitation:
    """The invitation whose letter carries that secret, whatever became of it."""
    invitation = await work.invitations.first(token_hash=secrets.digest(token))
    if invitation is None:
        raise BadInvitation
    return invitation


async def _waiting(work: Work, secrets: OneTimeSecrets, token: str, *, now: datetime) -> Invitation:
    invitation = await _held(work, secrets, token)
    invitation.must_wait(now=now)
    return invitation


async def _must_be_new(work: Work, invitation: Invitation, *, now: datetime) -> None:
    """Nobody is invited twice, or where they belong already; what ran out without the worker noticing makes room."""
    organization_id = invitation.organization_id
    user = await work.users.first(email=invitation.email)
    if user and await work.memberships.first(organization_id=organization_id, user_id=user.id):
        raise AlreadyMember
    pending = await work.invitations.find(organization_id=organization_id, state=InvitationState.PENDING)
    for other in pending:
        other.expire(now=now)
    waiting = [other for other in pending if other.state is InvitationState.PENDING]
    if any(other.email == invitation.email for other in waiting):
        raise AlreadyInvited
    if len(waiting) >= MOST_PENDING:
        raise TooManyInvitations(MOST_PENDING)


async def _join(work: Work, invitation: Invitation, user: User, *, ids: Ids, now: datetime) -> Membership:
    """The invited user becomes a member, all in one commit."""
    user.must_be_welcome()
    invitation.accept(user_id=user.id, email=user.email or "", now=now)
    if present := await work.memberships.first(organization_id=invitation.organization_id, user_id=user.id):
        return work.answer(present)  # somebody added them meanwhile; the letter is used up all the same
    organization = await work.organizations.get(invitation.organization_id)
    organization.admit(invitation.role)
    user.verify_email(now=now)
    user.take_up_work()
    membership = Membership.join(
        id=MembershipId(ids.new()),
        organization_id=organization.id,
        user_id=user.id,
        role=invitation.role,
        now=now,
    )
    work.memberships.add(membership)
    return work.answer(membership)
