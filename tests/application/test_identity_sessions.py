"""Sessions: opened, shown, exchanged and ended."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from application.identity import (
    Address,
    Authenticate,
    ConsumeMagicLink,
    EndSession,
    ForgetExpiredTokens,
    Link,
    ListSessions,
    PasswordSignIn,
    RequestMagicLink,
    SignIn,
    SignOut,
    SignOutEverywhere,
    SuspendUser,
    Suspension,
)
from domain.identity import (
    AccountSuspended,
    BadEmail,
    BadLink,
    BadRefreshToken,
    BadToken,
    Client,
    InvalidCredentials,
    Purpose,
    RefreshTokenReused,
    SessionOver,
    TokenExpired,
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Forbidden, NotFound, Refusal, Unauthenticated
from domain.shared.ids import SessionId
from tests.application.front_door import OPERATOR, PASSWORD, FrontDoor
from tests.planted.identity import LeavesThePassword

# Signing in


async def test_signing_in_gives_tokens_that_open_the_door() -> None:
    door = FrontDoor()
    user = await door.user(role=Role.PROVIDER)
    tokens = await door.sign_in()
    assert (tokens.user_id, tokens.token_type, tokens.expires_in) == (user.id, "Bearer", 600)
    actor = await door.come_in(tokens)
    assert (actor.user_id, actor.role, actor.session_id) == (user.id, Role.PROVIDER, tokens.session_id)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("nobody@example.com", PASSWORD),
        ("ann@example.com", "wrong password"),
        ("ann@example.com", ""),
        ("ann@example.com", "x" * 100_000),
        ("ann@example.com", "half \ud800"),
        ("unconfirmed@example.com", PASSWORD),
    ],
)
async def test_a_refused_sign_in_says_nothing_of_why_and_is_noted(email: str, password: str) -> None:
    door = FrontDoor()
    await door.user()
    await door.sign_up("unconfirmed@example.com")
    with pytest.raises(InvalidCredentials) as refused:
        await door.sign_in(email, password)
    assert refused.value.details == {}
    assert door.noted() == ["sign_in.refused"]
    assert door.rows("sessions") == []


async def test_an_unknown_address_costs_a_hash_like_a_known_one() -> None:
    door = FrontDoor()
    await door.user()
    judged: list[str | None] = []

    class Watched:
        async def verify_and_upgrade(self, password: str, hash: str | None) -> Any:
            judged.append(hash)
            return await door.ports["passwords"].verify_and_upgrade(password, hash)

    watched = SignIn(**{**{n: door.ports[n] for n in SIGN_IN_PORTS}, "passwords": Watched()})
    for email in ("ann@example.com", "nobody@example.com"):
        with pytest.raises(InvalidCredentials):
            await watched(ANONYMOUS, PasswordSignIn(email=email, password="wrong password"))
    assert [kept is None for kept in judged] == [False, True]


SIGN_IN_PORTS = (
    "begin",
    "clock",
    "ids",
    "access_tokens",
    "refresh_secrets",
    "security_log",
    "identity_rules",
    "passwords",
)


async def test_a_misspelt_address_is_refused_as_such() -> None:
    with pytest.raises(BadEmail):
        await FrontDoor().sign_in("ann")


async def test_a_suspended_user_hears_so_only_with_the_right_password() -> None:
    door = FrontDoor()
    user = await door.user()
    await door.use(SuspendUser)(OPERATOR, user.id, Suspension(reason="fraud"))
    with pytest.raises(AccountSuspended):
        await door.sign_in()
    with pytest.raises(InvalidCredentials):
        await door.sign_in(password="wrong password")
    assert door.noted() == ["sign_in.refused", "sign_in.refused"]


async def test_an_imported_password_is_kept_anew_on_first_use() -> None:
    import bcrypt

    door = FrontDoor()
    user = await door.user()
    async with door.begin(SYSTEM) as work:
        credential = await work.credentials.get(user.id)
        credential.upgrade(bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode())
    await door.sign_in()
    (kept,) = door.rows("credentials")
    assert kept["password_hash"].startswith("$argon2id$")
    await door.sign_in()


# Access tokens


async def test_a_forged_token_is_refused_and_noted_an_expired_one_only_refused() -> None:
    door = FrontDoor()
    await door.user()
    tokens = await door.sign_in()
    with pytest.raises(BadToken):
        await door.use(Authenticate)(tokens.access_token[:-2], Client("192.0.2.1"))
    door.later(minutes=11)
    with pytest.raises(TokenExpired):
        await door.come_in(tokens)
    assert door.noted() == ["token.forged"]


async def test_a_token_of_a_house_that_forgot_its_session_is_worthless() -> None:
    door, other = FrontDoor(), FrontDoor()
    await door.user()
    tokens = await door.sign_in()
    with pytest.raises(SessionOver):
        await other.come_in(tokens)


# Refreshing


async def test_a_refresh_token_is_exchanged_for_the_next() -> None:
    door = FrontDoor()
    await door.user()
    first = await door.sign_in()
    door.later(minutes=10)
    second = await door.refresh(first.refresh_token)
    door.later(minutes=10)
    third = await door.refresh(second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert {first.session_id, second.session_id, third.session_id} == {first.session_id}
    await door.come_in(third)
    (session,) = door.rows("sessions")
    assert session["last_used_at"] == door.clock.now()


def current(door: FrontDoor) -> list[dict[str, Any]]:
    return [row for row in door.rows("refresh_tokens") if row["rotated_at"] is None and row["revoked_at"] is None]


async def test_asked_again_within_moments_the_same_next_token_is_given() -> None:
    door = FrontDoor()
    await door.user()
    first = await door.sign_in()
    second = await door.refresh(first.refresh_token)
    door.later(seconds=10)
    again = await door.refresh(first.refresh_token)
    assert again.refresh_token == second.refresh_token
    await door.come_in(again)
    assert len(current(door)) == 1
    assert door.noted() == []


async def test_a_page_that_refreshes_many_times_at_once_stays_signed_in() -> None:
    door = FrontDoor()
    await door.user()
    first = await door.sign_in()
    answers = await asyncio.gather(*(door.persistently(lambda: door.refresh(first.refresh_token)) for _ in range(8)))
    assert len({tokens.refresh_token for tokens in answers}) == 1
    assert len(current(door)) == 1
    door.later(minutes=10)
    await door.refresh(answers[0].refresh_token)


async def test_of_two_refreshes_at_the_same_instant_both_get_the_one_next_token() -> None:
    door = FrontDoor()
    await door.user()
    first = await door.sign_in()
    winners: list[str] = []

    async def rival() -> None:
        winners.append((await door.refresh(first.refresh_token)).refresh_token)

    door.meanwhile = rival
    loser = await door.persistently(lambda: door.refresh(first.refresh_token))
    assert [loser.refresh_token] == winners
    assert len(current(door)) == 1
    assert len(door.rows("refresh_tokens")) == 2


async def test_reuse_outside_the_grace_ends_the_session_and_that_is_committed() -> None:
    door = FrontDoor()
    await door.user()
    stolen = await door.sign_in()
    mine = await door.refresh(stolen.refresh_token)
    door.later(seconds=11)
    with pytest.raises(RefreshTokenReused):
        await door.refresh(stolen.refresh_token)
    (session,) = door.rows("sessions")
    assert session["end_reason"] == "token_reused"
    assert current(door) == []
    for token in (mine.refresh_token, stolen.refresh_token):
        with pytest.raises(BadRefreshToken):
            await door.refresh(token)
    with pytest.raises(SessionOver):
        await door.come_in(mine)
    assert door.noted() == ["refresh.refused"] * 3
    assert "session.ended" in door.events()


async def test_reuse_ends_that_session_only() -> None:
    door = FrontDoor()
    await door.user()
    stolen, other = await door.sign_in(), await door.sign_in()
    await door.refresh(stolen.refresh_token)
    door.later(seconds=11)
    with pytest.raises(RefreshTokenReused):
        await door.refresh(stolen.refresh_token)
    await door.come_in(other)


@pytest.mark.parametrize("nonsense", ["", "nonsense", "half \ud800", "x" * 10_000])
async def test_an_invented_refresh_token_opens_nothing(nonsense: str) -> None:
    door = FrontDoor()
    with pytest.raises(BadRefreshToken):
        await door.refresh(nonsense)
    assert door.noted() == ["refresh.refused"]


async def test_a_session_left_alone_for_a_month_is_over() -> None:
    door = FrontDoor()
    await door.user()
    tokens = await door.sign_in()
    door.later(days=30)
    with pytest.raises(BadRefreshToken):
        await door.refresh(tokens.refresh_token)


async def test_a_suspended_user_refreshes_nothing() -> None:
    door = FrontDoor()
    user = await door.user()
    tokens = await door.sign_in()
    await door.use(SuspendUser)(OPERATOR, user.id, Suspension(reason="fraud"))
    with pytest.raises(AccountSuspended):
        await door.refresh(tokens.refresh_token)
    with pytest.raises(AccountSuspended):
        await door.come_in(tokens)


async def test_signing_out_while_refreshing_wins() -> None:
    door = FrontDoor()
    await door.user()
    tokens = await door.sign_in()
    actor = await door.come_in(tokens)
    door.meanwhile = lambda: door.use(SignOut)(actor)
    with pytest.raises(BadRefreshToken):
        await door.persistently(lambda: door.refresh(tokens.refresh_token))
    assert current(door) == []


# Magic links


async def magic(door: FrontDoor, email: str = "ann@example.com") -> str:
    await door.use(RequestMagicLink)(ANONYMOUS, Address(email=email))
    return door.mailed(Purpose.MAGIC_LINK)[-1]


async def test_a_magic_link_signs_in_once_and_confirms_the_address() -> None:
    door = FrontDoor()
    await door.sign_up()
    link = await magic(door)
    tokens = await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=link))
    await door.come_in(tokens)
    with pytest.raises(BadLink):
        await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=link))
    assert door.noted() == ["link.refused"]
    assert "user.email_verified" in door.events()


async def test_a_magic_link_shuts_out_whoever_signed_up_with_the_address_first() -> None:
    """Somebody signs up as Ann, is even let in where that needs no confirming, and waits."""
    door = FrontDoor(verified_to_sign_in=False)
    assert not await stays_in(door, ConsumeMagicLink)


async def test_a_magic_link_that_leaves_what_was_there_would_be_noticed() -> None:
    assert await stays_in(FrontDoor(verified_to_sign_in=False), LeavesThePassword)


async def stays_in(door: FrontDoor, way: type[ConsumeMagicLink]) -> bool:
    """Whether anything of theirs still opens Ann's account when Ann has come in by her mail."""
    await door.sign_up(password="a stranger's choice")
    lurking = await door.sign_in(password="a stranger's choice")
    old = await magic(door)
    tokens = await door.use(way)(ANONYMOUS, Link(token=await magic(door)))
    assert (await door.come_in(tokens)).user_id == tokens.user_id
    tries: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: door.sign_in(password="a stranger's choice"),
        lambda: door.refresh(lurking.refresh_token),
        lambda: door.come_in(lurking),
        lambda: door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=old)),
    )
    for comes_in in tries:
        with suppress(Refusal):
            await comes_in()
            return True
    return False


