"""What is true of identities other issuers give, and of users who come by them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.identity import (
    BadEmail,
    EmailChanged,
    EmailVerified,
    ExternalIdentity,
    IdentityEnded,
    IdentityLinked,
    IdentityUnproven,
    NoAddress,
    Origin,
    User,
    UserArrived,
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.errors import Invalid
from domain.shared.ids import ExternalIdentityId, UserId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ANN, ID = UserId(UUID(int=1)), ExternalIdentityId(UUID(int=2))
ISSUER, EMAIL = "https://issuer.example", "ann@example.com"


def told(**said: Any) -> dict[str, Any]:
    usual = {"id": ID, "issuer": ISSUER, "subject": "user_1", "email": EMAIL, "email_verified": True, "now": NOW}
    return usual | said


def user(email: str | None = EMAIL) -> User:
    made = User.arrive(id=ANN, email=email, now=NOW)
    made.take_events()
    return made


def identity(**said: Any) -> ExternalIdentity:
    made = ExternalIdentity.first_seen(user=user(), **told(**said))
    made.take_events()
    return made


def test_who_arrives_is_a_customer_whose_address_counts_as_confirmed() -> None:
    ann = User.arrive(id=ANN, email="Ann@Example.com", now=NOW)
    assert (ann.email, ann.email_verified_at, ann.role) == (EMAIL, NOW, Role.CUSTOMER)
    assert ann.take_events() == [UserArrived(user_id=ANN, email=EMAIL, role=Role.CUSTOMER)]
    assert ann.must_be_reachable() == EMAIL


def test_who_has_no_address_is_reached_nowhere_and_has_nothing_confirmed() -> None:
    ann = user(None)
    assert (ann.email, ann.verified) == (None, False)
    with pytest.raises(NoAddress):
        ann.must_be_reachable()
    ann.verify_email(now=LATER)
    assert not ann.verified
    assert ann.take_events() == []
    with pytest.raises(BadEmail):
        User(id=ANN, email=None, role=Role.CUSTOMER, email_verified_at=NOW, created_at=NOW)


def test_an_address_that_is_taken_is_confirmed_from_then_on() -> None:
    for before in (None, "old@example.com"):
        ann = user(before)
        for _ in range(2):
            ann.take_address(EMAIL, now=LATER)
        assert (ann.email, ann.email_verified_at) == (EMAIL, LATER)
        changed = [EmailChanged(user_id=ANN, before=before, email=EMAIL)] if before else []
        assert ann.take_events() == [EmailVerified(user_id=ANN, email=EMAIL), *changed]


def test_an_identity_says_how_it_came_to_its_user() -> None:
    ann, by_herself = user(), Actor(user_id=ANN)
    operator, admin = Actor(kind=Kind.OPERATOR), Actor(user_id=UserId(UUID(int=9)), role=Role.ADMIN)
    made = {
        Origin.FIRST_SIGHT: [ExternalIdentity.first_seen(user=ann, **told())],
        Origin.SIGNED_IN: [ExternalIdentity.link(user=ann, by=by_herself, **told())],
        Origin.OPERATOR: [ExternalIdentity.link(user=ann, by=by, **told()) for by in (operator, admin, SYSTEM)],
        Origin.VERIFIED_EMAIL: [ExternalIdentity.joined(user=ann, **told())],
    }
    for origin, identities in made.items():
        linked = IdentityLinked(identity_id=ID, user_id=ANN, issuer=ISSUER, origin=origin, email_verified=True)
        for one in identities:
            assert (one.user_id, one.origin, one.created_at, one.last_seen_at) == (ANN, origin, NOW, NOW)
            assert (one.told_at, one.ended) == (None, False)
            assert one.take_events() == [linked]


@pytest.mark.parametrize("by", [ANONYMOUS, Actor(user_id=UserId(UUID(int=9)))])
def test_nobody_links_an_identity_to_somebody_else(by: Actor) -> None:
    with pytest.raises(IdentityUnproven):
        ExternalIdentity.link(user=user(), by=by, **told())


def test_an_address_joins_only_what_both_sides_have_confirmed() -> None:
    unconfirmed = User.sign_up(id=ANN, email=EMAIL, role=Role.CUSTOMER, now=NOW)
    for ann, said in (
        (user(), told(email_verified=False)),
        (user(), told(email="other@example.com")),
        (user(None), told(email=None, email_verified=False)),
        (unconfirmed, told()),
    ):
        with pytest.raises(IdentityUnproven):
            ExternalIdentity.joined(user=ann, **said)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"issuer": ""}, "issuer"),
        ({"issuer": "i" * 501}, "issuer"),
        ({"subject": ""}, "subject"),
        ({"subject": "s" * 256}, "subject"),
        ({"subject": "user\n1"}, "subject"),
        ({"email": None}, "email"),
    ],
)
def test_an_identity_is_two_short_texts(said: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        identity(**said)
    assert refused.value.details["field"] == field
    assert identity(issuer="i" * 500, subject="s" * 255)


def test_when_somebody_was_here_never_goes_back() -> None:
    ann = identity()
    ann.seen(now=LATER)
    ann.seen(now=NOW)
    assert ann.last_seen_at == LATER


def test_of_what_an_issuer_tells_the_latest_counts() -> None:
    ann = identity()
    ann.tell(email="new@example.com", email_verified=True, at=LATER)
    ann.tell(email="old@example.com", email_verified=False, at=NOW)
    assert (ann.email, ann.email_verified, ann.told_at) == ("new@example.com", True, LATER)
    ann.tell(email="same@example.com", email_verified=False, at=LATER)
    assert (ann.email, ann.email_verified, ann.told_at) == ("same@example.com", False, LATER)
    ann.tell(email=None, email_verified=True)
    assert (ann.email, ann.email_verified, ann.told_at) == (None, False, LATER)


def test_an_end_is_told_once_and_stays() -> None:
    ann = identity()
    ann.end(now=NOW)
    ann.end(now=LATER)
    assert (ann.ended, ann.ended_at) == (True, NOW)
    assert ann.take_events() == [IdentityEnded(identity_id=ID, user_id=ANN)]
