"""What people do at a front door, the same whoever keeps the accounts behind it: the house itself, or Supabase (as
GoTrue is known to behave: see `tests/support/gotrue.py`)."""

import asyncio
import inspect
from uuid import UUID

import pytest

from application.identity import (
    Address,
    AddressChange,
    ChangePassword,
    ConsumeMagicLink,
    CreateUser,
    DeleteUser,
    ForgotPassword,
    Link,
    ListUsers,
    NewPassword,
    NewUser,
    PasswordChange,
    RequestAddressChange,
    RequestMagicLink,
    ResendVerification,
    ResetPassword,
    RestoreUser,
    SameAddress,
    SignOut,
    SignOutEverywhere,
    SuspendUser,
    Suspension,
    UserFilter,
)
from application.identity.abroad import ABROAD
from domain.identity import (
    AccountSuspended,
    BadEmail,
    BadLink,
    BadRefreshToken,
    EmailTaken,
    HalfConfirmed,
    InvalidCredentials,
    OwnAccount,
    Purpose,
    RefreshTokenReused,
    RoleNotOpen,
    WeakPassword,
    WrongPassword,
)
from domain.shared.actors import ANONYMOUS, Role
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import UserId
from tests.application.front_door import OPERATOR, PASSWORD
from tests.contracts.entrances import ENTRANCES, AbroadEntrance, Entrance, LocalEntrance

ANN, OTHER = "ann@example.com", "another good password"


@pytest.fixture(params=ENTRANCES)
def door(request: pytest.FixtureRequest) -> Entrance:
    """Each house."""
    return ENTRANCES[request.param]()


async def confirmed(door: Entrance, email: str = ANN, **said: object) -> None:
    """Somebody has an account, and has confirmed the address."""
    await door.sign_up(email, **said)
    await door.verify(door.links_to(email, Purpose.VERIFY_EMAIL)[-1])


async def test_somebody_signs_up_confirms_and_comes_in(door: Entrance) -> None:
    await confirmed(door, name="Ann Smith", zone="Europe/Lisbon")
    first, second = await door.sign_in(), await door.sign_in(ANN.upper())
    assert first.user_id == second.user_id
    assert first.session_id != second.session_id
    (user,), (profile,) = door.rows("users"), door.rows("profiles")
    assert (user["email"], user["role"], user["email_verified_at"] is not None) == (ANN, "customer", True)
    assert (profile["name"], profile["zone"]) == ("Ann Smith", "Europe/Lisbon")


async def test_who_comes_to_offer_work_gets_an_organization(door: Entrance) -> None:
    await confirmed(door, role=Role.PROVIDER)
    actor = await door.come_in(await door.sign_in())
    assert actor.role is Role.PROVIDER
    assert len(door.rows("organizations")) == 1


async def test_an_address_that_is_taken_is_told_to_nobody_and_nothing_of_it_changes(door: Entrance) -> None:
    await confirmed(door)
    await door.sign_up(password=OTHER)
    with pytest.raises(InvalidCredentials):
        await door.sign_in(password=OTHER)
    assert (await door.sign_in()).access_token


async def test_unconfirmed_unknown_and_wrong_are_one_answer(door: Entrance) -> None:
    await door.sign_up()
    await confirmed(door, "bob@example.com")
    for email, password in ((ANN, PASSWORD), ("nobody@example.com", PASSWORD), ("bob@example.com", OTHER)):
        with pytest.raises(InvalidCredentials):
            await door.sign_in(email, password)
    assert door.noted() == ["sign_in.refused"] * 3


async def test_what_can_be_no_account_is_refused_before_anybody_is_asked(door: Entrance) -> None:
    for refusal, said in (
        (BadEmail, {"email": "nobody"}),
        (WeakPassword, {"password": "short"}),
        (WeakPassword, {"password": "password1234"}),
        (RoleNotOpen, {"role": Role.ADMIN}),
    ):
        with pytest.raises(refusal):
            await door.sign_up(**{"email": ANN, **said})  # type: ignore[arg-type]
    assert door.links_to(ANN, Purpose.VERIFY_EMAIL) == []