async def test_a_magic_link_leaves_the_password_of_somebody_whose_address_was_confirmed() -> None:
    door = FrontDoor()
    await door.user()
    await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=await magic(door)))
    await door.sign_in()


async def test_a_magic_link_lasts_a_quarter_of_an_hour() -> None:
    door = FrontDoor()
    await door.user()
    link = await magic(door)
    door.later(minutes=15)
    with pytest.raises(BadLink):
        await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=link))


async def test_a_magic_link_sent_before_a_suspension_is_worthless() -> None:
    door = FrontDoor()
    user = await door.user()
    link = await magic(door)
    await door.use(SuspendUser)(OPERATOR, user.id, Suspension(reason="fraud"))
    with pytest.raises(BadLink):
        await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=link))


# Ending sessions


async def test_signing_out_ends_this_session_and_no_other() -> None:
    door = FrontDoor()
    await door.user()
    mine, other = await door.sign_in(), await door.sign_in()
    actor = await door.come_in(mine)
    await door.use(SignOut)(actor)
    await door.use(SignOut)(actor)
    with pytest.raises(SessionOver):
        await door.come_in(mine)
    with pytest.raises(BadRefreshToken):
        await door.refresh(mine.refresh_token)
    await door.come_in(other)
    assert door.events().count("session.ended") == 1


