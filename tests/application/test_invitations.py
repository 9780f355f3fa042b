"""Invitations: who may write them, who may answer them, and what becomes of them."""

from typing import Any

import pytest

from application.identity import PasswordSignIn, SignIn
from application.notifications import MailInvitation
from application.organizations import (
    AcceptInvitation,
    ActivityFilter,
    DeclineInvitation,
    ExpireInvitation,
    InvitationFilter,
    InvitationLink,
    InviteMember,
    JoinByInvitation,
    Joining,
    ListActivity,
    ListInvitations,
    NewInvitation,
    NewName,
    OpenInvitation,
    RenameOrganization,
    RevokeInvitation,
)
from domain.identity import AccountSuspended, BadEmail, EmailTaken, WeakPassword
from domain.organizations import (
    AlreadyInvited,
    AlreadyMember,
    BadInvitation,
    Invitation,
    InvitationDue,
    InvitationSent,
    InvitationState,
    InvitedSomebodyElse,
    LastOwner,
    MayNotManage,
    MemberRole,
    NoAccountYet,
    TooManyInvitations,
)
from domain.organizations.invitation import LASTS, MOST_PENDING
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import NotFound, StaleVersion
from domain.shared.ids import OneTimeTokenId
from tests.application.front_door import OPERATOR, PASSWORD
from tests.application.test_organizations import MANAGER, MEMBER, OWNER, Guild


async def invited(guild: Guild, email: str = "bob@example.com", role: MemberRole = MEMBER) -> InvitationLink:
    """The link of a letter that Ann sent."""
    invitation = await guild.use(InviteMember)(guild.ann, guild.id, NewInvitation(email=email, role=role))
    return link_of(guild, invitation)


def link_of(guild: Guild, invitation: Invitation) -> InvitationLink:
    return InvitationLink(token=guild.links.secret(OneTimeTokenId(invitation.id)))


def members(guild: Guild) -> set[tuple[object, str]]:
    return {(row["user_id"], row["role"]) for row in guild.rows("memberships") if row["organization_id"] == guild.id}


def in_order(guild: Guild) -> list[dict[str, Any]]:
    """The invitations, the oldest first."""
    return sorted(guild.rows("invitations"), key=lambda row: row["id"])


def states(guild: Guild) -> list[str]:
    return [row["state"] for row in in_order(guild)]


async def test_somebody_with_an_account_accepts_and_belongs() -> None:
    guild = await Guild.of_ann()
    bob = await guild.customer("bob")
    link = await invited(guild, "BOB@example.com ", MANAGER)
    card = await guild.use(OpenInvitation)(ANONYMOUS, link)
    assert (card.organization_name, card.email, card.role, card.has_account) == (
        "ann",
        "bob@example.com",
        MANAGER,
        True,
    )
    joined = await guild.use(AcceptInvitation)(bob, link)
    assert (joined.user_id, joined.role) == (bob.user_id, MANAGER)
    assert (bob.user_id, "manager") in members(guild)
    assert guild.store.tables["users"].rows[bob.user_id]["role"] == "provider", "who joins may work there"


async def test_somebody_without_an_account_signs_up_with_the_letter_and_belongs() -> None:
    guild = await Guild.of_ann()
    link = await invited(guild)
    assert not (await guild.use(OpenInvitation)(ANONYMOUS, link)).has_account
    with pytest.raises(NoAccountYet):
        await guild.use(AcceptInvitation)(ANONYMOUS, link)
    with pytest.raises(WeakPassword):
        await guild.use(JoinByInvitation)(ANONYMOUS, Joining(token=link.token, name="Bob", password="short"))
    joining = Joining(token=link.token, name="Bob", password=PASSWORD)
    joined = await guild.use(JoinByInvitation)(ANONYMOUS, joining)
    assert (joined.user_id, "member") in members(guild)
    tokens = await guild.use(SignIn)(ANONYMOUS, PasswordSignIn(email="bob@example.com", password=PASSWORD))
    assert tokens.user_id == joined.user_id, "the letter has confirmed the address"
    assert len(guild.rows("organizations")) == 1, "who joins an organization needs none of their own"
    with pytest.raises(BadInvitation):
        await guild.use(JoinByInvitation)(ANONYMOUS, joining)


async def test_an_invitation_is_never_accepted_by_another_address() -> None:
    guild = await Guild.of_ann()
    link, eve = await invited(guild), await guild.provider("eve")
    with pytest.raises(InvitedSomebodyElse):
        await guild.use(AcceptInvitation)(eve, link)
    bob = await guild.customer("bob")
    with pytest.raises(InvitedSomebodyElse):
        await guild.use(AcceptInvitation)(await guild.admin(), link)
    with pytest.raises(EmailTaken):
        await guild.use(JoinByInvitation)(ANONYMOUS, Joining(token=link.token, name="Eve", password=PASSWORD))
    assert len(members(guild)) == 1
    joined = await guild.use(AcceptInvitation)(ANONYMOUS, link)
    assert joined.user_id == bob.user_id, "whoever holds the letter reads the mail of that address"


