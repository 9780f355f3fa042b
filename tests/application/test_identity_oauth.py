"""Signing in by way of a provider: away, back and in; and who somebody is whom a provider vouches for."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from application.identity import (
    ChangePassword,
    Comeback,
    Departure,
    FinishSignIn,
    ForgetExpiredTokens,
    ForgotPassword,
    LinkProvider,
    ListIdentities,
    NewPassword,
    PasswordChange,
    ResetPassword,
    ReturnFromProvider,
    StartSignIn,
    SuspendUser,
    Suspension,
    UnlinkIdentity,
    Voucher,
)
from application.identity.letters import Address
from domain.identity import (
    AccountSuspended,
    AddressUnproven,
    BadFlow,
    BadLink,
    BadReturn,
    IdentityTaken,
    InvalidCredentials,
    LastWayIn,
    NoSuchProvider,
    Origin,
    Provider,
    Purpose,
    SessionOver,
    SignInFirst,
    WrongPassword,
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Role
from domain.shared.errors import Invalid, NotFound, Unauthenticated
from tests.application.front_door import PASSWORD, VERIFIER, FrontDoor

CHALLENGE = "c" * 43


@pytest.fixture
def door() -> FrontDoor:
    """A house whose providers know Mia."""
    door = FrontDoor()
    for vouching in door.vouching.values():
        vouching.knows()
    return door


async def leave(door: FrontDoor, provider: Provider = Provider.GITHUB, **said: str) -> tuple[str, str]:
    """Somebody leaves; the state they carry, and what their browser keeps."""
    departure = Departure(**{"return_to": "https://app.example/in", "challenge": CHALLENGE, **said})
    gone = await door.use(StartSignIn)(ANONYMOUS, provider, departure)
    return parse_qs(urlsplit(gone.address).query)["state"][0], gone.browser


async def come_back(
    door: FrontDoor, state: str, browser: str, provider: Provider = Provider.GITHUB, **said: str
) -> str:
    """They come back; where they go on to."""
    comeback = Comeback(**{"code": "mia", "state": state, **said})
    return await door.use(ReturnFromProvider)(ANONYMOUS, provider, comeback, browser)


# --- There and back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", Provider)
async def test_somebody_new_comes_in_and_has_an_account_from_then_on(door: FrontDoor, provider: Provider) -> None:
    tokens = await door.sign_in_by(provider)
    actor = await door.come_in(tokens)
    assert (actor.user_id, actor.role) == (tokens.user_id, Role.CUSTOMER)
    (user,) = door.rows("users")
    assert (user["email"], user["email_verified_at"]) == ("mia@example.com", door.clock.now())
    assert door.rows("profiles")[0]["name"] == "Mia"
    assert door.rows("credentials") == []
    assert [row["method"] for row in door.rows("sessions")] == [provider.value]
    again = await door.sign_in_by(provider)
    assert again.user_id == tokens.user_id
    assert again.session_id != tokens.session_id


async def test_the_way_back_goes_to_the_front_end_with_a_code_and_nothing_else(door: FrontDoor) -> None:
    state, browser = await leave(door, return_to="https://app.example/in?x=1")
    parts = urlsplit(await come_back(door, state, browser))
    assert (parts.netloc, parts.path) == ("app.example", "/in")
    assert parse_qs(parts.query).keys() == {"x", "code"}


async def test_without_a_front_end_the_house_shows_a_page_and_the_browser_keeps_the_verifier(door: FrontDoor) -> None:
    gone = await door.use(StartSignIn)(ANONYMOUS, Provider.GITHUB, Departure())
    state = parse_qs(urlsplit(gone.address).query)["state"][0]
    parts = urlsplit(await come_back(door, state, gone.browser))
    assert (parts.netloc, parts.path) == ("house.example", "/signed-in")
    voucher = Voucher(code=parse_qs(parts.query)["code"][0], verifier=gone.browser)
    assert (await door.use(FinishSignIn)(ANONYMOUS, voucher)).access_token


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example/in",
        "https://app.example.evil.example/in",
        "https://app.example@evil.example/in",
        "https://user:pw@app.example/in",
        "https://app.example:444/in",
        "http://app.example/in",
        "//app.example/in",
        "/in",
        "javascript:alert(1)//https://app.example",
        "https://app.example\\@evil.example/in",
        "https://app.example /in",
        "https://app.example/in\r\nSet-Cookie: a=b",
        "https://app.example/in#code=",
        "https://APP.example/in",
        "https://app.example/" + "x" * 1000,
        "https://[app.example/in",
        "https://app.example:port/in",
        "https://аpp.example/in",
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_houses(door: FrontDoor, return_to: str) -> None:
    with pytest.raises(BadReturn):
        await leave(door, return_to=return_to)
    assert door.rows("oauth_flows") == []


@pytest.mark.parametrize("challenge", ["", "c" * 42, "c" * 44, "c" * 42 + "=", "c" * 42 + " "])
async def test_a_front_end_guards_its_code_with_a_challenge(door: FrontDoor, challenge: str) -> None:
    with pytest.raises(Invalid):
        await leave(door, challenge=challenge)


async def test_only_providers_the_house_has_an_account_with_are_offered(door: FrontDoor) -> None:
    state, browser = await leave(door)
    del door.vouching[Provider.GITHUB]
    with pytest.raises(NoSuchProvider):
        await leave(door)
    with pytest.raises(NoSuchProvider):
        await come_back(door, state, browser)


async def test_who_comes_back_in_another_browser_goes_nowhere(door: FrontDoor) -> None:
    state, browser = await leave(door)
    _, another = await leave(door)
    for other in (another, ""):
        with pytest.raises(BadFlow):
            await come_back(door, state, other)
    assert door.noted() == ["flow.refused"] * 2
    assert "code=" in await come_back(door, state, browser)


async def test_nobody_comes_back_twice_or_late_or_from_another_provider_or_out_of_nowhere(door: FrontDoor) -> None:
    state, browser = await leave(door)
    await come_back(door, state, browser)
    with pytest.raises(BadFlow):
        await come_back(door, state, browser)
    state, browser = await leave(door)
    with pytest.raises(BadFlow):
        await come_back(door, state, browser, Provider.GOOGLE)
    door.later(minutes=10)
    with pytest.raises(BadFlow):
        await come_back(door, state, browser)
    with pytest.raises(BadFlow):
        await come_back(door, "", browser)


@pytest.mark.parametrize("answer", [{"error": "access_denied", "code": ""}, {"code": ""}])
async def test_a_no_of_the_provider_is_told_to_the_front_end(door: FrontDoor, answer: dict[str, str]) -> None:
    state, browser = await leave(door)
    told = parse_qs(urlsplit(await come_back(door, state, browser, **answer)).query)
    assert told["error"] == ["identity.provider_declined"]
    assert "code" not in told


async def test_a_provider_that_does_not_answer_is_told_to_the_front_end(door: FrontDoor) -> None:
    state, browser = await leave(door)
    door.vouching[Provider.GITHUB].away = True
    assert "identity.provider_unavailable" in await come_back(door, state, browser)


async def test_a_code_is_worth_nothing_without_its_verifier_and_works_once_and_not_for_long(door: FrontDoor) -> None:
    voucher = await door.by_way_of()
    with pytest.raises(BadFlow):
        await door.use(FinishSignIn)(ANONYMOUS, Voucher(code=voucher.code, verifier="somebody else's"))
    await door.use(FinishSignIn)(ANONYMOUS, voucher)
    with pytest.raises(BadFlow):
        await door.use(FinishSignIn)(ANONYMOUS, voucher)
    late = await door.by_way_of()
    door.later(minutes=5)
    with pytest.raises(BadFlow):
        await door.use(FinishSignIn)(ANONYMOUS, late)
    with pytest.raises(BadFlow):
        await door.use(FinishSignIn)(ANONYMOUS, Voucher(code="", verifier=VERIFIER))
    assert set(door.noted()) == {"sign_in.refused"}


async def test_of_a_flow_only_hashes_are_stored_and_of_the_person_nothing_once_they_are_in(door: FrontDoor) -> None:
    state, browser = await leave(door)
    code = parse_qs(urlsplit(await come_back(door, state, browser)).query)["code"][0]
    (flow,) = door.rows("oauth_flows")
    assert not {state, browser, code} & {str(value) for value in flow.values()}
    await door.use(FinishSignIn)(ANONYMOUS, await door.by_way_of())
    assert [row["stranger"] is None for row in door.rows("oauth_flows")] == [False, True]


# --- Who somebody is --------------------------------------------------------------------------------------------------


async def test_an_account_that_confirmed_the_same_address_is_theirs(door: FrontDoor) -> None:
    ann = await door.user("mia@example.com")
    tokens = await door.sign_in_by()
    assert tokens.user_id == ann.id
    assert (await door.sign_in("mia@example.com")).user_id == ann.id
    assert [row["origin"] for row in door.rows("external_identities")] == ["verified_email"]


async def test_a_house_may_want_people_to_sign_in_first() -> None:
    door = FrontDoor(joins_by_address=False)
    door.vouching[Provider.GITHUB].knows()
    await door.user("mia@example.com")
    with pytest.raises(SignInFirst):
        await door.sign_in_by()
    assert door.rows("external_identities") == []


async def test_who_lay_in_wait_at_an_unconfirmed_address_loses_everything_to_its_owner() -> None:
    door = FrontDoor(verified_to_sign_in=False)
    door.vouching[Provider.GITHUB].knows()
    await door.sign_up("mia@example.com", name="Mallory")
    lurking = await door.sign_in("mia@example.com")
    (link,) = door.mailed(Purpose.VERIFY_EMAIL)
    owner = await door.sign_in_by()
    assert owner.user_id == lurking.user_id
    with pytest.raises(SessionOver):
        await door.come_in(lurking)
    with pytest.raises(InvalidCredentials):
        await door.sign_in("mia@example.com")
    with pytest.raises(BadLink):
        await door.verify(link)
    assert door.rows("credentials") == []
    assert door.rows("profiles")[0]["name"] == "Mia"
    assert [row["end_reason"] for row in door.rows("sessions")] == ["claimed", None]
    assert (await door.come_in(owner)).user_id == owner.user_id


async def test_an_address_nobody_confirmed_opens_nothing_and_makes_nobody(door: FrontDoor) -> None:
    await door.user("victim@example.com")
    door.vouching[Provider.GITHUB].knows("eve", subject="666", email="victim@example.com", email_verified=False)
    door.vouching[Provider.GITHUB].knows("nil", subject="667", email=None, email_verified=False)
    for code in ("eve", "nil"):
        with pytest.raises(AddressUnproven):
            await door.sign_in_by(code=code)
    assert len(door.rows("users")) == 1
    assert door.rows("external_identities") == []


async def test_an_address_that_changes_at_the_provider_changes_nobody(door: FrontDoor) -> None:
    mia = await door.sign_in_by()
    door.vouching[Provider.GITHUB].knows(email="else@example.com", email_verified=False)
    assert (await door.sign_in_by()).user_id == mia.user_id
    assert [row["email"] for row in door.rows("users")] == ["mia@example.com"]
    door.vouching[Provider.GITHUB].knows("new", subject="4712")
    assert (await door.sign_in_by(code="new")).user_id == mia.user_id


async def test_whom_the_house_suspended_no_provider_brings_in(door: FrontDoor) -> None:
    mia = await door.sign_in_by()
    await door.use(SuspendUser)(await door.admin(), mia.user_id, Suspension(reason="rude"))
    with pytest.raises(AccountSuspended):
        await door.sign_in_by()
    door.vouching[Provider.GOOGLE].knows(subject="another")
    with pytest.raises(AccountSuspended):
        await door.sign_in_by(Provider.GOOGLE)


async def test_of_two_first_sights_at_once_one_makes_the_user(door: FrontDoor) -> None:
    first, second = await door.by_way_of(), await door.by_way_of()
    seen: list[Any] = []

    async def faster() -> None:
        seen.append(await door.use(FinishSignIn)(ANONYMOUS, first))

    door.meanwhile = faster
    later = await door.use(FinishSignIn)(ANONYMOUS, second)
    assert later.user_id == seen[0].user_id
    assert (len(door.rows("users")), len(door.rows("external_identities"))) == (1, 1)


async def test_who_never_had_a_password_sets_one_by_mail_and_cannot_change_what_is_not_there(door: FrontDoor) -> None:
    tokens = await door.sign_in_by()
    actor = await door.come_in(tokens)
    change = PasswordChange(current_password=PASSWORD, new_password="another good one")
    with pytest.raises(WrongPassword):
        await door.use(ChangePassword)(actor, change)
    await door.use(ForgotPassword)(ANONYMOUS, Address(email="mia@example.com"))
    (link,) = door.mailed(Purpose.RESET_PASSWORD)
    await door.use(ResetPassword)(ANONYMOUS, NewPassword(token=link, password=PASSWORD))
    assert (await door.sign_in("mia@example.com")).user_id == actor.user_id
    with pytest.raises(SessionOver):
        await door.come_in(tokens)


# --- More ways in, and fewer ------------------------------------------------------------------------------------------


async def test_somebody_signed_in_links_another_way_in_whatever_its_address(door: FrontDoor) -> None:
    await door.user()
    actor = await door.come_in(await door.sign_in())
    door.vouching[Provider.GITHUB].knows("private", subject="1", email="other@example.org", email_verified=False)
    identity = await door.use(LinkProvider)(actor, await door.by_way_of(code="private"))
    assert (identity.user_id, identity.origin) == (actor.user_id, Origin.SIGNED_IN)
    assert (await door.sign_in_by(code="private")).user_id == actor.user_id
    found = await door.use(ListIdentities)(actor)
    assert [(each.issuer, each.subject) for each in found.items] == [("https://github.example", "1")]
    again = await door.use(LinkProvider)(actor, await door.by_way_of(code="private"))
    assert again.id == identity.id


async def test_what_is_somebody_elses_way_in_becomes_nobody_elses(door: FrontDoor) -> None:
    mia = await door.sign_in_by()
    await door.user()
    ann = await door.come_in(await door.sign_in())
    with pytest.raises(IdentityTaken):
        await door.use(LinkProvider)(ann, await door.by_way_of())
    with pytest.raises(Unauthenticated):
        await door.use(LinkProvider)(ANONYMOUS, await door.by_way_of())
    assert [row["user_id"] for row in door.rows("external_identities")] == [mia.user_id]
    with pytest.raises(NotFound):
        await door.use(UnlinkIdentity)(ann, door.rows("external_identities")[0]["id"])


async def test_a_sign_in_begun_by_another_links_nothing_to_whoever_is_lured_into_it(door: FrontDoor) -> None:
    """The code of the thief's own sign-in ends up in the victim's front end, which keeps another verifier."""
    await door.user()
    victim = await door.come_in(await door.sign_in())
    thiefs = await door.by_way_of(verifier="what the thief keeps")
    with pytest.raises(BadFlow):
        await door.use(LinkProvider)(victim, Voucher(code=thiefs.code, verifier=VERIFIER))
    assert door.rows("external_identities") == []


async def test_the_last_way_in_stays(door: FrontDoor) -> None:
    actor = await door.come_in(await door.sign_in_by(Provider.GITHUB))
    await door.sign_in_by(Provider.GOOGLE)
    first, last = (row["id"] for row in door.rows("external_identities"))
    unlink = door.use(UnlinkIdentity)
    await unlink(actor, first)
    with pytest.raises(LastWayIn):
        await unlink(actor, last)
    await door.use(ForgotPassword)(ANONYMOUS, Address(email="mia@example.com"))
    (link,) = door.mailed(Purpose.RESET_PASSWORD)
    await door.use(ResetPassword)(ANONYMOUS, NewPassword(token=link, password=PASSWORD))
    await unlink(await door.come_in(await door.sign_in("mia@example.com")), last)
    assert door.rows("external_identities") == []


async def test_of_two_who_take_the_last_two_ways_in_at_once_one_is_refused(door: FrontDoor) -> None:
    actor = await door.come_in(await door.sign_in_by(Provider.GITHUB))
    await door.sign_in_by(Provider.GOOGLE)
    first, last = (row["id"] for row in door.rows("external_identities"))
    unlink = door.use(UnlinkIdentity)

    async def faster() -> None:
        await unlink(actor, first)

    door.meanwhile = faster
    with pytest.raises(LastWayIn):
        await door.persistently(lambda: unlink(actor, last))
    assert len(door.rows("external_identities")) == 1


async def test_flows_long_over_are_forgotten(door: FrontDoor) -> None:
    await door.by_way_of()
    door.later(days=8)
    await door.use(ForgetExpiredTokens)(SYSTEM)
    assert door.rows("oauth_flows") == []