async def test_signing_out_everywhere_ends_every_session_and_link() -> None:
    door = FrontDoor()
    await door.user()
    mine, other = await door.sign_in(), await door.sign_in()
    link = await magic(door)
    await door.use(SignOutEverywhere)(await door.come_in(mine))
    for tokens in (mine, other):
        with pytest.raises(SessionOver):
            await door.come_in(tokens)
        with pytest.raises(BadRefreshToken):
            await door.refresh(tokens.refresh_token)
    with pytest.raises(BadLink):
        await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=link))
    await door.come_in(await door.sign_in())


async def test_a_session_begun_while_all_are_ended_is_over_too() -> None:
    door = FrontDoor()
    await door.user()
    actor = await door.come_in(await door.sign_in())
    begun = []

    async def sign_in() -> None:
        begun.append(await door.sign_in())

    door.meanwhile = sign_in
    await door.use(SignOutEverywhere)(actor)
    with pytest.raises(SessionOver):
        await door.come_in(begun[0])
    with pytest.raises(BadRefreshToken):
        await door.refresh(begun[0].refresh_token)


async def test_everybody_sees_their_own_open_sessions_only() -> None:
    door = FrontDoor()
    await door.user()
    await door.user("bob@example.com")
    await door.sign_in("bob@example.com")
    old = await door.sign_in()
    door.later(minutes=1)
    new = await door.use(SignIn)(
        ANONYMOUS, PasswordSignIn(email="ann@example.com", password=PASSWORD), Client("192.0.2.1", "Firefox")
    )
    gone = await door.sign_in()
    await door.use(SignOut)(await door.come_in(gone))
    page = await door.use(ListSessions)(await door.come_in(new))
    assert [view.id for view in page.items] == [new.session_id, old.session_id]
    assert (page.items[0].ip, page.items[0].user_agent) == ("192.0.2.1", "Firefox")