async def test_a_link_that_confirms_works_once_and_signs_nobody_in(door: Entrance) -> None:
    await door.sign_up()
    (link,) = door.links_to(ANN, Purpose.VERIFY_EMAIL)
    assert (await door.verify(link)).email == ANN
    for used in (link, "never was", ""):
        with pytest.raises(BadLink):
            await door.verify(used)
    assert "link.refused" in door.noted()
    assert door.rows("sessions") == []


async def test_the_link_is_sent_again_where_there_is_something_to_confirm(door: Entrance) -> None:
    await door.sign_up()
    resend = door.use(ResendVerification)
    await resend(ANONYMOUS, Address(email=ANN))
    await resend(ANONYMOUS, Address(email="nobody@example.com"))
    first, second = door.links_to(ANN, Purpose.VERIFY_EMAIL)
    assert first != second
    await door.verify(second)
    await resend(ANONYMOUS, Address(email=ANN))
    assert len(door.links_to(ANN, Purpose.VERIFY_EMAIL)) == 2


async def test_a_session_goes_on_by_its_refresh_tokens(door: Entrance) -> None:
    await confirmed(door)
    tokens = await door.sign_in()
    for _ in range(3):
        door.later(minutes=5)
        following = await door.refresh(tokens.refresh_token)
        assert following.refresh_token != tokens.refresh_token
        assert (following.session_id, following.user_id) == (tokens.session_id, tokens.user_id)
        tokens = following


async def test_who_lost_the_answer_is_given_it_again(door: Entrance) -> None:
    await confirmed(door)
    tokens = await door.sign_in()
    lost = await door.refresh(tokens.refresh_token)
    door.later(seconds=5)
    assert (await door.refresh(tokens.refresh_token)).refresh_token == lost.refresh_token


async def test_twenty_at_once_get_one_and_the_same_next_token(door: Entrance) -> None:
    await confirmed(door)
    tokens = await door.sign_in()
    answers = await asyncio.gather(*(door.persistently(lambda: door.refresh(tokens.refresh_token)) for _ in range(20)))
    assert len({answer.refresh_token for answer in answers}) == 1


async def test_a_token_that_comes_back_later_ends_the_session(door: Entrance) -> None:
    await confirmed(door)
    stolen = await door.sign_in()
    following = await door.refresh((await door.refresh(stolen.refresh_token)).refresh_token)
    door.later(minutes=1)
    with pytest.raises(RefreshTokenReused):
        await door.refresh(stolen.refresh_token)
    with pytest.raises(BadRefreshToken):
        await door.refresh(following.refresh_token)
    with pytest.raises(BadRefreshToken):
        await door.refresh("never was")


async def test_who_signs_out_is_out_here_and_nowhere_else(door: Entrance) -> None:
    await confirmed(door)
    here, there = await door.sign_in(), await door.sign_in()
    await door.use(SignOut)(await door.come_in(here))
    with pytest.raises(BadRefreshToken):
        await door.refresh(here.refresh_token)
    assert await door.refresh(there.refresh_token)


async def test_who_signs_out_everywhere_is_out_everywhere(door: Entrance) -> None:
    await confirmed(door)
    here, there = await door.sign_in(), await door.sign_in()
    await door.use(SignOutEverywhere)(await door.come_in(here))
    for tokens in (here, there):
        with pytest.raises(BadRefreshToken):
            await door.refresh(tokens.refresh_token)


async def test_a_magic_link_signs_in_once(door: Entrance) -> None:
    await confirmed(door)
    await door.use(RequestMagicLink)(ANONYMOUS, Address(email=ANN))
    await door.use(RequestMagicLink)(ANONYMOUS, Address(email="nobody@example.com"))
    (link,) = door.links_to(ANN, Purpose.MAGIC_LINK)
    tokens = await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=link))
    assert tokens.user_id == (await door.sign_in()).user_id
    with pytest.raises(BadLink):
        await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=link))
    assert door.links_to("nobody@example.com", Purpose.MAGIC_LINK) == []


