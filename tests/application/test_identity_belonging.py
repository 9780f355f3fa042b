"""Organizations of Clerk and who belongs to them are so here too, in any order and any number of times."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from application.identity import SuspendUser, Suspension
from application.organizations import AddMember, ChangeMemberRole, ListMembers, MemberChange, NewMember
from application.payments import ReplayWebhook
from domain.organizations import MemberRole
from domain.shared.actors import Role
from tests.application.front_door import OPERATOR
from tests.application.test_identity_following import WithClerk
from tests.planted.identity import belongs_as_it_comes
from tests.support.house import MONDAY
from tests.support.issuers import clerk_membership, clerk_organization, clerk_user


class WithTeams(WithClerk):
    """A house that hears of Clerk's organizations."""

    async def told(self, *messages: tuple[str, dict[str, Any]]) -> None:
        """These come, each when it is said, and the worker acts on each before the next."""
        for kind, data in messages:
            if "updated_at" in data and isinstance(data["updated_at"], int):
                self.clock.set(datetime.fromtimestamp(data["updated_at"] / 1000, UTC))
            await self.hear(kind, data)
            await self.act()

    def people(self) -> dict[str, str]:
        """Who belongs to the one organization, by their names."""
        names = {row["id"]: row["name"] for row in self.rows("profiles")}
        return {names[row["user_id"]]: row["role"] for row in self.rows("memberships")}

    def standing(self) -> Any:
        """All that is to be the same whatever the order; who is who by what they are called there."""
        subjects = {row["user_id"]: row["subject"] for row in self.rows("external_identities")}
        return (
            [(row["name"], row["owners"], row["solo"]) for row in self.rows("organizations")],
            sorted((subjects[row["user_id"]], row["role"]) for row in self.rows("memberships")),
            sorted(
                (subject, told["role"], told["gone"])
                for row in self.rows("external_organizations")
                for subject, told in row["members"].items()
            ),
        )


@pytest.fixture
def door() -> WithTeams:
    return WithTeams()


