"""What Clerk writes of its people is done here too, in any order and any number of times."""

import asyncio
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from adapters.clerk import ClerkNews, ClerkVerifier
from adapters.jwt_issuers import AcceptedTokens, SharedSecret, VerifyingKey, clerk
from application.identity import Authenticate, FollowIssuer, PasswordSignIn, SignIn, WhoAmI
from application.payments import ReceiveWebhook, ReplayWebhook
from domain.identity import AccessEnded, BadToken
from domain.payments import WebhookReceived
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from tests.application.front_door import OPERATOR, PASSWORD, FrontDoor
from tests.support.house import MONDAY
from tests.support.issuers import (
    CLERK,
    HOOK,
    clerk_claims,
    clerk_event,
    clerk_user,
    rs256,
    svix,
    token,
)

KEY = rs256("ins_1")


class OneKey(SharedSecret):
    """Keys that are known without asking anybody."""

    def __init__(self) -> None:
        self._keys = (VerifyingKey(KEY.kid, "RS256", KEY.private.public_key()),)

    async def candidates(self, algorithm: str, kid: str | None) -> Any:
        return self._keys if (algorithm, kid) == ("RS256", KEY.kid) else ()


class WithClerk(FrontDoor):
    """A house that accepts Clerk's tokens and hears its messages."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(**rules)
        tokens = AcceptedTokens(self.ports["access_tokens"], [clerk(CLERK, OneKey())], self.clock)
        self.ports |= {
            "bearer_tokens": tokens,
            "verifiers": {"clerk": ClerkVerifier([HOOK], self.clock)},
            "news_readers": {"clerk": ClerkNews(CLERK)},
            **dict.fromkeys(
                ("gateway", "catalog", "till", "subscriptions", "payee_desk", "shares", "dispute_desk", "wallet")
            ),
        }
        self.sent = 0

    async def hear(self, kind: str, data: dict[str, Any], *, id: str = "") -> Any:
        """A message comes; the worker has yet to act on it."""
        self.sent += 1
        raw, now = clerk_event(kind, data, at=self.clock.now()), self.clock.now()
        headers = svix(raw, id=id or f"msg_{self.sent}", at=now)
        return await self.use(ReceiveWebhook)(SYSTEM, "clerk", raw, headers)

    async def act(self) -> None:
        """The worker acts on all that has come."""
        await self.deliver(WebhookReceived).all()

    async def come(self, subject: str = "user_2ann", **told: Any) -> Actor:
        claims = clerk_claims(self.clock.now(), sub=subject, **told)
        return await self.use(Authenticate)(token(KEY, claims))

    def outcomes(self) -> list[tuple[str, str]]:
        return [(row["outcome"], row["note"]) for row in self.rows("webhooks")]

    def state(self) -> Any:
        """All that is to be the same whatever the order."""
        users = {row["id"]: row["email"] for row in self.rows("users")}
        names = {row["id"]: row["name"] for row in self.rows("profiles")}
        return [
            (
                row["subject"],
                row["email"],
                row["email_verified"],
                row["ended_at"] is not None,
                users[row["user_id"]],
                names[row["user_id"]],
            )
            for row in self.rows("external_identities")
        ]


@pytest.fixture
def door() -> WithClerk:
    return WithClerk()


def at(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


async def test_who_is_new_there_is_a_user_here_with_name_and_address(door: WithClerk) -> None:
    await door.hear("user.created", clerk_user(updated_at=MONDAY))
    await door.act()
    assert door.outcomes() == [("settled", "")]
    ann = await door.come()
    account = await door.use(WhoAmI)(ann)
    assert (account.name, account.email, account.email_verified) == ("Ann Able", "ann@example.com", True)


async def test_who_came_by_a_token_first_gets_name_and_address_when_they_are_told(door: WithClerk) -> None:
    ann = await door.come()
    assert (await door.use(WhoAmI)(ann)).name == "Somebody"
    await door.hear("user.created", clerk_user(updated_at=MONDAY))
    await door.act()
    account = await door.use(WhoAmI)(ann)
    assert (account.name, account.email) == ("Ann Able", "ann@example.com")


async def test_who_has_gone_there_has_no_access_here_from_the_next_request_on(door: WithClerk) -> None:
    await door.come()
    await door.hear("user.deleted", {"id": "user_2ann", "deleted": True, "object": "user"})
    await door.come()
    await door.act()
    with pytest.raises(AccessEnded):
        await door.come()
    assert door.outcomes() == [("settled", "access ended")]
    assert "identity.ended" in door.events()


STORY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("user.created", clerk_user(updated_at=at(0), first_name="A", last_name=None)),
    ("user.updated", clerk_user(updated_at=at(1))),
    (
        "user.updated",
        clerk_user(
            updated_at=at(2),
            email_addresses=[{"id": "idn_1", "email_address": "new@x.example", "verification": {"status": "verified"}}],
        ),
    ),
    ("user.deleted", {"id": "user_2ann", "deleted": True, "object": "user"}),
)


@pytest.mark.parametrize("length", [3, 4])
async def test_whatever_the_order_the_end_is_the_same(length: int) -> None:
    ends = set()
    for order in permutations(STORY[:length]):
        door = WithClerk()
        for kind, data in order:
            await door.hear(kind, data)
            await door.act()
        (told,) = door.state()
        # What was told of somebody who has gone matters no more; their name is whichever was heard first.
        ends.add(told[3] or (told[1], told[2], told[4]))
        assert {outcome for outcome, _ in door.outcomes()} == {"settled"}
    assert ends == ({("new@x.example", True, "new@x.example")} if length == 3 else {True})


async def test_however_often_it_is_told_it_happens_once(door: WithClerk) -> None:
    for _ in range(3):
        await door.hear("user.created", clerk_user(updated_at=MONDAY), id="msg_same")
    await door.hear("user.created", clerk_user(updated_at=MONDAY), id="msg_renamed")
    await door.act()
    before = door.state(), door.events().count("user.arrived")
    (first, *_) = door.rows("webhooks")
    await door.use(ReplayWebhook)(OPERATOR, first["id"])
    await door.act()
    assert (door.state(), door.events().count("user.arrived")) == before
    assert len(door.rows("webhooks")) == 2


async def test_a_message_and_twenty_requests_at_once_make_one_user(door: WithClerk) -> None:
    await door.hear("user.created", clerk_user(updated_at=MONDAY))
    await asyncio.gather(door.act(), *(door.come() for _ in range(20)))
    assert len(door.rows("users")) == 1
    assert door.outcomes() == [("settled", "")]


async def test_an_address_somebody_has_here_stays_theirs(door: WithClerk) -> None:
    ann = await door.user("ann@example.com", Role.PROVIDER)
    await door.hear("user.created", clerk_user(updated_at=MONDAY))
    await door.act()
    thief = await door.come()
    assert thief.user_id != ann.id
    assert [told[4] for told in door.state()] == [None]
    assert (await door.use(SignIn)(ANONYMOUS, PasswordSignIn(email="ann@example.com", password=PASSWORD))).user_id


async def test_a_new_address_there_is_not_a_new_way_in_for_who_has_a_password_here(door: WithClerk) -> None:
    ann = await door.user("ann@example.com")
    actor = await door.come_in(await door.sign_in())
    from application.identity import ForeignToken, LinkIdentity

    shown = token(KEY, clerk_claims(door.clock.now()))
    await door.use(LinkIdentity)(actor, ForeignToken(access_token=shown))
    await door.hear(*STORY[2])
    await door.act()
    (told,) = door.state()
    assert (told[1], told[4]) == ("new@x.example", "ann@example.com")
    assert (await door.come()).user_id == ann.id


async def test_a_name_somebody_gave_themselves_here_stays(door: WithClerk) -> None:
    await door.hear(*STORY[0])
    await door.act()
    await door.hear(*STORY[1])
    await door.act()
    assert [told[5] for told in door.state()] == ["A"]


async def test_what_is_about_nothing_we_keep_is_recorded_and_left_alone(door: WithClerk) -> None:
    await door.hear("session.created", {"id": "sess_1"})
    await door.hear("organizationInvitation.created", {"id": "inv_1"})
    await door.act()
    note = "not about a person or an organization"
    assert door.outcomes() == [("ignored", note)] * 2
    assert door.rows("organizations") == []


async def test_what_makes_no_sense_waits_for_a_person(door: WithClerk) -> None:
    await door.hear("user.updated", {"id": 7})
    await door.act()
    assert [outcome for outcome, _ in door.outcomes()] == ["attention"]


async def test_when_clerk_is_accepted_no_more_its_messages_are_let_lie(door: WithClerk) -> None:
    webhook = await door.hear(*STORY[0])
    door.ports["news_readers"] = {}
    await door.use(FollowIssuer)(SYSTEM, WebhookReceived(webhook_id=webhook.id))
    assert door.outcomes() == [("ignored", "clerk is no issuer we accept any more")]


async def test_somebody_who_is_not_done_signing_in_is_not_in(door: WithClerk) -> None:
    with pytest.raises(BadToken):
        await door.come(sts="pending")
