"""Signing up, confirming an address, and who one is."""

import pytest

from application.identity import Address, ForgotPassword, RequestMagicLink, ResendVerification, WhoAmI
from domain.identity import (
    BadEmail,
    BadLink,
    InvalidCredentials,
    Purpose,
    RoleNotOpen,
    WeakPassword,
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Invalid, Unauthenticated
from tests.application.front_door import PASSWORD, FrontDoor

VERIFY = Purpose.VERIFY_EMAIL


async def test_a_customer_signs_up_confirms_the_address_and_signs_in() -> None:
    door = FrontDoor()
    await door.sign_up("Ann@Example.com", zone="Europe/Lisbon", locale="pt-PT")
    (link,) = door.mailed(VERIFY)
    user = await door.verify(link)
    assert (user.email, user.verified, user.role) == ("ann@example.com", True, Role.CUSTOMER)
    account = await door.use(WhoAmI)(await door.come_in(await door.sign_in("ANN@example.com")))
    assert (account.email, account.name, account.zone) == ("ann@example.com", "Ann", "Europe/Lisbon")
    assert account.email_verified
    assert account.session_id is not None
    assert door.rows("organizations") == []


async def test_a_provider_gets_an_organization_without_noticing() -> None:
    door = FrontDoor()
    await door.sign_up(role=Role.PROVIDER)
    (organization,), (membership,), (user,) = door.rows("organizations"), door.rows("memberships"), door.rows("users")
    assert (organization["name"], organization["solo"], organization["owners"]) == ("Ann", True, 1)
    assert (membership["user_id"], membership["role"]) == (user["id"], "owner")


async def test_all_that_a_sign_up_makes_is_one_commit_with_its_audit() -> None:
    door = FrontDoor()
    await door.sign_up(role=Role.PROVIDER)
    actions = {row["action"] for row in door.rows("audit")}
    assert actions >= {"user.signed_up", "credentials.created", "profiles.created", "organization.founded"}
    assert actions >= {"membership.joined", "one_time_token.issued"}


async def test_no_secret_is_stored_or_told() -> None:
    door = FrontDoor()
    await door.sign_up()
    (link,) = door.mailed(VERIFY)
    await door.verify(link)
    tokens = await door.sign_in()
    everything = repr({name: table.rows for name, table in door.store.tables.items()})
    for secret in (PASSWORD, link, tokens.refresh_token, tokens.access_token):
        assert secret not in everything


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"email": "ann"}, BadEmail),
        ({"password": "short"}, WeakPassword),
        ({"password": "ann@example.com"}, WeakPassword),
        ({"name": " "}, Invalid),
        ({"zone": "Europe/Atlantis"}, Invalid),
        ({"locale": "??"}, Invalid),
        ({"role": Role.ADMIN}, RoleNotOpen),
    ],
)
@pytest.mark.parametrize("known", [False, True])
async def test_a_bad_sign_up_is_refused_alike_whether_or_not_the_address_is_known(
    said: dict[str, object], refusal: type[Exception], known: bool
) -> None:
    door = FrontDoor()
    if known:
        await door.user()
    before = len(door.rows("users"))
    with pytest.raises(refusal):
        await door.sign_up(**{"email": "ann@example.com", **said})
    assert len(door.rows("users")) == before
    assert door.rows("one_time_tokens") == []


async def test_signing_up_again_tells_the_owner_and_nobody_else() -> None:
    door = FrontDoor()
    await door.user()
    assert await door.sign_up(password="another password") is None
    assert len(door.rows("users")) == 1
    assert "user.sign_up_repeated" in door.events()
    assert door.mailed(VERIFY) == []
    await door.sign_in()
    with pytest.raises(InvalidCredentials):
        await door.sign_in(password="another password")


async def test_a_new_and_a_known_address_both_leave_one_token_behind() -> None:
    door = FrontDoor()
    await door.user()
    for email in ("ann@example.com", "bob@example.com"):
        before = len(door.rows("one_time_tokens"))
        await door.sign_up(email)
        assert len(door.rows("one_time_tokens")) == before + 1


async def test_the_owner_is_not_told_without_end() -> None:
    door = FrontDoor(letters_an_hour=2)
    await door.user()
    for _ in range(5):
        await door.sign_up()
    assert door.events().count("user.sign_up_repeated") == 2
    door.later(hours=1, seconds=1)
    await door.sign_up()
    assert door.events().count("user.sign_up_repeated") == 3


async def test_signing_up_again_before_confirming_sends_another_link_and_keeps_the_first_password() -> None:
    door = FrontDoor()
    await door.sign_up()
    await door.sign_up(password="another password")
    first, second = door.mailed(VERIFY)
    await door.verify(second)
    await door.sign_in()
    await door.verify(first)
    assert door.events().count("user.email_verified") == 1


