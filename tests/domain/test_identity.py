"""What is true of users, passwords, sessions and mailed links."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import (
    AccountSuspended,
    AlreadySuspended,
    BadEmail,
    BadLink,
    Client,
    Credential,
    EmailVerified,
    EndReason,
    IdentityRules,
    NotSuspended,
    OneTimeToken,
    OneTimeTokenDeclined,
    OneTimeTokenIssued,
    OwnAccount,
    PasswordChanged,
    PasswordPolicy,
    Purpose,
    RefreshToken,
    RoleChanged,
    RoleNotOpen,
    Session,
    SessionEnded,
    SessionOpened,
    SessionsEnded,
    SignInMethod,
    Standing,
    User,
    UserCreated,
    UserDeleted,
    UserRestored,
    UserSignedUp,
    UserSuspended,
    WeakPassword,
    email_address,
)
from domain.shared.actors import Actor, Kind, Role
from domain.shared.errors import Forbidden, Invalid
from domain.shared.ids import OneTimeTokenId, RefreshTokenId, SessionId, UserId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = UserId(UUID(int=1))
SESSION = SessionId(UUID(int=2))
TOKEN = RefreshTokenId(UUID(int=3))
LINK = OneTimeTokenId(UUID(int=4))
ADMIN = Actor(user_id=UserId(UUID(int=9)), role=Role.ADMIN)
OPERATOR = Actor(kind=Kind.OPERATOR)
GRACE = timedelta(seconds=10)


def ann(role: Role = Role.CUSTOMER) -> User:
    user = User.sign_up(id=ANN, email="Ann@Example.com", role=role, now=NOW)
    user.take_events()
    return user


def session() -> Session:
    opened = Session.open(
        id=SESSION, user_id=ANN, epoch=1, method=SignInMethod.PASSWORD, client=Client("192.0.2.1", "curl"), now=NOW
    )
    opened.take_events()
    return opened


def refresh_token() -> RefreshToken:
    return RefreshToken.issue(id=TOKEN, session_id=SESSION, token_hash="h", lifetime=timedelta(days=30), now=NOW)


def link(purpose: Purpose = Purpose.RESET_PASSWORD) -> OneTimeToken:
    return OneTimeToken.issue(
        id=LINK, user_id=ANN, epoch=1, purpose=purpose, token_hash="h", lifetime=timedelta(hours=1), now=NOW
    )


# Addresses


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann.Lee+Tag@EXAMPLE.Com ", "ann.lee+tag@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("o'brien@sub.example.co.uk", "o'brien@sub.example.co.uk"),
    ],
)
def test_an_address_is_kept_in_lower_case_and_ascii(written: str, kept: str) -> None:
    assert email_address(written) == kept


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@localhost",
        "ann@10.0.0.1",
        "an n@example.com",
        "ann@exam ple.com",
        "ann@@example.com",
        ".ann@example.com",
        "ann.@example.com",
        "a..n@example.com",
        "änn@example.com",
        "ann@-example.com",
        "ann@example-.com",
        "ann@example..com",
        "ann@ü" + "x" * 70 + ".com",
        "a" * 65 + "@example.com",
        "ann@" + ".".join(["x" * 60] * 5) + ".com",
        "ann\n@example.com",
        "ann\x00@example.com",
        "ann@example.com\ud800",
        "<ann@example.com>",
    ],
)
def test_what_no_mail_can_reach_is_no_address(nonsense: str) -> None:
    with pytest.raises(BadEmail):
        email_address(nonsense)


@given(st.text(max_size=300))
def test_an_address_is_refused_or_comes_out_the_same_twice(written: str) -> None:
    try:
        kept = email_address(written)
    except BadEmail:
        return
    assert email_address(kept) == kept == kept.lower()
    assert kept.isascii()


def test_a_user_is_never_stored_under_an_address_in_another_spelling() -> None:
    with pytest.raises(BadEmail):
        User(id=ANN, email="Ann@example.com", role=Role.CUSTOMER, created_at=NOW)


# Users


def test_who_signs_up_has_not_confirmed_the_address() -> None:
    user = User.sign_up(id=ANN, email="Ann@Example.com", role=Role.PROVIDER, now=NOW)
    assert not user.verified
    assert user.take_events() == [UserSignedUp(user_id=ANN, email="ann@example.com", role=Role.PROVIDER)]


def test_nobody_signs_up_as_an_admin() -> None:
    with pytest.raises(RoleNotOpen):
        User.sign_up(id=ANN, email="ann@example.com", role=Role.ADMIN, now=NOW)


def test_who_is_created_by_the_house_counts_as_confirmed() -> None:
    user = User.create(id=ANN, email="ann@example.com", role=Role.ADMIN, now=NOW)
    assert user.verified
    assert user.take_events() == [UserCreated(user_id=ANN, email="ann@example.com", role=Role.ADMIN)]


def test_an_address_is_confirmed_once() -> None:
    user = ann()
    user.verify_email(now=NOW)
    user.verify_email(now=NOW + timedelta(days=1))
    assert user.email_verified_at == NOW
    assert user.take_events() == [EmailVerified(user_id=ANN, email="ann@example.com")]


def test_ending_all_sessions_begins_a_new_epoch() -> None:
    user = ann()
    user.end_sessions(keep=True)
    assert user.epoch == 2
    assert user.take_events() == [SessionsEnded(user_id=ANN, kept=True)]


def test_suspension_ends_everything_and_is_lifted_again() -> None:
    user = ann()
    user.must_be_welcome()
    user.suspend(by=ADMIN, reason=" fraud ", now=NOW)
    assert (user.suspended_at, user.epoch) == (NOW, 2)
    with pytest.raises(AccountSuspended):
        user.must_be_welcome()
    with pytest.raises(AlreadySuspended):
        user.suspend(by=ADMIN, reason="again", now=NOW)
    user.restore(by=OPERATOR)
    assert not user.suspended
    with pytest.raises(NotSuspended):
        user.restore(by=OPERATOR)
    assert user.take_events() == [UserSuspended(user_id=ANN, reason="fraud"), UserRestored(user_id=ANN)]


def test_a_deleted_user_has_no_address_and_no_way_in() -> None:
    user = ann()
    user.delete(by=ADMIN, now=NOW)
    assert (user.email, user.verified, user.suspended_at) == (None, False, NOW)
    assert user.take_events() == [UserSuspended(user_id=ANN, reason="deleted"), UserDeleted(user_id=ANN)]
    user.delete(by=ADMIN, now=NOW + timedelta(days=1))
    assert (user.suspended_at, user.take_events()) == (NOW, [UserDeleted(user_id=ANN)])
    with pytest.raises(OwnAccount):
        ann().delete(by=Actor(user_id=ANN, role=Role.ADMIN), now=NOW)


def test_a_suspension_without_a_reason_changes_nothing() -> None:
    user = ann()
    with pytest.raises(Invalid):
        user.suspend(by=ADMIN, reason="  ", now=NOW)
    assert not user.suspended


def test_a_role_changes_and_says_from_what() -> None:
    user = ann()
    user.change_role(Role.PROVIDER, by=ADMIN)
    user.change_role(Role.PROVIDER, by=ADMIN)
    assert user.take_events() == [RoleChanged(user_id=ANN, before=Role.CUSTOMER, role=Role.PROVIDER)]


def test_admins_do_none_of_this_to_themselves() -> None:
    myself = Actor(user_id=ANN, role=Role.ADMIN)
    user = ann()
    with pytest.raises(OwnAccount):
        user.suspend(by=myself, reason="enough", now=NOW)
    with pytest.raises(OwnAccount):
        user.restore(by=myself)
    with pytest.raises(OwnAccount):
        user.change_role(Role.CUSTOMER, by=myself)


def test_only_admins_look_after_users() -> None:
    with pytest.raises(Forbidden):
        ann().change_role(Role.PROVIDER, by=Actor(user_id=ANN, role=Role.PROVIDER))


# Passwords


@pytest.mark.parametrize("password", ["correct horse battery", "Tr0ub4dor&3x", "пароль длинный", "1029384756a"])
def test_a_long_password_of_any_script_will_do(password: str) -> None:
    PasswordPolicy().judge(password, email="ann@example.com")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "length"),
        ("x" * 129, "length"),
        ("a tab\tin between", "characters"),
        ("nothing\x00to see", "characters"),
        ("half a pair \ud800", "characters"),
        ("Ann.Example@Example.com", "email"),
        ("my ann.example@example.com", "email"),
        ("ANN.EXAMPLE", "email"),
        ("Password123", "common"),
        ("qwertyuiop", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("121212121212", "common"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        PasswordPolicy().judge(password, email="ann.example@example.com")
    assert refused.value.details["reason"] == reason
    assert password not in refused.value.message


def test_a_policy_cannot_ask_for_less_than_is_safe() -> None:
    with pytest.raises(Invalid):
        PasswordPolicy(shortest=4)
    with pytest.raises(Invalid):
        PasswordPolicy(shortest=20, longest=12)


def test_a_changed_password_is_news_and_a_better_hash_is_not() -> None:
    credential = Credential.create(id=ANN, password_hash="old", now=NOW)
    credential.upgrade(None)
    credential.upgrade("same, stronger")
    assert (credential.password_hash, credential.changed_at, credential.take_events()) == ("same, stronger", NOW, [])
    later = NOW + timedelta(days=1)
    credential.change("new", reset=True, now=later)
    assert (credential.password_hash, credential.changed_at) == ("new", later)
    events = credential.take_events()
    assert events == [PasswordChanged(user_id=ANN, reset=True)]
    assert "new" not in repr(events)


# Sessions


def test_a_session_remembers_where_it_began() -> None:
    opened = Session.open(
        id=SESSION, user_id=ANN, epoch=3, method=SignInMethod.MAGIC_LINK, client=Client("192.0.2.1", "curl"), now=NOW
    )
    assert (opened.ip, opened.user_agent, opened.last_used_at) == ("192.0.2.1", "curl", NOW)
    assert opened.take_events() == [SessionOpened(session_id=SESSION, user_id=ANN, method=SignInMethod.MAGIC_LINK)]


def test_what_a_client_says_of_itself_is_made_fit_to_keep() -> None:
    client = Client(ip="1" * 99, user_agent=" Mozilla\x00\n\ud800/5.0 " + "x" * 300)
    assert len(client.ip) == 45
    assert client.user_agent.startswith("Mozilla/5.0 x")
    assert len(client.user_agent) == 200


def test_a_session_counts_in_its_own_epoch_only() -> None:
    kept = session()
    assert kept.live(epoch=1)
    assert not kept.live(epoch=2)
    kept.carry_over(epoch=2)
    assert kept.live(epoch=2)


def test_an_ended_session_stays_ended() -> None:
    ended = session()
    ended.end(EndReason.SIGNED_OUT, now=NOW)
    ended.end(EndReason.TOKEN_REUSED, now=NOW + GRACE)
    assert (ended.revoked_at, ended.end_reason) == (NOW, EndReason.SIGNED_OUT)
    assert not ended.live(epoch=1)
    assert ended.take_events() == [SessionEnded(session_id=SESSION, user_id=ANN, reason=EndReason.SIGNED_OUT)]


def test_use_moves_a_session_forward_never_back() -> None:
    used = session()
    used.touch(client=Client("198.51.100.7", ""), now=NOW + GRACE)
    used.touch(client=Client(), now=NOW)
    assert (used.last_used_at, used.ip, used.user_agent) == (NOW + GRACE, "198.51.100.7", "curl")


# Refresh tokens


def test_a_refresh_token_is_current_until_it_expires() -> None:
    token = refresh_token()
    assert token.standing(grace=GRACE, now=NOW) is Standing.CURRENT
    assert token.standing(grace=GRACE, now=token.expires_at - timedelta(microseconds=1)) is Standing.CURRENT
    assert token.standing(grace=GRACE, now=token.expires_at) is Standing.EXPIRED


def test_an_exchanged_token_may_come_back_for_a_moment_and_then_means_a_copy() -> None:
    token = refresh_token()
    token.rotate(now=NOW)
    assert token.standing(grace=GRACE, now=NOW + GRACE) is Standing.ROTATED
    assert token.standing(grace=GRACE, now=NOW + GRACE + timedelta(microseconds=1)) is Standing.REUSED


def test_a_revoked_token_is_revoked_even_within_its_grace() -> None:
    token = refresh_token()
    token.rotate(now=NOW)
    token.revoke(now=NOW)
    token.revoke(now=NOW + GRACE)
    assert token.revoked_at == NOW
    assert token.standing(grace=GRACE, now=NOW) is Standing.REVOKED


@given(st.lists(st.sampled_from(["rotate", "revoke", "wait"]), max_size=12))
def test_once_revoked_nothing_brings_a_token_back(steps: list[str]) -> None:
    token, now, revoked = refresh_token(), NOW, False
    for step in steps:
        match step:
            case "rotate":
                token.rotate(now=now)
            case "revoke":
                token.revoke(now=now)
                revoked = True
            case _:
                now += timedelta(seconds=7)
        assert (token.standing(grace=GRACE, now=now) is Standing.REVOKED) == revoked


# Links


def test_a_link_works_once() -> None:
    token = link()
    assert token.take_events() == [
        OneTimeTokenIssued(token_id=LINK, user_id=ANN, purpose=Purpose.RESET_PASSWORD),
    ]
    token.use(epoch=1, now=NOW)
    assert token.used_at == NOW
    with pytest.raises(BadLink):
        token.use(epoch=1, now=NOW)


def test_a_link_expires() -> None:
    with pytest.raises(BadLink):
        link().use(epoch=1, now=NOW + timedelta(hours=1))


def test_a_link_of_an_earlier_epoch_is_worthless() -> None:
    with pytest.raises(BadLink):
        link().use(epoch=2, now=NOW)


def test_a_decoy_never_works() -> None:
    decoy = OneTimeToken.decoy(id=LINK, purpose=Purpose.MAGIC_LINK, token_hash="h", now=NOW)
    assert decoy.take_events() == [OneTimeTokenDeclined(token_id=LINK, purpose=Purpose.MAGIC_LINK)]
    with pytest.raises(BadLink):
        decoy.must_be_fresh(now=NOW)


# Rules


def test_each_purpose_has_its_own_lifetime() -> None:
    rules = IdentityRules()
    assert rules.lifetime(Purpose.MAGIC_LINK) < rules.lifetime(Purpose.RESET_PASSWORD)
    assert rules.lifetime(Purpose.RESET_PASSWORD) < rules.lifetime(Purpose.VERIFY_EMAIL)


def test_an_unconfirmed_address_signs_in_only_where_the_house_allows_it() -> None:
    user = ann()
    assert not IdentityRules().admits(user)
    assert IdentityRules(verified_to_sign_in=False).admits(user)
    user.verify_email(now=NOW)
    assert IdentityRules().admits(user)


def test_links_go_to_whoever_needs_one_and_not_too_many() -> None:
    rules, user = IdentityRules(letters_an_hour=2), ann()
    assert rules.sends(user, Purpose.VERIFY_EMAIL, lately=1)
    assert not rules.sends(user, Purpose.VERIFY_EMAIL, lately=2)
    user.verify_email(now=NOW)
    assert not rules.sends(user, Purpose.VERIFY_EMAIL, lately=0)
    assert rules.sends(user, Purpose.MAGIC_LINK, lately=0)
    user.suspend(by=ADMIN, reason="fraud", now=NOW)
    assert not rules.sends(user, Purpose.RESET_PASSWORD, lately=0)