async def test_a_link_gone_stale_opens_nothing(door: Entrance) -> None:
    await confirmed(door)
    await door.use(RequestMagicLink)(ANONYMOUS, Address(email=ANN))
    (link,) = door.links_to(ANN, Purpose.MAGIC_LINK)
    door.later(hours=2)
    with pytest.raises(BadLink):
        await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=link))


async def test_a_lost_password_is_set_anew_and_ends_every_session(door: Entrance) -> None:
    await confirmed(door)
    before = await door.sign_in()
    await door.use(ForgotPassword)(ANONYMOUS, Address(email=ANN))
    await door.use(ForgotPassword)(ANONYMOUS, Address(email="nobody@example.com"))
    (link,) = door.links_to(ANN, Purpose.RESET_PASSWORD)
    with pytest.raises(WeakPassword):
        await door.use(ResetPassword)(ANONYMOUS, NewPassword(token=link, password="short"))
    await door.use(ResetPassword)(ANONYMOUS, NewPassword(token=link, password=OTHER))
    with pytest.raises(BadLink):
        await door.use(ResetPassword)(ANONYMOUS, NewPassword(token=link, password=OTHER))
    with pytest.raises(BadRefreshToken):
        await door.refresh(before.refresh_token)
    with pytest.raises(InvalidCredentials):
        await door.sign_in()
    assert (await door.sign_in(password=OTHER)).user_id == before.user_id


async def test_who_knows_the_password_changes_it_and_stays(door: Entrance) -> None:
    await confirmed(door)
    here, there = await door.sign_in(), await door.sign_in()
    actor, change = await door.come_in(here), door.use(ChangePassword)
    with pytest.raises(WrongPassword):
        await change(actor, PasswordChange(current_password=OTHER, new_password=OTHER))
    with pytest.raises(WeakPassword):
        await change(actor, PasswordChange(current_password=PASSWORD, new_password="short"))
    await change(actor, PasswordChange(current_password=PASSWORD, new_password=OTHER))
    assert await door.refresh(here.refresh_token)
    with pytest.raises(BadRefreshToken):
        await door.refresh(there.refresh_token)
    assert await door.sign_in(password=OTHER)
    assert "password.refused" in door.noted()


async def test_whom_the_house_suspends_is_out_until_it_restores_them(door: Entrance) -> None:
    await confirmed(door)
    tokens = await door.sign_in()
    await door.use(SuspendUser)(OPERATOR, tokens.user_id, Suspension(reason="rude"))
    for _ in range(2):
        with pytest.raises(AccountSuspended):
            await door.sign_in()
        with pytest.raises((AccountSuspended, BadRefreshToken)):
            await door.refresh(tokens.refresh_token)
        await door.settle()
    await door.use(RestoreUser)(OPERATOR, tokens.user_id)
    await door.settle()
    assert (await door.sign_in()).user_id == tokens.user_id


async def test_an_account_made_for_somebody_is_theirs_at_once(door: Entrance) -> None:
    new = NewUser(email=ANN, password=PASSWORD, name="Ann", role=Role.PROVIDER)
    user = await door.use(CreateUser)(OPERATOR, new)
    tokens = await door.sign_in()
    assert (tokens.user_id, (await door.come_in(tokens)).role) == (user.id, Role.PROVIDER)
    with pytest.raises(EmailTaken):
        await door.use(CreateUser)(OPERATOR, new)


async def test_somebody_comes_in_by_way_of_a_provider_and_is_the_same_each_time(door: Entrance) -> None:
    first = await door.provider_sign_in("mia@example.com")
    second = await door.provider_sign_in("mia@example.com")
    assert first.user_id == second.user_id
    assert [row["email"] for row in door.rows("users")] == ["mia@example.com"]