async def test_of_two_who_sign_up_at_once_with_one_address_neither_learns_of_the_other() -> None:
    door = FrontDoor()
    door.meanwhile = lambda: door.sign_up(password="another password")
    await door.sign_up()
    assert len(door.rows("users")) == 1
    assert len(door.mailed(VERIFY)) == 2


async def test_whether_an_address_was_taken_cannot_be_told_by_signing_in_afterwards() -> None:
    door = FrontDoor()
    await door.user("ann@example.com")
    answers = []
    for email in ("ann@example.com", "bob@example.com"):
        await door.sign_up(email, password="my own password")
        with pytest.raises(InvalidCredentials) as refused:
            await door.sign_in(email, "my own password")
        answers.append((refused.value.code, refused.value.message, refused.value.details))
    assert answers[0] == answers[1]


async def test_a_house_may_let_unconfirmed_addresses_in() -> None:
    door = FrontDoor(verified_to_sign_in=False)
    await door.sign_up()
    account = await door.use(WhoAmI)(await door.come_in(await door.sign_in()))
    assert not account.email_verified


@pytest.mark.parametrize("link", ["", "nonsense", "x" * 5000, "half \ud800"])
async def test_an_invented_link_confirms_nothing_and_is_noted(link: str) -> None:
    door = FrontDoor()
    await door.sign_up()
    with pytest.raises(BadLink):
        await door.verify(link)
    assert door.noted() == ["link.refused"]


async def test_a_link_confirms_once_and_not_forever() -> None:
    door = FrontDoor()
    await door.sign_up("ann@example.com")
    await door.sign_up("bob@example.com")
    anns, bobs = door.mailed(VERIFY)
    await door.verify(anns)
    with pytest.raises(BadLink):
        await door.verify(anns)
    door.later(days=3)
    with pytest.raises(BadLink):
        await door.verify(bobs)


async def test_of_two_who_use_one_link_at_once_one_is_refused() -> None:
    door = FrontDoor()
    await door.sign_up()
    (link,) = door.mailed(VERIFY)
    door.meanwhile = lambda: door.verify(link)
    with pytest.raises(BadLink):
        await door.persistently(lambda: door.verify(link))
    assert door.events().count("user.email_verified") == 1


async def test_a_link_works_for_its_own_purpose_only() -> None:
    door = FrontDoor()
    await door.user()
    await door.use(RequestMagicLink)(ANONYMOUS, Address(email="ann@example.com"))
    (magic,) = door.mailed(Purpose.MAGIC_LINK)
    with pytest.raises(BadLink):
        await door.verify(magic)


@pytest.mark.parametrize("use_case", [ResendVerification, ForgotPassword, RequestMagicLink])
async def test_asking_for_a_link_leaves_the_same_trace_for_known_and_unknown_addresses(use_case: type) -> None:
    door = FrontDoor()
    await door.sign_up("ann@example.com")
    shapes = []
    for email in ("ann@example.com", "nobody@example.com"):
        before = {name: len(table.rows) for name, table in door.store.tables.items()}
        assert await door.use(use_case)(ANONYMOUS, Address(email=email)) is None
        shapes.append({name: len(table.rows) - before[name] for name, table in door.store.tables.items()})
    assert shapes[0] == shapes[1]
    assert shapes[0]["one_time_tokens"] == 1
    with pytest.raises(BadEmail):
        await door.use(use_case)(ANONYMOUS, Address(email="nobody"))


async def test_a_confirmed_address_is_not_asked_to_confirm_again() -> None:
    door = FrontDoor()
    await door.user()
    await door.use(ResendVerification)(ANONYMOUS, Address(email="ann@example.com"))
    assert door.mailed(VERIFY) == []
    await door.sign_up("bob@example.com")
    await door.use(ResendVerification)(ANONYMOUS, Address(email="bob@example.com"))
    assert len(door.mailed(VERIFY)) == 2


async def test_a_mailbox_is_not_flooded() -> None:
    door = FrontDoor(letters_an_hour=3)
    await door.user()
    for _ in range(10):
        await door.use(ForgotPassword)(ANONYMOUS, Address(email="ann@example.com"))
    assert len(door.mailed(Purpose.RESET_PASSWORD)) == 3
    door.later(hours=1, seconds=1)
    await door.use(ForgotPassword)(ANONYMOUS, Address(email="ann@example.com"))
    assert len(door.mailed(Purpose.RESET_PASSWORD)) == 4


async def test_whoever_asks_too_often_cannot_keep_the_owner_from_asking_later() -> None:
    door = FrontDoor(letters_an_hour=2)
    await door.user()
    for _ in range(90):
        await door.use(ForgotPassword)(ANONYMOUS, Address(email="ann@example.com"))
        door.later(minutes=1)
    assert len(door.mailed(Purpose.RESET_PASSWORD)) == 4


async def test_nobody_in_particular_has_no_account() -> None:
    door = FrontDoor()
    for actor in (ANONYMOUS, SYSTEM, Actor()):
        with pytest.raises(Unauthenticated):
            await door.use(WhoAmI)(actor)