def at(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def created(person: str, role: str = "org:member", minutes: float = 1) -> tuple[str, dict[str, Any]]:
    return "organizationMembership.created", clerk_membership(person, role, updated_at=at(minutes), told_at=at(0))


def gone(person: str, role: str = "org:member", minutes: float = 9) -> tuple[str, dict[str, Any]]:
    return "organizationMembership.deleted", clerk_membership(person, role, updated_at=at(minutes), told_at=at(0))


FOUNDED = ("organization.created", clerk_organization(updated_at=at(0)))


async def test_an_organization_is_founded_here_for_who_made_it_there(door: WithTeams) -> None:
    await door.told(FOUNDED, created("ann", "org:admin"), created("bob"), created("cat", "org:manager"))
    assert [row["name"] for row in door.rows("organizations")] == ["North"]
    roles = {row["role"] for row in door.rows("users")}
    assert roles == {"provider"}, "whoever belongs to an organization offers work"
    assert sorted(door.people().values()) == ["manager", "member", "owner"]
    assert door.outcomes() == [("settled", "")] * 4
    assert {"organization.founded", "membership.joined", "user.role_changed"} <= set(door.events())


async def test_a_membership_may_come_before_its_organization_and_its_person(door: WithTeams) -> None:
    await door.told(created("bob"))
    assert [row["name"] for row in door.rows("organizations")] == ["North"]
    assert door.people() == {"Somebody": "owner", "Bob": "member"}
    await door.told(("user.created", clerk_user("user_ann", updated_at=at(0))))
    assert door.people() == {"Ann Able": "owner", "Bob": "member"}
    bob = await door.come("user_bob")
    page = await door.use(ListMembers)(bob, door.rows("organizations")[0]["id"])
    assert {one.role for one in page.items} == {MemberRole.OWNER, MemberRole.MEMBER}


async def test_one_that_nobody_made_waits_for_who_may_own_it(door: WithTeams) -> None:
    nobodys: dict[str, Any] = {"created_by": None}
    await door.told(
        ("organization.created", clerk_organization(updated_at=at(0), **nobodys)),
        ("organizationMembership.created", clerk_membership("bob", updated_at=at(1), told_at=at(0), **nobodys)),
    )
    assert door.rows("organizations") == []
    assert {note for _, note in door.outcomes()} == {"waits for somebody who may own it"}
    owner = clerk_membership("ann", "org:admin", updated_at=at(2), told_at=at(0), **nobodys)
    await door.told(("organizationMembership.created", owner))
    assert sorted(door.people().values()) == ["member", "owner"]


STORY = (
    FOUNDED,
    created("ann", "org:admin", 1),
    ("organizationMembership.updated", clerk_membership("bob", "org:admin", updated_at=at(3), told_at=at(0))),
    gone("ann", "org:admin", 4),
    ("organization.updated", clerk_organization(updated_at=at(5), name="North & Co.")),
)


async def ends(*, enough: int = 9) -> set[str]:
    """How it can end, over all orders of the messages, one of them told again; no more than so many."""
    found: set[str] = set()
    for order in permutations(STORY):
        door = WithTeams()
        await door.told(*order, order[0])
        found.add(repr(door.standing()))
        if len(found) == enough:
            break
    return found


async def test_whatever_the_order_the_organization_is_the_same() -> None:
    (end,) = await ends()
    assert end == repr(
        (
            [("North & Co.", 1, False)],
            [("user_bob", "owner")],
            [("user_ann", "owner", True), ("user_bob", "owner", False)],
        )
    )


async def test_an_organization_followed_as_it_comes_would_be_noticed() -> None:
    with belongs_as_it_comes():
        assert len(await ends(enough=2)) == 2


async def test_the_last_owner_stays_until_there_is_another(door: WithTeams) -> None:
    await door.told(FOUNDED, created("ann", "org:admin"), created("bob"))
    await door.told(gone("ann", "org:admin", 3))
    assert door.outcomes()[-1] == ("settled", "an organization keeps its last owner: name another here, or there")
    assert sorted(door.people().values()) == ["member", "owner"]
    update = clerk_membership("bob", "org:admin", updated_at=at(4), told_at=at(0))
    await door.told(("organizationMembership.updated", update))
    assert door.people() == {"Bob": "owner"}
    assert "membership.ended" in door.events()


async def test_what_was_decided_here_stays_until_the_issuer_says_otherwise(door: WithTeams) -> None:
    await door.told(FOUNDED, created("ann", "org:admin"), created("bob"))
    ann, (organization,) = await door.come("user_ann"), door.rows("organizations")
    bob = (await door.come("user_bob")).user_id
    dan = await door.user("dan@example.com", Role.PROVIDER, name="Dan")
    assert bob is not None
    await door.use(ChangeMemberRole)(ann, organization["id"], bob, MemberChange(role=MemberRole.MANAGER))
    await door.use(AddMember)(ann, organization["id"], NewMember(user_id=dan.id))
    await door.told(created("cat"), created("bob"), FOUNDED)
    assert sorted(door.people().values()) == ["manager", "member", "member", "owner"]
    await door.told(gone("bob"))
    assert sorted(door.people().values()) == ["member", "member", "owner"]


async def test_an_organization_that_is_no_more_there_is_its_owners_here(door: WithTeams) -> None:
    await door.told(FOUNDED, created("ann", "org:admin"), created("bob"))
    await door.told(("organization.deleted", {"id": "org_north", "deleted": True, "object": "organization"}))
    assert list(door.people().values()) == ["owner"]
    await door.told(created("cat"), ("organization.updated", clerk_organization(updated_at=at(20), name="South")))
    assert list(door.people().values()) == ["owner"]
    assert [row["name"] for row in door.rows("organizations")] == ["North"]
    assert [note for _, note in door.outcomes()][-3:] == [
        "is no more there; here it is its owners'",
        "has ended before",
        "has ended before",
    ]


async def test_who_is_suspended_here_joins_nothing(door: WithTeams) -> None:
    bob = await door.come("user_bob")
    assert bob.user_id is not None
    await door.use(SuspendUser)(OPERATOR, bob.user_id, Suspension(reason="fraud"))
    await door.told(FOUNDED, created("bob"))
    assert list(door.people().values()) == ["owner"]


async def test_a_message_told_again_changes_nothing(door: WithTeams) -> None:
    await door.told(FOUNDED, created("ann", "org:admin"), created("bob"))
    before = door.standing()
    (first, *_) = door.rows("webhooks")
    await door.use(ReplayWebhook)(OPERATOR, first["id"])
    await door.act()
    assert door.standing() == before


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"id": "org_1"},
        {"id": 7, "name": "North", "updated_at": 1},
        {"id": "org_1", "name": None, "updated_at": 1},
        {"id": "org_1", "name": "North", "updated_at": "now"},
    ],
)
async def test_what_makes_no_sense_waits_for_a_person(door: WithTeams, data: dict[str, Any]) -> None:
    await door.told(("organization.created", data))
    await door.told(("organizationMembership.created", {"organization": data, "role": "org:member"}))
    assert [outcome for outcome, _ in door.outcomes()] == ["attention", "attention"]
    assert door.rows("organizations") == []


async def test_a_name_nobody_could_show_is_another(door: WithTeams) -> None:
    await door.told(("organization.created", clerk_organization(updated_at=at(0), name="\x00")))
    assert [row["name"] for row in door.rows("organizations")] == ["Organization"]