@pytest.mark.parametrize("case", ABROAD, ids=lambda case: case.__name__)
def test_who_stands_in_for_a_use_case_is_called_like_it_and_refuses_like_it(case: type) -> None:
    stands_in = ABROAD[case]
    assert list(inspect.signature(stands_in.__call__).parameters) == list(inspect.signature(case.__call__).parameters)
    refuses: tuple[type[Refusal], ...] = stands_in.refuses  # type: ignore[attr-defined]
    assert all(issubclass(each, Refusal) for each in refuses)


# --- Another address --------------------------------------------------------------------------------------------------

NEW = "ann@elsewhere.example"


async def ask_for(door: Entrance, email: str, password: str = PASSWORD, *, by: str = ANN) -> None:
    """Somebody asks to be reached there."""
    actor = await door.come_in(await door.sign_in(by))
    await door.use(RequestAddressChange)(actor, AddressChange(email=email, current_password=password))


async def test_an_address_changes_when_the_new_one_is_confirmed(door: Entrance) -> None:
    await confirmed(door)
    await ask_for(door, NEW.upper())
    assert door.rows("users")[0]["email"] == ANN, "until then nothing changes"
    await door.sign_in(ANN)
    (link,) = door.links_to(NEW, Purpose.CHANGE_EMAIL)
    user = await door.verify(link)
    assert (user.email, user.verified) == (NEW, True)
    assert (await door.sign_in(NEW)).user_id == user.id
    with pytest.raises(InvalidCredentials):
        await door.sign_in(ANN)
    with pytest.raises(BadLink):
        await door.verify(link)
    changed = [row["payload"] for row in door.rows("outbox") if row["name"] == "user.email_changed"]
    assert [(told["before"], told["email"]) for told in changed] == [(ANN, NEW)]
    assert "user.email_changed" in {row["action"] for row in door.rows("audit")}


async def test_who_does_not_know_the_password_changes_no_address(door: Entrance) -> None:
    await confirmed(door)
    with pytest.raises(WrongPassword):
        await ask_for(door, NEW, "not the password at all")
    with pytest.raises(SameAddress):
        await ask_for(door, ANN)
    with pytest.raises(BadEmail):
        await ask_for(door, "nowhere")
    change = AddressChange(email=NEW, current_password=PASSWORD)
    with pytest.raises(Unauthenticated):
        await door.use(RequestAddressChange)(ANONYMOUS, change)
    assert door.links_to(NEW, Purpose.CHANGE_EMAIL) == []
    assert "password.refused" in door.noted()


async def test_an_address_that_is_somebody_elses_is_neither_given_nor_told(door: Entrance) -> None:
    await confirmed(door)
    await confirmed(door, NEW)
    await ask_for(door, NEW)
    assert door.links_to(NEW, Purpose.CHANGE_EMAIL) == []
    assert sorted(row["email"] for row in door.rows("users")) == sorted((ANN, NEW))


async def test_of_two_who_are_promised_an_address_the_first_to_confirm_has_it(door: Entrance) -> None:
    await confirmed(door)
    await confirmed(door, "bob@example.com")
    await ask_for(door, NEW)
    await ask_for(door, NEW, by="bob@example.com")
    first, second = door.links_to(NEW, Purpose.CHANGE_EMAIL)
    await door.verify(second)
    with pytest.raises(Refusal):
        await door.verify(first)
    assert sorted(row["email"] for row in door.rows("users")) == sorted((ANN, NEW))


async def test_links_that_went_to_the_address_before_open_nothing() -> None:
    """Here; what links of Auth are worth is Auth's to say."""
    door = LocalEntrance()
    await confirmed(door)
    await door.use(RequestMagicLink)(ANONYMOUS, Address(email=ANN))
    await door.use(ForgotPassword)(ANONYMOUS, Address(email=ANN))
    await ask_for(door, NEW)
    await door.verify(door.links_to(NEW, Purpose.CHANGE_EMAIL)[0])
    issued = [row["payload"] for row in door.rows("outbox") if row["name"] == "one_time_token.issued"]
    old = {told["purpose"]: door.links.secret(UUID(told["token_id"])) for told in issued}  # type: ignore[arg-type]
    with pytest.raises(BadLink):
        await door.use(ConsumeMagicLink)(ANONYMOUS, Link(token=old["magic_link"]))
    with pytest.raises(BadLink):
        await door.use(ResetPassword)(ANONYMOUS, NewPassword(token=old["reset_password"], password=OTHER))


