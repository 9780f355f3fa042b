"""Passwords lost, reset and changed."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from application.identity import (
    Address,
    ChangePassword,
    ConsumeMagicLink,
    ForgotPassword,
    Link,
    LinkProvider,
    NewPassword,
    PasswordChange,
    RequestMagicLink,
    ResetPassword,
)
from domain.identity import (
    BadLink,
    BadRefreshToken,
    InvalidCredentials,
    Provider,
    Purpose,
    SessionOver,
    WeakPassword,
    WrongPassword,
)
from domain.shared.actors import ANONYMOUS
from domain.shared.errors import StaleVersion, Unauthenticated
from tests.application.front_door import PASSWORD, FrontDoor

NEW = "another long password"


async def forgot(door: FrontDoor, email: str = "ann@example.com") -> str:
    await door.use(ForgotPassword)(ANONYMOUS, Address(email=email))
    return door.mailed(Purpose.RESET_PASSWORD)[-1]


async def reset(door: FrontDoor, link: str, password: str = NEW) -> None:
    await door.use(ResetPassword)(ANONYMOUS, NewPassword(token=link, password=password))


async def test_a_lost_password_is_replaced_and_every_session_ends() -> None:
    door = FrontDoor()
    await door.user()
    tokens = await door.sign_in()
    await reset(door, await forgot(door))
    with pytest.raises(SessionOver):
        await door.come_in(tokens)
    with pytest.raises(BadRefreshToken):
        await door.refresh(tokens.refresh_token)
    with pytest.raises(InvalidCredentials):
        await door.sign_in()
    await door.sign_in(password=NEW)
    assert "user.password_changed" in door.events()


async def test_a_reset_makes_every_other_link_worthless() -> None:
    door = FrontDoor()
    await door.user()
    first, second = await forgot(door), await forgot(door)
    await door.use(RequestMagicLink)(ANONYMOUS, Address(email="ann@example.com"))
    (magic,) = door.mailed(Purpose.MAGIC_LINK)
    await reset(door, first)
    for link in (first, second):
        with pytest.raises(BadLink):
            await reset(door, link)
    with pytest.raises(BadLink):
        await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=magic))


async def test_a_reset_confirms_the_address_and_shuts_out_whoever_signed_up_with_it_first() -> None:
    door = FrontDoor()
    await door.sign_up("ann@example.com", password="a stranger's choice")
    await reset(door, await forgot(door))
    await door.sign_in(password=NEW)
    with pytest.raises(InvalidCredentials):
        await door.sign_in(password="a stranger's choice")


async def test_a_reset_takes_identities_from_whoever_signed_up_with_the_address_first() -> None:
    door = FrontDoor(verified_to_sign_in=False)
    await door.sign_up("ann@example.com", password="a stranger's choice")
    stranger = await door.come_in(await door.sign_in(password="a stranger's choice"))
    door.vouching[Provider.GITHUB].knows("there", email="evil@example.com")
    await door.use(LinkProvider)(stranger, await door.by_way_of(code="there"))
    assert len(door.rows("external_identities")) == 1
    await reset(door, await forgot(door))
    assert door.rows("external_identities") == []


async def test_a_weak_new_password_leaves_the_link_good() -> None:
    door = FrontDoor()
    await door.user()
    link = await forgot(door)
    with pytest.raises(WeakPassword):
        await reset(door, link, "short")
    await reset(door, link)


async def test_a_reset_link_lasts_an_hour() -> None:
    door = FrontDoor()
    await door.user()
    link = await forgot(door)
    door.later(hours=1)
    with pytest.raises(BadLink):
        await reset(door, link)
    assert door.noted() == ["link.refused"]


async def test_a_session_begun_with_the_old_password_during_a_reset_does_not_survive_it() -> None:
    door = FrontDoor()
    await door.user()
    link = await forgot(door)
    begun = []

    async def sign_in() -> None:
        begun.append(await door.sign_in())

    door.meanwhile = sign_in
    await door.persistently(lambda: reset(door, link))
    with pytest.raises(SessionOver):
        await door.come_in(begun[0])
    with pytest.raises(BadRefreshToken):
        await door.refresh(begun[0].refresh_token)


async def test_a_reset_during_a_sign_in_with_the_old_password_ends_that_session() -> None:
    door = FrontDoor()
    await door.user()
    link = await forgot(door)
    door.meanwhile = lambda: reset(door, link)
    tokens = await door.sign_in()
    with pytest.raises(SessionOver):
        await door.come_in(tokens)


async def change(door: FrontDoor, tokens: Any, current: str = PASSWORD, new: str = NEW) -> None:
    words = PasswordChange(current_password=current, new_password=new)
    await door.use(ChangePassword)(await door.come_in(tokens), words)


async def test_changing_a_password_keeps_this_session_and_ends_the_others() -> None:
    door = FrontDoor()
    await door.user()
    mine, other = await door.sign_in(), await door.sign_in()
    await change(door, mine)
    await door.come_in(mine)
    mine = await door.refresh(mine.refresh_token)
    await door.come_in(mine)
    with pytest.raises(SessionOver):
        await door.come_in(other)
    with pytest.raises(BadRefreshToken):
        await door.refresh(other.refresh_token)
    await door.sign_in(password=NEW)


async def test_who_does_not_know_the_password_does_not_change_it() -> None:
    door = FrontDoor()
    await door.user()
    tokens = await door.sign_in()
    with pytest.raises(WrongPassword):
        await change(door, tokens, current="a guess at it")
    assert door.noted() == ["password.refused"]
    with pytest.raises(WeakPassword):
        await change(door, tokens, new="ann@example.com")
    await door.sign_in()


async def test_of_two_changes_at_once_one_wins_and_the_other_must_know_its_password() -> None:
    door = FrontDoor()
    await door.user()
    tokens = await door.sign_in()
    door.meanwhile = lambda: change(door, tokens, new="the first to arrive")
    with pytest.raises(WrongPassword):
        await door.persistently(lambda: change(door, tokens, new="the second to arrive"))
    await door.sign_in(password="the first to arrive")


async def test_without_the_drivers_patience_the_second_change_is_stale() -> None:
    door = FrontDoor()
    await door.user()
    tokens = await door.sign_in()
    door.meanwhile = lambda: change(door, tokens, new="the first to arrive")
    with pytest.raises(StaleVersion):
        await change(door, tokens, new="the second to arrive")


@pytest.mark.parametrize(
    "attempt",
    [
        lambda door: door.use(ChangePassword)(ANONYMOUS, PasswordChange(current_password=PASSWORD, new_password=NEW)),
    ],
)
async def test_a_stranger_changes_nothing(attempt: Callable[[FrontDoor], Awaitable[Any]]) -> None:
    with pytest.raises(Unauthenticated):
        await attempt(FrontDoor())
