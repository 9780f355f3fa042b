"""What is true of organizations and their members."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.organizations import (
    PERMISSIONS,
    THE_HOUSE,
    AlreadyEquipped,
    LastOwner,
    MayNotManage,
    MemberJoined,
    MemberLeft,
    MemberRole,
    MemberRoleChanged,
    Membership,
    Organization,
    OrganizationEquipped,
    OrganizationFounded,
    OrganizationRenamed,
    Permission,
    Standing,
)
from domain.shared.errors import Invalid
from domain.shared.ids import MembershipId, OrganizationId, UserId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = UserId(UUID(int=1))
GUILD = OrganizationId(UUID(int=2))
PLACE = MembershipId(UUID(int=3))
OWNER, MANAGER, MEMBER = MemberRole.OWNER, MemberRole.MANAGER, MemberRole.MEMBER


def guild(*, solo: bool = False) -> Organization:
    founded = Organization.found(id=GUILD, name="Potters", owner_id=ANN, solo=solo, now=NOW)
    founded.take_events()
    return founded


def test_an_organization_begins_with_one_owner() -> None:
    founded = Organization.found(id=GUILD, name=" Potters ", owner_id=ANN, solo=True, now=NOW)
    assert (founded.name, founded.owners, founded.solo) == ("Potters", 1, True)
    assert founded.take_events() == [OrganizationFounded(organization_id=GUILD, owner_id=ANN, solo=True)]


def test_a_new_name_is_news_and_the_same_one_is_not() -> None:
    founded = guild()
    founded.rename("Potters & Sons", by=THE_HOUSE)
    founded.rename(" Potters & Sons ", by=THE_HOUSE)
    assert founded.take_events() == [
        OrganizationRenamed(organization_id=GUILD, before="Potters", after="Potters & Sons")
    ]
    with pytest.raises(Invalid):
        founded.rename(" ", by=THE_HOUSE)


def test_who_was_alone_is_not_once_somebody_joins() -> None:
    alone = guild(solo=True)
    alone.admit(MEMBER)
    assert (alone.solo, alone.owners) == (False, 1)


def test_the_last_owner_neither_leaves_nor_steps_down() -> None:
    founded = guild()
    with pytest.raises(LastOwner):
        founded.part_with(OWNER, by=THE_HOUSE, own=False)
    with pytest.raises(LastOwner):
        founded.regrade(OWNER, MANAGER, by=THE_HOUSE)
    founded.part_with(MEMBER, by=THE_HOUSE, own=False)
    founded.admit(OWNER)
    founded.part_with(OWNER, by=THE_HOUSE, own=False)
    assert founded.owners == 1


def test_a_stored_organization_without_an_owner_is_nonsense() -> None:
    with pytest.raises(LastOwner):
        Organization(id=GUILD, name="Potters", solo=False, owners=0, created_at=NOW)


@given(
    st.lists(st.tuples(st.sampled_from(["join", "leave", "regrade"]), st.integers(0, 5), st.sampled_from(MemberRole)))
)
def test_the_count_of_owners_is_always_the_number_of_owners(steps: list[tuple[str, int, MemberRole]]) -> None:
    founded, members = guild(), [OWNER]
    for step, chosen, role in steps:
        which = chosen % len(members)
        try:
            if step == "join":
                founded.admit(role)
                members.append(role)
            elif step == "leave":
                founded.part_with(members[which], by=THE_HOUSE, own=False)
                members.pop(which)
            else:
                founded.regrade(members[which], role, by=THE_HOUSE)
                members[which] = role
        except LastOwner:
            pass
        assert founded.owners == members.count(OWNER) >= 1


def test_joining_regrading_and_leaving_are_news() -> None:
    place = Membership.join(id=PLACE, organization_id=GUILD, user_id=ANN, role=MEMBER, now=NOW)
    place.change_role(MANAGER)
    place.change_role(MANAGER)
    place.end(removed=True)
    told = {"membership_id": PLACE, "organization_id": GUILD, "user_id": ANN}
    assert place.take_events() == [
        MemberJoined(**told, role=MEMBER),
        MemberRoleChanged(**told, before=MEMBER, role=MANAGER),
        MemberLeft(**told, removed=True),
    ]


ALLOWED: dict[MemberRole, set[str]] = {
    OWNER: {permission.value for permission in Permission},
    MANAGER: {"rename", "equip", "onboard", "invite", "leave", "see_activity", "see_books"},
    MEMBER: {"leave"},
}
"""What the business says; `PERMISSIONS` is what the house does."""


@pytest.mark.parametrize("role", MemberRole)
def test_who_may_do_what_is_as_the_business_says(role: MemberRole) -> None:
    standing = Standing(role)
    assert {permission.value for permission in Permission if standing.may(permission)} == ALLOWED[role]
    assert set(PERMISSIONS) == set(Permission)
    for permission in Permission:
        if permission.value in ALLOWED[role]:
            standing.must(permission)
        else:
            with pytest.raises(MayNotManage) as refused:
                standing.must(permission)
            needed = MANAGER if permission.value in ALLOWED[MANAGER] else OWNER
            assert refused.value.details["needed"] == needed.value
        THE_HOUSE.must(permission)


def test_the_verbs_ask_who_it_is() -> None:
    member, manager = Standing(MEMBER), Standing(MANAGER)
    for refused in (
        lambda: guild().rename("Mine", by=member),
        lambda: guild().add(MEMBER, by=manager),
        lambda: guild().part_with(MEMBER, by=manager, own=False),
        lambda: guild().regrade(MEMBER, OWNER, by=manager),
        lambda: guild().equip("tutor", by=member),
    ):
        with pytest.raises(MayNotManage):
            refused()
    guild().part_with(MEMBER, by=member, own=True)


def test_a_profession_is_taken_up_once() -> None:
    founded = guild()
    founded.equip("tutor", by=Standing(MANAGER))
    with pytest.raises(AlreadyEquipped):
        founded.equip("tutor", by=Standing(OWNER))
    assert founded.take_events() == [OrganizationEquipped(organization_id=GUILD, profession="tutor")]
