"""Organizations and their members."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from application.identity import SuspendUser, Suspension
from application.organizations import (
    AddMember,
    ChangeMemberRole,
    CreateOrganization,
    GetOrganization,
    ListMembers,
    MemberChange,
    MyOrganizations,
    NewMember,
    NewName,
    NewOrganization,
    RemoveMember,
    RenameOrganization,
)
from domain.identity import BadEmail
from domain.organizations import AlreadyMember, LastOwner, MayNotManage, MemberRole, NotAMemberYet
from domain.shared.actors import ANONYMOUS, Actor, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Outdated, StaleVersion, Unauthenticated
from domain.shared.ids import OrganizationId, UserId
from tests.application.front_door import OPERATOR, FrontDoor

OWNER, MANAGER, MEMBER = MemberRole.OWNER, MemberRole.MANAGER, MemberRole.MEMBER


class Guild(FrontDoor):
    """A house with Ann, a provider on her own, and others who may join her."""

    ann: Actor
    id: OrganizationId

    @classmethod
    async def of_ann(cls) -> "Guild":
        guild = cls()
        guild.ann = await guild.provider("ann")
        guild.id = guild.rows("organizations")[0]["id"]
        return guild

    async def provider(self, name: str) -> Actor:
        user = await self.user(f"{name}@example.com", Role.PROVIDER, name=name)
        return Actor(user_id=user.id, role=Role.PROVIDER)

    async def customer(self, name: str) -> Actor:
        return Actor(user_id=(await self.user(f"{name}@example.com", name=name)).id)

    async def joined(self, name: str, role: MemberRole = MEMBER) -> Actor:
        actor = await self.customer(name)
        await self.use(AddMember)(self.ann, self.id, NewMember(user_id=actor.user_id, role=role))
        return actor


async def test_an_owner_adds_people_by_id_or_address() -> None:
    guild = await Guild.of_ann()
    bob, eve = await guild.customer("bob"), await guild.customer("eve")
    one = await guild.use(AddMember)(guild.ann, guild.id, NewMember(user_id=bob.user_id))
    two = await guild.use(AddMember)(guild.ann, guild.id, NewMember(email="EVE@example.com", role=MANAGER))
    assert (one.user_id, one.role, two.user_id, two.role) == (bob.user_id, MEMBER, eve.user_id, MANAGER)
    members = await guild.use(ListMembers)(bob, guild.id)
    assert [(view.name, view.role) for view in members.items] == [("ann", OWNER), ("bob", MEMBER), ("eve", MANAGER)]
    assert not (await guild.use(GetOrganization)(ANONYMOUS, guild.id)).solo


async def test_everybody_sees_the_organizations_they_belong_to() -> None:
    guild = await Guild.of_ann()
    bob = await guild.joined("bob")
    (mine,) = (await guild.use(MyOrganizations)(bob)).items
    assert (mine.organization_id, mine.organization_name, mine.role, mine.solo) == (guild.id, "ann", MEMBER, False)
    assert (await guild.use(MyOrganizations)(await guild.customer("eve"))).items == []
    with pytest.raises(Unauthenticated):
        await guild.use(MyOrganizations)(ANONYMOUS)


async def test_members_are_for_members_to_see() -> None:
    guild = await Guild.of_ann()
    assert (await guild.use(ListMembers)(await guild.provider("eve"), guild.id)).items == []
    assert len((await guild.use(ListMembers)(await guild.admin(), guild.id)).items) == 1
    with pytest.raises(Unauthenticated):
        await guild.use(ListMembers)(ANONYMOUS, guild.id)


async def test_a_provider_founds_an_organization_and_a_customer_does_not() -> None:
    guild = await Guild.of_ann()
    founded = await guild.use(CreateOrganization)(guild.ann, NewOrganization(name="Potters & Sons"))
    assert (founded.solo, founded.owners, founded.version) == (False, 1, 1)
    assert len((await guild.use(MyOrganizations)(guild.ann)).items) == 2
    with pytest.raises(Forbidden):
        await guild.use(CreateOrganization)(await guild.customer("bob"), NewOrganization(name="Potters"))
    with pytest.raises(Invalid):
        await guild.use(CreateOrganization)(guild.ann, NewOrganization(name=" "))
    with pytest.raises(Unauthenticated):
        await guild.use(CreateOrganization)(ANONYMOUS, NewOrganization(name="Potters"))


async def test_owners_and_managers_rename_members_do_not() -> None:
    guild = await Guild.of_ann()
    bob, eve = await guild.joined("bob", MANAGER), await guild.joined("eve")
    renamed = await guild.use(RenameOrganization)(bob, guild.id, NewName(name="Potters"))
    assert (renamed.name, (await guild.use(GetOrganization)(ANONYMOUS, guild.id)).name) == ("Potters", "Potters")
    with pytest.raises(MayNotManage):
        await guild.use(RenameOrganization)(eve, guild.id, NewName(name="Eve's"))
    with pytest.raises(Outdated):
        await guild.use(RenameOrganization)(guild.ann, guild.id, NewName(name="Ann's", expected_version=1))
    with pytest.raises(Invalid):
        await guild.use(RenameOrganization)(guild.ann, guild.id, NewName(name=""))


async def test_somebody_who_cannot_join_is_refused_alike_whatever_the_reason_and_it_is_noted() -> None:
    guild = await Guild.of_ann()
    suspended = await guild.customer("mallory")
    await guild.use(SuspendUser)(OPERATOR, suspended.signed_in(), Suspension(reason="fraud"))
    await guild.sign_up("unconfirmed@example.com")
    for email in ("nobody@example.com", "mallory@example.com", "unconfirmed@example.com"):
        with pytest.raises(NotAMemberYet):
            await guild.use(AddMember)(guild.ann, guild.id, NewMember(email=email))
    with pytest.raises(NotAMemberYet):
        await guild.use(AddMember)(guild.ann, guild.id, NewMember(user_id=UserId(UUID(int=77))))
    assert guild.noted() == ["member.unknown"] * 4


async def test_a_member_is_named_in_one_way_and_once() -> None:
    guild = await Guild.of_ann()
    bob = await guild.joined("bob")
    with pytest.raises(AlreadyMember):
        await guild.use(AddMember)(guild.ann, guild.id, NewMember(user_id=bob.user_id))
    for neither in (NewMember(), NewMember(user_id=bob.user_id, email="bob@example.com")):
        with pytest.raises(Invalid):
            await guild.use(AddMember)(guild.ann, guild.id, neither)
    with pytest.raises(BadEmail):
        await guild.use(AddMember)(guild.ann, guild.id, NewMember(email="bob"))


async def test_a_member_rises_and_falls_and_an_owner_remains() -> None:
    guild = await Guild.of_ann()
    bob = await guild.joined("bob")
    raised = await guild.use(ChangeMemberRole)(guild.ann, guild.id, bob.signed_in(), MemberChange(role=OWNER))
    assert (raised.role, raised.version) == (OWNER, 2)
    me = guild.ann.signed_in()
    await guild.use(ChangeMemberRole)(guild.ann, guild.id, me, MemberChange(role=MEMBER))
    with pytest.raises(LastOwner):
        await guild.use(ChangeMemberRole)(bob, guild.id, bob.signed_in(), MemberChange(role=MANAGER))
    with pytest.raises(MayNotManage):
        await guild.use(ChangeMemberRole)(guild.ann, guild.id, me, MemberChange(role=OWNER))
    with pytest.raises(Outdated):
        await guild.use(ChangeMemberRole)(bob, guild.id, me, MemberChange(role=OWNER, expected_version=9))


async def test_a_member_leaves_or_is_asked_to_but_never_the_last_owner() -> None:
    guild = await Guild.of_ann()
    bob, eve = await guild.joined("bob"), await guild.joined("eve", MANAGER)
    with pytest.raises(MayNotManage):
        await guild.use(RemoveMember)(eve, guild.id, bob.signed_in())
    await guild.use(RemoveMember)(bob, guild.id, bob.signed_in())
    await guild.use(RemoveMember)(guild.ann, guild.id, eve.signed_in())
    with pytest.raises(LastOwner):
        await guild.use(RemoveMember)(guild.ann, guild.id, guild.ann.signed_in())
    with pytest.raises(NotFound):
        await guild.use(RemoveMember)(guild.ann, guild.id, eve.signed_in())
    ended = [row["payload"]["removed"] for row in guild.rows("outbox") if row["name"] == "membership.ended"]
    assert ended == [False, True]


async def test_of_two_owners_who_leave_at_once_one_stays() -> None:
    guild = await Guild.of_ann()
    bob = await guild.joined("bob", OWNER)

    def leave(who: Actor) -> Awaitable[None]:
        return guild.use(RemoveMember)(who, guild.id, who.signed_in())

    guild.meanwhile = lambda: leave(bob)
    with pytest.raises(LastOwner):
        await guild.persistently(lambda: leave(guild.ann))
    assert [row["user_id"] for row in guild.rows("memberships")] == [guild.ann.user_id]
    assert guild.rows("organizations")[0]["owners"] == 1


async def test_who_loses_the_right_while_using_it_does_not_use_it() -> None:
    guild = await Guild.of_ann()
    bob, eve = await guild.joined("bob", OWNER), await guild.customer("eve")
    fallen = MemberChange(role=MEMBER)
    guild.meanwhile = lambda: guild.use(ChangeMemberRole)(guild.ann, guild.id, bob.signed_in(), fallen)
    with pytest.raises(StaleVersion):
        await guild.use(AddMember)(bob, guild.id, NewMember(user_id=eve.user_id))
    assert len(guild.rows("memberships")) == 2


async def test_an_admin_stands_above_the_roles_of_an_organization() -> None:
    guild = await Guild.of_ann()
    admin, bob = await guild.admin(), await guild.customer("bob")
    await guild.use(AddMember)(admin, guild.id, NewMember(user_id=bob.user_id))
    await guild.use(RenameOrganization)(OPERATOR, guild.id, NewName(name="Potters"))
    await guild.use(RemoveMember)(admin, guild.id, bob.signed_in())
    assert [row["name"] for row in guild.rows("organizations")] == ["Potters"]
    assert [row["user_id"] for row in guild.rows("memberships")] == [guild.ann.user_id]


COMMANDS: list[Callable[[Guild, Actor, OrganizationId], Awaitable[Any]]] = [
    lambda guild, who, which: guild.use(RenameOrganization)(who, which, NewName(name="Mine")),
    lambda guild, who, which: guild.use(AddMember)(who, which, NewMember(user_id=who.user_id)),
    lambda guild, who, which: guild.use(ChangeMemberRole)(who, which, guild.ann.signed_in(), MemberChange(role=MEMBER)),
    lambda guild, who, which: guild.use(RemoveMember)(who, which, guild.ann.signed_in()),
]


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_strangers_organization_is_not_there_to_be_changed(
    command: Callable[[Guild, Actor, OrganizationId], Awaitable[Any]],
) -> None:
    guild = await Guild.of_ann()
    stranger = await guild.provider("eve")
    for which in (guild.id, OrganizationId(UUID(int=77))):
        with pytest.raises(NotFound):
            await command(guild, stranger, which)
    with pytest.raises(Unauthenticated):
        await command(guild, ANONYMOUS, guild.id)
    with pytest.raises(NotFound):
        await guild.use(GetOrganization)(ANONYMOUS, OrganizationId(UUID(int=77)))