async def test_one_of_ones_own_sessions_can_be_ended_and_nobody_elses() -> None:
    door = FrontDoor()
    await door.user()
    await door.user("bob@example.com")
    lost, mine, bobs = await door.sign_in(), await door.sign_in(), await door.sign_in("bob@example.com")
    actor = await door.come_in(mine)
    await door.use(EndSession)(actor, lost.session_id)
    with pytest.raises(SessionOver):
        await door.come_in(lost)
    for foreign in (bobs.session_id, SessionId(UUID(int=77))):
        with pytest.raises(NotFound) as refused:
            await door.use(EndSession)(actor, foreign)
        assert refused.value.message == "there is no such session"
    await door.come_in(bobs)
    await door.use(EndSession)(await door.admin(), bobs.session_id)
    with pytest.raises(SessionOver):
        await door.come_in(bobs)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda door: door.use(SignOut)(ANONYMOUS),
        lambda door: door.use(SignOutEverywhere)(ANONYMOUS),
        lambda door: door.use(ListSessions)(ANONYMOUS),
        lambda door: door.use(EndSession)(ANONYMOUS, SessionId(UUID(int=1))),
        lambda door: door.use(SignOut)(Actor(user_id=None)),
    ],
)
async def test_who_is_not_signed_in_ends_nothing(attempt: Callable[[FrontDoor], Awaitable[Any]]) -> None:
    with pytest.raises(Unauthenticated):
        await attempt(FrontDoor())


async def test_a_user_without_a_session_has_none_to_sign_out_of() -> None:
    door = FrontDoor()
    user = await door.user()
    with pytest.raises(Unauthenticated):
        await door.use(SignOut)(Actor(user_id=user.id))


# Sweeping


async def test_what_expired_long_ago_is_forgotten_and_what_lives_is_kept() -> None:
    door = FrontDoor()
    await door.user()
    old = await door.sign_in()
    await magic(door)
    await door.use(RequestMagicLink)(ANONYMOUS, Address(email="nobody@example.com"))
    door.later(days=36)
    fresh = await door.sign_in()
    assert await door.use(ForgetExpiredTokens)(SYSTEM) == 2
    door.later(days=2)
    assert await door.use(ForgetExpiredTokens)(SYSTEM) == 1
    assert await door.use(ForgetExpiredTokens)(SYSTEM) == 0
    with pytest.raises(BadRefreshToken):
        await door.refresh(old.refresh_token)
    await door.refresh(fresh.refresh_token)
    with pytest.raises(Forbidden):
        await door.use(ForgetExpiredTokens)(Actor(user_id=fresh.user_id))