async def test_an_invitation_works_once() -> None:
    guild = await Guild.of_ann()
    bob = await guild.customer("bob")
    link = await invited(guild)
    await guild.use(AcceptInvitation)(bob, link)
    for again in (
        guild.use(AcceptInvitation)(bob, link),
        guild.use(DeclineInvitation)(ANONYMOUS, link),
        guild.use(OpenInvitation)(ANONYMOUS, link),
        guild.use(OpenInvitation)(ANONYMOUS, InvitationLink(token="made up")),
    ):
        with pytest.raises(BadInvitation):
            await again
    assert guild.noted() == ["invitation.refused"] * 2


async def test_of_two_who_accept_at_once_one_joins() -> None:
    guild = await Guild.of_ann()
    bob = await guild.customer("bob")
    link = await invited(guild)
    guild.meanwhile = lambda: guild.use(AcceptInvitation)(bob, link)
    with pytest.raises(StaleVersion):
        await guild.use(AcceptInvitation)(ANONYMOUS, link)
    with pytest.raises(BadInvitation):
        await guild.use(AcceptInvitation)(ANONYMOUS, link)
    assert len(members(guild)) == 2


async def test_who_was_added_meanwhile_keeps_their_place_and_the_letter_is_used_up() -> None:
    guild = await Guild.of_ann()
    link = await invited(guild, role=OWNER)
    bob = await guild.joined("bob")
    assert (await guild.use(AcceptInvitation)(bob, link)).role is MEMBER
    assert states(guild) == ["accepted"]
    assert len(members(guild)) == 2


async def test_looking_at_an_invitation_changes_nothing() -> None:
    guild = await Guild.of_ann()
    link = await invited(guild)
    before = guild.rows("invitations"), guild.rows("audit")
    for _ in range(3):
        await guild.use(OpenInvitation)(ANONYMOUS, link)
    assert (guild.rows("invitations"), guild.rows("audit")) == before


async def test_an_invitation_is_declined_revoked_or_runs_out() -> None:
    guild = await Guild.of_ann()
    declined, revoked, late = [await invited(guild, f"{name}@example.com") for name in ("bob", "eve", "kim")]
    await guild.use(DeclineInvitation)(ANONYMOUS, declined)
    id = in_order(guild)[1]["id"]
    await guild.use(RevokeInvitation)(guild.ann, guild.id, id)
    due = InvitationDue(invitation_id=in_order(guild)[2]["id"])
    await guild.use(ExpireInvitation)(SYSTEM, due)
    assert states(guild) == ["declined", "revoked", "pending"], "its time is not over"
    guild.clock.advance(LASTS)
    with pytest.raises(BadInvitation):
        await guild.use(AcceptInvitation)(ANONYMOUS, late)
    await guild.use(ExpireInvitation)(SYSTEM, due)
    assert states(guild) == ["declined", "revoked", "expired"]
    for link in (declined, revoked, late):
        with pytest.raises(BadInvitation):
            await guild.use(AcceptInvitation)(ANONYMOUS, link)
    scheduled = [row["due_at"] for row in guild.rows("outbox") if row["name"] == "invitation.due"]
    assert scheduled == [row["expires_at"] for row in in_order(guild)]


async def test_who_may_invite_whom() -> None:
    guild = await Guild.of_ann()
    max_, mia = await guild.joined("max", MANAGER), await guild.joined("mia")
    invite = guild.use(InviteMember)
    await invite(max_, guild.id, NewInvitation(email="one@example.com"))
    for actor, role in ((max_, MANAGER), (max_, OWNER), (mia, MEMBER)):
        with pytest.raises(MayNotManage):
            await invite(actor, guild.id, NewInvitation(email="two@example.com", role=role))
    with pytest.raises(NotFound):
        await invite(await guild.provider("eve"), guild.id, NewInvitation(email="two@example.com"))
    await invite(guild.ann, guild.id, NewInvitation(email="two@example.com", role=OWNER))
    of_owner = in_order(guild)[1]["id"]
    with pytest.raises(MayNotManage):
        await guild.use(RevokeInvitation)(max_, guild.id, of_owner)
    with pytest.raises(NotFound):
        await guild.use(RevokeInvitation)(OPERATOR, guild.rows("organizations")[0]["id"], guild.ids.new())


