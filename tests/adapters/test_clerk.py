"""Clerk's messages: who may send them, and what they say."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks

from adapters.clerk import ClerkNews, ClerkVerifier
from adapters.system.clock import StandingClock
from application.ports.identity import IdentityNews, MembershipNews, OrganizationNews
from application.ports.payments import BadSignature, MalformedWebhook, StaleSignature
from domain.organizations import MemberRole
from domain.payments import Topic
from tests.support.issuers import (
    CLERK,
    HOOK,
    clerk_event,
    clerk_membership,
    clerk_organization,
    clerk_user,
    svix,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RAW = clerk_event("user.created", clerk_user(updated_at=NOW), at=NOW)
OTHER = f"whsec_{b64encode(b'another secret, 24 bytes').decode()}"


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)


@pytest.fixture
def verifier(clock: StandingClock) -> ClerkVerifier:
    return ClerkVerifier([OTHER, HOOK], clock)


def test_a_signed_message_is_believed(verifier: ClerkVerifier) -> None:
    for secret in (HOOK, OTHER):
        notice = verifier.verify(RAW, svix(RAW, at=NOW, secret=secret))
        assert (notice.external_id, notice.kind, notice.topic) == ("msg_1", "user.created", Topic.PEOPLE)
        assert notice.occurred_at == NOW


def test_a_library_of_another_make_signs_the_same(verifier: ClerkVerifier) -> None:
    signature = standardwebhooks.Webhook(HOOK).sign("msg_1", NOW, RAW.decode())
    verifier.verify(RAW, svix(RAW, at=NOW) | {"svix-signature": signature})


def test_of_several_signatures_one_has_to_fit(verifier: ClerkVerifier) -> None:
    good = svix(RAW, at=NOW)["svix-signature"]
    for signatures in (f"v1,AAAA {good}", f"{good} v2,AAAA", f"v1,AAAA, {good}", f"v1a,x {good}", f"v1,*** {good}"):
        verifier.verify(RAW, svix(RAW, at=NOW) | {"svix-signature": signatures})


@pytest.mark.parametrize("by", [-300, 300])
def test_it_may_be_five_minutes_old_or_early(verifier: ClerkVerifier, by: int) -> None:
    verifier.verify(RAW, svix(RAW, at=NOW + timedelta(seconds=by)))
    late = svix(RAW, at=NOW + timedelta(seconds=by + (1 if by > 0 else -1)))
    with pytest.raises(StaleSignature):
        verifier.verify(RAW, late)


ODD: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "nothing": lambda _: {},
    "no id": lambda said: said | {"svix-id": ""},
    "another id": lambda said: said | {"svix-id": "msg_2"},
    "an id of several lines": lambda said: said | {"svix-id": "msg_1\nmsg_2"},
    "no time": lambda said: {name: value for name, value in said.items() if name != "svix-timestamp"},
    "a time in words": lambda said: said | {"svix-timestamp": "now"},
    "a time with a sign": lambda said: said | {"svix-timestamp": f"+{said['svix-timestamp']}"},
    "a time in other digits": lambda said: said | {"svix-timestamp": "١٧٧٢٣٦٦٤٠٠"},
    "a time beyond all time": lambda said: said | {"svix-timestamp": "9" * 30},
    "another time": lambda said: said | {"svix-timestamp": str(int(said["svix-timestamp"]) + 1)},
    "no signature": lambda said: said | {"svix-signature": ""},
    "a comma": lambda said: said | {"svix-signature": ","},
    "no version": lambda said: said | {"svix-signature": said["svix-signature"].removeprefix("v1,")},
    "another version": lambda said: said | {"svix-signature": said["svix-signature"].replace("v1,", "v2,")},
    "no base64": lambda said: said | {"svix-signature": "v1,***"},
    "an empty signature": lambda said: said | {"svix-signature": "v1,"},
    "letters of no alphabet of ours": lambda said: said | {"svix-signature": "v1,ü"},
    "signatures without end": lambda said: said | {"svix-signature": "v1,AAAA " * 5000 + said["svix-signature"]},
    "another secret": lambda said: svix(RAW, at=NOW, secret=f"whsec_{b64encode(bytes(24)).decode()}"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_is_not_signed_is_refused(verifier: ClerkVerifier, odd: Any) -> None:
    with pytest.raises(BadSignature):
        verifier.verify(RAW, odd(svix(RAW, at=NOW)))


def test_another_body_is_refused(verifier: ClerkVerifier) -> None:
    with pytest.raises(BadSignature):
        verifier.verify(RAW + b" ", svix(RAW, at=NOW))


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"\xff", b"{}", b'{"type":7}', b'{"type":"a b"}', b'{"type":"x' + b"\0" + b'"}']
)
def test_signed_nonsense_is_said_to_be_nonsense(verifier: ClerkVerifier, raw: bytes) -> None:
    with pytest.raises(MalformedWebhook):
        verifier.verify(raw, svix(raw, at=NOW))


@pytest.mark.parametrize("secrets", [[], ["whsec_"], ["whsec_***"], ["whsec_AAAA"]])
def test_a_verifier_without_a_secret_is_none(clock: StandingClock, secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        ClerkVerifier(secrets, clock)


# --- News -------------------------------------------------------------------------------------------------------------


def read(kind: str, data: Any) -> IdentityNews | None:
    return ClerkNews(CLERK).read(kind, clerk_event(kind, data, at=NOW).decode())


def test_a_person_is_told_with_the_primary_address(verifier: ClerkVerifier) -> None:
    assert read("user.updated", clerk_user(updated_at=NOW)) == IdentityNews(
        issuer=CLERK,
        subject="user_2ann",
        email="Ann@Example.com",
        email_verified=True,
        display_name="Ann Able",
        told_at=NOW,
    )


@pytest.mark.parametrize(
    ("told", "email", "verified"),
    [
        ({"primary_email_address_id": None}, None, False),
        ({"email_addresses": []}, None, False),
        ({"email_addresses": None}, None, False),
        (
            {"email_addresses": [{"id": "idn_1", "email_address": "a@b.example", "verification": None}]},
            "a@b.example",
            False,
        ),
        (
            {
                "email_addresses": [
                    {"id": "idn_1", "email_address": "a@b.example", "verification": {"status": "unverified"}}
                ]
            },
            "a@b.example",
            False,
        ),
    ],
)
def test_only_an_address_that_was_verified_counts(told: Any, email: str | None, verified: bool) -> None:
    news = read("user.created", clerk_user(updated_at=NOW, **told))
    assert news is not None
    assert (news.email, news.email_verified) == (email, verified)


def test_who_has_no_name_is_called_by_their_username() -> None:
    for told, name in (
        ({"first_name": None, "last_name": None, "username": "ann"}, "ann"),
        ({"first_name": " ", "last_name": None}, ""),
        ({"last_name": None}, "Ann"),
    ):
        news = read("user.created", clerk_user(updated_at=NOW, **told))
        assert news is not None
        assert news.display_name == name


def test_who_has_gone_is_told_without_anything_else() -> None:
    news = read("user.deleted", {"deleted": True, "id": "user_2ann", "object": "user"})
    assert news == IdentityNews(issuer=CLERK, subject="user_2ann", gone=True, told_at=NOW)


def test_an_organization_is_told_with_who_made_it() -> None:
    north = OrganizationNews(issuer=CLERK, subject="org_north", name="North", founder="user_ann", told_at=NOW)
    for kind in ("organization.created", "organization.updated"):
        assert read(kind, clerk_organization(updated_at=NOW)) == north
    gone = read("organization.deleted", {"id": "org_north", "deleted": True, "object": "organization"})
    assert gone == OrganizationNews(issuer=CLERK, subject="org_north", gone=True, told_at=NOW)


@pytest.mark.parametrize(
    ("role", "is_to_us"),
    [
        ("org:admin", MemberRole.OWNER),
        ("admin", MemberRole.OWNER),
        ("org:owner", MemberRole.OWNER),
        ("org:manager", MemberRole.MANAGER),
        ("org:member", MemberRole.MEMBER),
        ("basic_member", MemberRole.MEMBER),
        ("org:billing", MemberRole.MEMBER),
    ],
)
def test_a_membership_is_told_with_its_organization_and_its_person(role: str, is_to_us: MemberRole) -> None:
    earlier = NOW - timedelta(hours=1)
    told = clerk_membership("bob", role, updated_at=earlier, told_at=earlier)
    person = IdentityNews(issuer=CLERK, subject="user_bob", display_name="Bob", told_at=earlier)
    organization = OrganizationNews(
        issuer=CLERK, subject="org_north", name="North", founder="user_ann", told_at=earlier
    )
    joined = MembershipNews(organization=organization, person=person, role=is_to_us, told_at=earlier)
    assert read("organizationMembership.updated", told) == joined
    left = read("organizationMembership.deleted", told)
    assert isinstance(left, MembershipNews)
    assert (left.gone, left.told_at) == (True, NOW), "an end was said when it was sent"


@pytest.mark.parametrize("kind", ["organizationInvitation.created", "organization.locked", "session.ended", "sms.x"])
def test_of_other_things_nothing_is_kept(kind: str) -> None:
    assert read(kind, {"id": "org_1"}) is None


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"id": 7},
        {"id": ""},
        {"id": "user\n2"},
        {"id": "u" * 300},
        {"id": "user_1", "updated_at": "yesterday"},
        {"id": "user_1", "updated_at": 1e30},
        {"id": "user_1", "updated_at": True},
        {"id": "user_1", "primary_email_address_id": "x", "email_addresses": [7]},
        {"id": "user_1", "primary_email_address_id": "x", "email_addresses": [{"id": "x", "email_address": 7}]},
    ],
)
def test_what_makes_no_sense_is_for_a_person_to_look_at(data: Any) -> None:
    with pytest.raises(MalformedWebhook):
        read("user.updated", data)
    with pytest.raises(MalformedWebhook):
        ClerkNews(CLERK).read("user.updated", json.dumps(["no event"]))
