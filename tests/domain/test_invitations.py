"""What is true of invitations."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.organizations import (
    THE_HOUSE,
    BadInvitation,
    Invitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRevoked,
    InvitationSent,
    InvitationState,
    InvitedSomebodyElse,
    MayNotManage,
    MemberRole,
    Standing,
)
from domain.organizations.invitation import LASTS
from domain.shared.ids import InvitationId, OrganizationId, UserId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BOB = UserId(UUID(int=1)), UserId(UUID(int=2))
GUILD, LETTER = OrganizationId(UUID(int=3)), InvitationId(UUID(int=4))
TOLD = {"invitation_id": LETTER, "organization_id": GUILD}


def invited(role: MemberRole = MemberRole.MEMBER, by: Standing = THE_HOUSE) -> Invitation:
    return Invitation.send(
        id=LETTER,
        organization_id=GUILD,
        email="bob@example.com",
        role=role,
        by=by,
        invited_by=ANN,
        token_hash="digest",
        now=NOW,
    )


def quiet() -> Invitation:
    invitation = invited()
    invitation.take_events()
    return invitation


def test_an_invitation_waits_for_a_week() -> None:
    invitation = invited()
    assert (invitation.state, invitation.expires_at, invitation.invited_by) == ("pending", NOW + LASTS, ANN)
    assert invitation.take_events() == [InvitationSent(**TOLD, role=MemberRole.MEMBER)]


def test_managers_invite_members_and_owners_anybody() -> None:
    manager, owner = Standing(MemberRole.MANAGER), Standing(MemberRole.OWNER)
    assert invited(by=manager).role is MemberRole.MEMBER
    for role in (MemberRole.MANAGER, MemberRole.OWNER):
        assert invited(role, by=owner).role is role
        with pytest.raises(MayNotManage):
            invited(role, by=manager)
        with pytest.raises(MayNotManage):
            invited(role, by=owner).revoke(by=manager, now=NOW)
    with pytest.raises(MayNotManage):
        invited(by=Standing(MemberRole.MEMBER))


def test_the_owner_of_the_address_accepts_and_nobody_else() -> None:
    invitation = quiet()
    with pytest.raises(InvitedSomebodyElse):
        invitation.accept(user_id=ANN, email="ann@example.com", now=NOW)
    assert (invitation.state, invitation.accepted_by) == (InvitationState.PENDING, None)
    invitation.accept(user_id=BOB, email="bob@example.com", now=NOW)
    assert (invitation.state, invitation.accepted_by, invitation.answered_at) == ("accepted", BOB, NOW)
    assert invitation.take_events() == [InvitationAccepted(**TOLD, user_id=BOB, invited_by=ANN)]


def test_an_invitation_is_answered_once_and_in_time() -> None:
    def accept(invitation: Invitation, now: datetime = NOW) -> None:
        invitation.accept(user_id=BOB, email="bob@example.com", now=now)

    accepted, declined, revoked, late = quiet(), quiet(), quiet(), quiet()
    accept(accepted)
    declined.decline(now=NOW)
    revoked.revoke(by=THE_HOUSE, now=NOW)
    late.expire(now=NOW + LASTS)
    for over in (accepted, declined, revoked, late):
        state = over.state
        for answer in (
            lambda over=over: accept(over),
            lambda over=over: over.decline(now=NOW),
            lambda over=over: over.revoke(by=THE_HOUSE, now=NOW),
        ):
            with pytest.raises(BadInvitation):
                answer()
        over.expire(now=NOW + 2 * LASTS)
        assert over.state is state
    assert declined.take_events() == [InvitationDeclined(**TOLD, invited_by=ANN)]
    assert revoked.take_events() == [InvitationRevoked(**TOLD)]
    assert late.take_events() == [InvitationExpired(**TOLD)]
    with pytest.raises(BadInvitation):
        accept(quiet(), now=NOW + LASTS)
    accept(quiet(), now=NOW + LASTS - timedelta(microseconds=1))


def test_nothing_expires_before_its_time() -> None:
    invitation = quiet()
    invitation.expire(now=NOW + LASTS - timedelta(microseconds=1))
    assert (invitation.state, invitation.take_events()) == (InvitationState.PENDING, [])