@pytest.mark.parametrize("worded", [True, False])
async def test_where_both_addresses_are_asked_the_first_link_says_so(worded: bool) -> None:
    door = AbroadEntrance()
    door.auth.secure_change, door.auth.worded = True, worded
    await confirmed(door)
    await ask_for(door, NEW)
    with pytest.raises(HalfConfirmed):
        await door.verify(door.links_to(ANN, Purpose.CHANGE_EMAIL)[0])
    assert (await door.verify(door.links_to(NEW, Purpose.CHANGE_EMAIL)[0])).email == NEW


# --- Looking after accounts -------------------------------------------------------------------------------------------


async def test_a_deleted_user_is_nobody_and_what_they_did_stays(door: Entrance) -> None:
    await confirmed(door, name="Ann Smith", role=Role.PROVIDER)
    tokens = await door.sign_in()
    await door.use(DeleteUser)(OPERATOR, tokens.user_id)
    await door.settle()
    with pytest.raises(InvalidCredentials):
        await door.sign_in()
    with pytest.raises(Refusal):
        await door.refresh(tokens.refresh_token)
    (user,), (profile,) = door.rows("users"), door.rows("profiles")
    assert (user["email"], user["email_verified_at"], user["suspended_at"] is None) == (None, None, False)
    assert profile["name"] == "Somebody"
    assert door.rows("credentials") == []
    assert {row["ended_at"] is None for row in door.rows("external_identities")} <= {False}
    assert len(door.rows("organizations")) == 1
    assert "user.deleted" in {row["action"] for row in door.rows("audit")}
    await confirmed(door)
    assert (await door.sign_in()).user_id != tokens.user_id, "the address may be somebody's again"


async def test_deleting_is_for_admins_and_not_of_oneself(door: Entrance) -> None:
    await confirmed(door)
    ann = await door.come_in(await door.sign_in())
    for actor in (ann, ANONYMOUS):
        with pytest.raises(Refusal):
            await door.use(DeleteUser)(actor, ann.signed_in())
    root = await door.admin()
    with pytest.raises(OwnAccount):
        await door.use(DeleteUser)(root, root.signed_in())
    with pytest.raises(NotFound):
        await door.use(DeleteUser)(root, UserId(UUID(int=4711)))
    await door.sign_in()


async def test_everybody_who_has_an_account_is_listed(door: Entrance) -> None:
    for number in range(3):
        await confirmed(door, f"user{number}@example.com")
    await door.sign_up("nobody@example.com")
    found = await door.use(ListUsers)(OPERATOR, UserFilter())
    assert {user.email for user in found.items} - {"nobody@example.com"} == {f"user{n}@example.com" for n in range(3)}


async def test_who_has_an_account_elsewhere_and_was_never_here_is_listed_too() -> None:
    door = AbroadEntrance()
    for number in range(450):
        door.auth.add(f"user{number}@example.com", PASSWORD, name=f"User {number}").confirmed_at = door.clock.now()
    door.auth.add("waiting@example.com", PASSWORD)
    seen = await everybody(door)
    assert len(seen) == 450
    assert "waiting@example.com" not in seen, "nobody has confirmed it"
    asked = len(door.auth.asked)
    assert await everybody(door) == seen
    assert len(door.auth.asked) == asked + 1, "one page on which all are known is enough"
    door.auth.mood = "down"
    assert await everybody(door) == seen, "if nobody answers, those who were here are"


async def everybody(door: Entrance) -> set[str | None]:
    """The addresses of all who are listed."""
    found: set[str | None] = set()
    after = None
    while True:
        page = await door.use(ListUsers)(OPERATOR, UserFilter(), after=after, limit=100)
        found |= {user.email for user in page.items}
        if (after := page.next) is None:
            return found
