"""Looking after users."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from application.identity import (
    ChangeRole,
    CreateAdmin,
    CreateUser,
    GetUser,
    ListUsers,
    NewAdmin,
    NewRole,
    NewUser,
    OperatorsOnly,
    RestoreUser,
    SuspendUser,
    Suspension,
    UserFilter,
)
from domain.identity import (
    AlreadySuspended,
    BadEmail,
    EmailTaken,
    NotSuspended,
    OwnAccount,
    SessionOver,
    WeakPassword,
)
from domain.shared.actors import ANONYMOUS, Actor, Role
from domain.shared.errors import Forbidden, NotFound, Outdated, Unauthenticated
from domain.shared.ids import UserId
from tests.application.front_door import OPERATOR, PASSWORD, FrontDoor

NOBODY = UserId(UUID(int=77))


async def test_the_first_admin_comes_from_the_command_line() -> None:
    door = FrontDoor()
    new = NewAdmin(email="Root@Example.com", name="Root", password=PASSWORD)
    admin = await door.use(CreateAdmin)(OPERATOR, new)
    assert (admin.role, admin.verified, admin.version) == (Role.ADMIN, True, 1)
    actor = await door.come_in(await door.sign_in("root@example.com"))
    assert actor.is_admin
    for other in (actor, ANONYMOUS, Actor(user_id=NOBODY)):
        with pytest.raises(OperatorsOnly):
            await door.use(CreateAdmin)(other, new)


async def test_an_admin_makes_accounts_and_a_provider_has_an_organization() -> None:
    door = FrontDoor()
    new = NewUser(email="vera@example.com", name="Vera", password=PASSWORD, role=Role.PROVIDER)
    vera = await door.use(CreateUser)(await door.admin(), new)
    assert vera.verified
    assert [row["name"] for row in door.rows("organizations")] == ["Vera"]
    await door.sign_in("vera@example.com")


async def test_an_account_is_made_once_per_address_whatever_its_spelling() -> None:
    door = FrontDoor()
    await door.user("ann@example.com")
    with pytest.raises(EmailTaken):
        await door.user("ANN@example.com")
    with pytest.raises(BadEmail):
        await door.user("ann")
    with pytest.raises(WeakPassword):
        await door.user("bob@example.com", password="1234567890")
    assert len(door.rows("users")) == 1


async def test_users_are_listed_newest_first_by_what_they_are() -> None:
    door = FrontDoor()
    admin = await door.admin()
    ann, vera = await door.user(), await door.user("vera@example.com", Role.PROVIDER)
    await door.use(SuspendUser)(admin, ann.id, Suspension(reason="fraud"))

    async def listed(**wanted: Any) -> list[UserId]:
        return [user.id for user in (await door.use(ListUsers)(admin, UserFilter(**wanted))).items]

    assert await listed() == [vera.id, ann.id, admin.user_id]
    assert await listed(role=Role.PROVIDER) == [vera.id]
    assert await listed(suspended=True) == [ann.id]
    assert await listed(suspended=False) == [vera.id, admin.user_id]
    assert await listed(email="ANN@example.com") == [ann.id]
    first = await door.use(ListUsers)(admin, UserFilter(), limit=2)
    rest = await door.use(ListUsers)(admin, UserFilter(), after=first.next, limit=2)
    assert [user.id for user in rest.items] == [admin.user_id]
    assert (await door.use(GetUser)(OPERATOR, ann.id)).suspended_at is not None
    with pytest.raises(NotFound):
        await door.use(GetUser)(admin, NOBODY)


async def test_a_suspension_binds_at_the_next_request_and_is_lifted() -> None:
    door = FrontDoor()
    admin, ann = await door.admin(), await door.user()
    tokens = await door.sign_in()
    suspended = await door.use(SuspendUser)(admin, ann.id, Suspension(reason="fraud", expected_version=1))
    assert (suspended.suspended, suspended.version) == (True, 2)
    with pytest.raises(AlreadySuspended):
        await door.use(SuspendUser)(admin, ann.id, Suspension(reason="fraud"))
    restored = await door.use(RestoreUser)(admin, ann.id)
    assert not restored.suspended
    with pytest.raises(NotSuspended):
        await door.use(RestoreUser)(admin, ann.id)
    with pytest.raises(SessionOver):
        await door.come_in(tokens)
    await door.come_in(await door.sign_in())


async def test_a_new_role_binds_at_the_next_request_with_the_token_one_has() -> None:
    door = FrontDoor()
    admin, ann = await door.admin(), await door.user()
    tokens = await door.sign_in()
    changed = await door.use(ChangeRole)(admin, ann.id, NewRole(role=Role.PROVIDER))
    assert changed.role is Role.PROVIDER
    assert (await door.come_in(tokens)).role is Role.PROVIDER
    assert [row["name"] for row in door.rows("organizations")] == ["Ann"]
    await door.use(ChangeRole)(admin, ann.id, NewRole(role=Role.CUSTOMER))
    await door.use(ChangeRole)(admin, ann.id, NewRole(role=Role.PROVIDER))
    assert len(door.rows("organizations")) == 1


async def test_a_decision_on_an_outdated_user_is_refused() -> None:
    door = FrontDoor()
    admin, ann = await door.admin(), await door.user()
    with pytest.raises(Outdated):
        await door.use(SuspendUser)(admin, ann.id, Suspension(reason="fraud", expected_version=7))
    with pytest.raises(Outdated):
        await door.use(ChangeRole)(admin, ann.id, NewRole(role=Role.PROVIDER, expected_version=7))


async def test_admins_leave_their_own_accounts_to_others() -> None:
    door = FrontDoor()
    admin = await door.admin()
    me = admin.signed_in()
    with pytest.raises(OwnAccount):
        await door.use(SuspendUser)(admin, me, Suspension(reason="tired"))
    with pytest.raises(OwnAccount):
        await door.use(ChangeRole)(admin, me, NewRole(role=Role.CUSTOMER))
    await door.use(ChangeRole)(OPERATOR, me, NewRole(role=Role.CUSTOMER))


@pytest.mark.parametrize(
    "attempt",
    [
        lambda door, who: door.use(ListUsers)(who, UserFilter()),
        lambda door, who: door.use(GetUser)(who, NOBODY),
        lambda door, who: door.use(SuspendUser)(who, NOBODY, Suspension(reason="fraud")),
        lambda door, who: door.use(RestoreUser)(who, NOBODY),
        lambda door, who: door.use(ChangeRole)(who, NOBODY, NewRole(role=Role.ADMIN)),
        lambda door, who: door.use(CreateUser)(who, NewUser(email="x@example.com", name="X", password=PASSWORD)),
    ],
)
async def test_only_admins_look_after_users(attempt: Callable[[FrontDoor, Actor], Awaitable[Any]]) -> None:
    door = FrontDoor()
    with pytest.raises(Unauthenticated):
        await attempt(door, ANONYMOUS)
    for role in (Role.CUSTOMER, Role.PROVIDER):
        with pytest.raises(Forbidden):
            await attempt(door, Actor(user_id=NOBODY, role=role))
    assert door.rows("users") == []


@pytest.mark.parametrize(
    "attempt",
    [
        lambda door, who: door.use(SuspendUser)(who, NOBODY, Suspension(reason="fraud")),
        lambda door, who: door.use(RestoreUser)(who, NOBODY),
        lambda door, who: door.use(ChangeRole)(who, NOBODY, NewRole(role=Role.PROVIDER)),
    ],
)
async def test_nothing_is_done_to_a_user_who_is_not_there(
    attempt: Callable[[FrontDoor, Actor], Awaitable[Any]],
) -> None:
    door = FrontDoor()
    with pytest.raises(NotFound):
        await attempt(door, await door.admin())