async def test_nobody_is_invited_twice_or_where_they_belong() -> None:
    guild = await Guild.of_ann()
    await guild.joined("mia")
    await invited(guild)
    with pytest.raises(AlreadyInvited):
        await invited(guild, "Bob@example.com")
    with pytest.raises(AlreadyMember):
        await invited(guild, "mia@example.com")
    with pytest.raises(BadEmail):
        await invited(guild, "bob")
    guild.clock.advance(LASTS)
    await invited(guild)
    assert states(guild) == ["expired", "pending"], "what has run out makes room, even with the worker dead"


async def test_an_organization_does_not_write_to_the_whole_world() -> None:
    guild = await Guild.of_ann()
    for number in range(MOST_PENDING):
        await invited(guild, f"somebody{number}@example.com")
    with pytest.raises(TooManyInvitations):
        await invited(guild, "one.more@example.com")


async def test_of_two_letters_to_one_address_at_once_one_is_written() -> None:
    guild = await Guild.of_ann()
    guild.meanwhile = lambda: invited(guild)
    with pytest.raises(AlreadyInvited):
        await invited(guild)
    assert states(guild) == ["pending"]


async def test_the_suspended_do_not_join_and_an_invited_owner_counts() -> None:
    from application.identity import SuspendUser, Suspension

    guild = await Guild.of_ann()
    bob = await guild.customer("bob")
    link = await invited(guild, role=OWNER)
    await guild.use(SuspendUser)(OPERATOR, bob.signed_in(), Suspension(reason="fraud"))
    with pytest.raises(AccountSuspended):
        await guild.use(AcceptInvitation)(bob, link)
    kim = await guild.customer("kim")
    await guild.use(AcceptInvitation)(kim, await invited(guild, "kim@example.com", OWNER))
    assert guild.rows("organizations")[0]["owners"] == 2


async def test_the_letter_goes_to_the_address_and_holds_no_secret_while_it_waits() -> None:
    guild = await Guild.of_ann()
    link = await invited(guild)
    event = InvitationSent(invitation_id=in_order(guild)[0]["id"], organization_id=guild.id, role=MemberRole.MEMBER)
    await guild.use(MailInvitation)(SYSTEM, event)
    await guild.use(MailInvitation)(SYSTEM, event)
    (mail,) = [row for row in guild.rows("mails") if row["template"] == "invitation"]
    assert (mail["to"], mail["recipient_id"], mail["context"]["organization"]) == ("bob@example.com", None, "ann")
    assert link.token not in str(guild.rows("mails")) + str(guild.rows("invitations")) + str(guild.rows("outbox"))


async def test_those_who_manage_see_the_invitations_and_the_others_none() -> None:
    guild = await Guild.of_ann()
    mia = await guild.joined("mia")
    await invited(guild)
    pending = InvitationFilter(state=InvitationState.PENDING)
    assert [view.email for view in (await guild.use(ListInvitations)(guild.ann, guild.id, pending)).items] == [
        "bob@example.com"
    ]
    assert (await guild.use(ListInvitations)(mia, guild.id)).items == []
    revoked = InvitationFilter(state=InvitationState.REVOKED)
    assert (await guild.use(ListInvitations)(guild.ann, guild.id, revoked)).items == []


async def test_managers_see_what_members_did_there_and_nowhere_else() -> None:
    guild = await Guild.of_ann()
    max_, mia = await guild.joined("max", MANAGER), await guild.joined("mia")
    await guild.use(RenameOrganization)(max_, guild.id, NewName(name="Potters"))
    elsewhere = await guild.provider("zed")
    other = next(row["id"] for row in guild.rows("organizations") if row["id"] != guild.id)
    await guild.use(RenameOrganization)(elsewhere, other, NewName(name="Zed & Co."))
    done = (await guild.use(ListActivity)(max_, guild.id)).items
    assert [(entry.actor, entry.action) for entry in done if entry.action == "organization.renamed"] == [
        (f"user:{max_.user_id}", "organization.renamed")
    ]
    assert {entry.subject_table for entry in done} <= {"organizations", "memberships"}
    only = await guild.use(ListActivity)(guild.ann, guild.id, ActivityFilter(user_id=max_.signed_in()))
    assert [entry.action for entry in only.items] == ["organization.renamed"]
    with pytest.raises(MayNotManage):
        await guild.use(ListActivity)(mia, guild.id)
    with pytest.raises(NotFound):
        await guild.use(ListActivity)(elsewhere, guild.id)


async def test_an_invited_owner_may_leave_and_the_last_one_may_not() -> None:
    from application.organizations import RemoveMember

    guild = await Guild.of_ann()
    kim = await guild.customer("kim")
    await guild.use(AcceptInvitation)(kim, await invited(guild, "kim@example.com", OWNER))
    await guild.use(RemoveMember)(guild.ann, guild.id, guild.ann.signed_in())
    with pytest.raises(LastOwner):
        await guild.use(RemoveMember)(Actor(user_id=kim.user_id, role=Role.PROVIDER), guild.id, kim.signed_in())
