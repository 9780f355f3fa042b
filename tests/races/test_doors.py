"""Two at the door at once: one current refresh token per session, links that work once, addresses of one owner."""

from datetime import timedelta
from typing import Any

import pytest

from application.identity import (
    ConsumeMagicLink,
    CreateUser,
    EndSession,
    Link,
    NewUser,
    PasswordSignIn,
    RefreshSession,
    Renewal,
    RequestMagicLink,
    SignIn,
    SignUp,
    SignUpForm,
    SuspendUser,
    Suspension,
    Tokens,
)
from application.identity.letters import Address
from domain.identity import BadLink, BadRefreshToken, Purpose, RefreshTokenReused, User
from domain.shared.actors import ANONYMOUS, Actor, Kind
from domain.shared.errors import StaleVersion
from domain.shared.ids import OneTimeTokenId
from tests.races.planted import without_versions
from tests.races.town import Town, kinds

EMAIL, PASSWORD = "ann@example.com", "correct horse battery"
OPERATOR = Actor(kind=Kind.OPERATOR, name="tests")
CURRENT = "select count(*) from refresh_tokens where rotated_at is null and revoked_at is null"
LIVE = "select count(*) from sessions where revoked_at is null"


async def user(town: Town) -> User:
    made: User = await town.ask(CreateUser, OPERATOR, NewUser(email=EMAIL, password=PASSWORD, name="Ann"))
    return made


async def signed_in(town: Town) -> Tokens:
    """Ann's session."""
    await user(town)
    tokens: Tokens = await town.ask(SignIn, ANONYMOUS, PasswordSignIn(email=EMAIL, password=PASSWORD))
    town.clock.advance(timedelta(minutes=5))
    return tokens


def refresh(town: Town, tokens: Tokens) -> Any:
    return town.ask(RefreshSession, ANONYMOUS, Renewal(refresh_token=tokens.refresh_token))


async def two_tabs_refresh(town: Town, tabs: int = 2) -> None:
    tokens = await signed_in(town)
    got, refused = await town.at_once(*(refresh(town, tokens) for _ in range(tabs)))
    assert await town.value(CURRENT) == 1, "a session has two current tokens"
    assert refused == []
    assert len({each.refresh_token for each in got}) == 1


@pytest.mark.parametrize("tabs", [2, 8])
async def test_tabs_that_refresh_at_once_get_the_same_next_token(town: Town, tabs: int) -> None:
    await two_tabs_refresh(town, tabs)


async def test_without_versions_the_index_still_keeps_one_current_token(town: Town) -> None:
    careless = town.planted(without_versions)
    tokens = await signed_in(careless)
    await careless.at_once(*(refresh(careless, tokens) for _ in range(2)))
    assert await town.value(CURRENT) == 1


async def test_without_versions_and_index_a_session_has_two_current_tokens(town: Town) -> None:
    await town.owner.execute("drop index refresh_tokens_current")
    with pytest.raises(AssertionError, match="two current tokens"):
        await two_tabs_refresh(town.planted(without_versions))


async def a_copy_is_used_while_the_owner_refreshes(town: Town, *, first: str) -> None:
    """A token that was exchanged long ago comes back, in the same instant as its owner asks for the next one."""
    old = await signed_in(town)
    new = await refresh(town, old)
    town.clock.advance(timedelta(minutes=5))
    thief, owner = (old, new) if first == "thief" else (new, old)

    async def other() -> None:
        await town.at_once(refresh(town, owner), together=False)

    town.meanwhile = other
    got, refused = await town.at_once(refresh(town, thief), together=False)
    assert await town.value(LIVE) == 0, "the family lives on"
    assert await town.value(CURRENT) == 0, "the family lives on"
    assert kinds(refused) <= {RefreshTokenReused, BadRefreshToken}
    for tokens in (old, new, *got):
        with pytest.raises((BadRefreshToken, RefreshTokenReused)):
            await refresh(town, tokens)


@pytest.mark.parametrize("first", ["thief", "owner"])
async def test_reuse_kills_the_family_even_while_it_is_refreshed(town: Town, first: str) -> None:
    await a_copy_is_used_while_the_owner_refreshes(town, first=first)


async def test_without_versions_a_family_outlives_its_end(town: Town) -> None:
    with pytest.raises(AssertionError, match="family lives on"):
        await a_copy_is_used_while_the_owner_refreshes(town.planted(without_versions), first="owner")


async def test_reuse_kills_the_family_with_all_at_once(town: Town) -> None:
    old = await signed_in(town)
    new = await refresh(town, old)
    town.clock.advance(timedelta(minutes=5))
    await town.at_once(*(refresh(town, tokens) for tokens in (old, new, old, new, old)))
    assert (await town.value(LIVE), await town.value(CURRENT)) == (0, 0)


@pytest.mark.parametrize("ending", [EndSession, SuspendUser])
async def test_a_session_ended_while_it_is_refreshed_stays_ended(town: Town, ending: type) -> None:
    tokens = await signed_in(town)
    what: tuple[Any, ...] = (tokens.session_id,)
    if ending is SuspendUser:
        what = (tokens.user_id, Suspension(reason="spam"))

    async def end() -> None:
        await town.use(ending)(OPERATOR, *what)

    town.meanwhile = end
    _, refused = await town.at_once(refresh(town, tokens), together=False)
    assert len(refused) == 1
    assert (await town.value(LIVE), await town.value(CURRENT)) == (0, 0)


async def test_a_link_that_is_submitted_twice_at_once_works_once(town: Town) -> None:
    await user(town)
    await town.ask(RequestMagicLink, ANONYMOUS, Address(email=EMAIL))
    id = await town.value("select id from one_time_tokens where purpose = $1", Purpose.MAGIC_LINK)
    link = Link(token=town.ports["one_time_secrets"].secret(OneTimeTokenId(id)))
    opened, refused = await town.at_once(*(town.ask(ConsumeMagicLink, ANONYMOUS, link) for _ in range(5)))
    assert await town.value("select count(*) from sessions") == 1
    assert (len(opened), kinds(refused)) == (1, {BadLink})


async def test_an_address_belongs_to_one_of_those_who_sign_up_at_once(town: Town) -> None:
    form = SignUpForm(email=EMAIL, password=PASSWORD, name="Ann")
    _, refused = await town.at_once(*(town.ask(SignUp, ANONYMOUS, form) for _ in range(4)))
    assert await town.value("select count(*) from users") == 1
    assert await town.value("select count(*) from credentials") == 1
    assert kinds(refused) <= {StaleVersion}, "nobody learns that the address is taken"
