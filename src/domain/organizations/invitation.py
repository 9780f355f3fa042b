"""Invitations: a letter to one address, by which whoever is reached there may join an organization, once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domain.organizations.permissions import MemberRole, Permission, Standing
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden, Invalid
from domain.shared.ids import InvitationId, OrganizationId, UserId

LASTS = timedelta(days=7)
MOST_PENDING = 50
"""Invitations of one organization that wait for an answer; a business mails its people, not the world."""


class InvitationState(StrEnum):
    """An invitation waits, and then is over in one of four ways."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"


class AlreadyInvited(Conflict):
    """That address has an invitation to this organization that waits for its answer."""

    code = "invitation.already_invited"

    def __init__(self) -> None:
        super().__init__("this address is invited already; revoke that invitation to write another")


class TooManyInvitations(Conflict):
    """As many invitations wait for an answer as one organization may have out."""

    code = "invitation.too_many"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} invitations wait for an answer; revoke some first", most=most)


class BadInvitation(Invalid):
    """One answer for an invitation that never was, was answered or revoked, or has expired."""

    code = "invitation.bad_link"

    def __init__(self) -> None:
        super().__init__("this invitation is not valid, has expired, or was answered already", field="token")


class InvitedSomebodyElse(Forbidden):
    """An invitation is for the address it was sent to, and for nobody else who holds it."""

    code = "invitation.somebody_else"

    def __init__(self) -> None:
        super().__init__("this invitation was sent to another address; sign in as its owner")


class NoAccountYet(Conflict):
    """Nobody has an account with the invited address; they sign up with the invitation."""

    code = "invitation.no_account"

    def __init__(self) -> None:
        super().__init__("there is no account with this address yet; sign up with the invitation")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationSent(Event):
    """Somebody is to be written to."""

    name: ClassVar[str] = "invitation.sent"
    invitation_id: InvitationId
    organization_id: OrganizationId
    role: MemberRole


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationAccepted(Event):
    """Whoever was invited has joined."""

    name: ClassVar[str] = "invitation.accepted"
    invitation_id: InvitationId
    organization_id: OrganizationId
    user_id: UserId
    invited_by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationDeclined(Event):
    """Whoever was invited does not want to join."""

    name: ClassVar[str] = "invitation.declined"
    invitation_id: InvitationId
    organization_id: OrganizationId
    invited_by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRevoked(Event):
    """The organization has thought better of it."""

    name: ClassVar[str] = "invitation.revoked"
    invitation_id: InvitationId
    organization_id: OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationExpired(Event):
    """Nobody answered in time."""

    name: ClassVar[str] = "invitation.expired"
    invitation_id: InvitationId
    organization_id: OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationDue(Event):
    """Scheduled: an invitation's time is over; if it still waits, it expires."""

    name: ClassVar[str] = "invitation.due"
    invitation_id: InvitationId


@dataclass(eq=False, slots=True, kw_only=True)
class Invitation(Aggregate):
    """That an organization would have the owner of `email` as a member. It is answered with the secret of its letter,
    of which only a digest is kept, and by nobody but the owner of that address."""

    id: InvitationId
    organization_id: OrganizationId
    email: str
    role: MemberRole
    invited_by: UserId | None
    token_hash: str
    state: InvitationState = InvitationState.PENDING
    accepted_by: UserId | None = None
    expires_at: datetime
    answered_at: datetime | None = None
    created_at: datetime

    @classmethod
    def send(
        cls,
        *,
        id: InvitationId,
        organization_id: OrganizationId,
        email: str,
        role: MemberRole,
        by: Standing,
        invited_by: UserId | None,
        token_hash: str,
        now: datetime,
    ) -> "Invitation":
        """Invite the owner of that address; as more than a member only who may appoint."""
        by.must(Permission.INVITE if role is MemberRole.MEMBER else Permission.APPOINT)
        invitation = cls(
            id=id,
            organization_id=organization_id,
            email=email,
            role=role,
            invited_by=invited_by,
            token_hash=token_hash,
            expires_at=now + LASTS,
            created_at=now,
        )
        invitation._record(InvitationSent(invitation_id=id, organization_id=organization_id, role=role))
        return invitation

    def must_wait(self, *, now: datetime) -> None:
        """Refuse, in the one way there is, an invitation that can no longer be answered."""
        if self.state is not InvitationState.PENDING or now >= self.expires_at:
            raise BadInvitation

    def accept(self, *, user_id: UserId, email: str, now: datetime) -> None:
        """The owner of the address joins, as that user."""
        self.must_wait(now=now)
        if email != self.email:
            raise InvitedSomebodyElse
        self._end(InvitationState.ACCEPTED, now=now)
        self.accepted_by = user_id
        self._record(
            InvitationAccepted(
                invitation_id=self.id,
                organization_id=self.organization_id,
                user_id=user_id,
                invited_by=self.invited_by,
            )
        )

    def decline(self, *, now: datetime) -> None:
        """Whoever was reached does not want to."""
        self.must_wait(now=now)
        self._end(InvitationState.DECLINED, now=now)
        self._record(
            InvitationDeclined(invitation_id=self.id, organization_id=self.organization_id, invited_by=self.invited_by)
        )

    def revoke(self, *, by: Standing, now: datetime) -> None:
        """Take it back while nobody has answered; its link is worthless from now on."""
        by.must(Permission.INVITE if self.role is MemberRole.MEMBER else Permission.APPOINT)
        if self.state is not InvitationState.PENDING:
            raise BadInvitation
        self._end(InvitationState.REVOKED, now=now)
        self._record(InvitationRevoked(invitation_id=self.id, organization_id=self.organization_id))

    def expire(self, *, now: datetime) -> None:
        """Its time is over; one that was answered stays as it was."""
        if self.state is InvitationState.PENDING and now >= self.expires_at:
            self._end(InvitationState.EXPIRED, now=now)
            self._record(InvitationExpired(invitation_id=self.id, organization_id=self.organization_id))

    def _end(self, state: InvitationState, *, now: datetime) -> None:
        self.state, self.answered_at = state, now
