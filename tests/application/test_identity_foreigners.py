"""People other issuers vouch for: who they are here, from the first token on."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.jwt_issuers import AcceptedTokens, SharedSecret, supabase
from adapters.memory.rules import MemoryRules
from adapters.persistence.rules import RULES
from application.identity import (
    Authenticate,
    ForeignToken,
    LinkIdentity,
    ListUsers,
    RestoreUser,
    SuspendUser,
    Suspension,
    UserFilter,
    WhoAmI,
)
from domain.identity import AccessEnded, AccountSuspended, BadToken, IdentityTaken
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Unauthenticated
from tests.application.front_door import FrontDoor
from tests.planted.identity import MergesByAddress
from tests.support.issuers import ANN, SECRET, SUPABASE, secretly, supabase_claims

BOB = "0b7c1c3e-5d0a-4b47-9f54-2f1ad7a9c002"


class Abroad(FrontDoor):
    """A house that accepts the tokens of a Supabase project as well as its own."""

    authenticate: type[Authenticate] = Authenticate

    def __init__(self, **rules: Any) -> None:
        super().__init__(**rules)
        issuer = supabase(SUPABASE, SharedSecret(SECRET))
        self.ports["bearer_tokens"] = AcceptedTokens(self.ports["access_tokens"], [issuer], self.clock)

    def token(self, subject: str = ANN, **told: Any) -> str:
        return secretly(supabase_claims(self.clock.now(), sub=subject, **told))

    async def come(self, subject: str = ANN, **told: Any) -> Actor:
        return await self.use(self.authenticate)(self.token(subject, **told))

    def identity(self, subject: str = ANN) -> dict[str, Any]:
        return next(row for row in self.rows("external_identities") if row["subject"] == subject)

    def owner(self, subject: str = ANN) -> dict[str, Any]:
        return next(row for row in self.rows("users") if row["id"] == self.identity(subject)["user_id"])


async def broken(door: Abroad) -> list[str]:
    """The rules of identity that do not hold here."""
    reader = MemoryRules(door.store)
    readings = [(rule, await reader.read(rule, now=door.clock.now(), most=9)) for rule in RULES if rule.code == "A9"]
    return [rule.name for rule, reading in readings if reading and reading.total]


@pytest.fixture
def door() -> Abroad:
    return Abroad()


async def test_whoever_is_seen_for_the_first_time_becomes_a_user(door: Abroad) -> None:
    ann = await door.come()
    account = await door.use(WhoAmI)(ann)
    assert (ann.role, ann.session_id) == (Role.CUSTOMER, None)
    assert (account.name, account.email, account.email_verified) == ("Ann Able", None, False)
    assert sorted(door.events()) == ["identity.linked", "user.arrived"]
    assert [row["template"] for row in door.rows("mails")] == []
    assert await door.come() == ann
    assert len(door.rows("users")) == 1


async def test_an_address_counts_when_its_issuer_confirmed_it(door: Abroad) -> None:
    ann = await door.come(email="Ann@Example.com", email_verified=True)
    account = await door.use(WhoAmI)(ann)
    assert (account.email, account.email_verified) == ("ann@example.com", True)


@pytest.mark.parametrize("email", ["no address", "", None, "ann@localhost", 7])
async def test_what_is_no_address_is_none(door: Abroad, email: Any) -> None:
    await door.come(email=email, email_verified=True)
    assert (door.owner()["email"], door.identity()["email"]) == (None, None)


@pytest.mark.parametrize("name", ["", "x" * 500, "line\nbreak", "\x00", 7])
async def test_a_name_that_cannot_be_shown_keeps_nobody_out(door: Abroad, name: Any) -> None:
    ann = await door.come(user_metadata={"full_name": name})
    assert (await door.use(WhoAmI)(ann)).name in ("Somebody", "x" * 120)


async def test_what_a_token_says_of_somebodys_role_decides_nothing(door: Abroad) -> None:
    said = {"role": "admin", "roles": ["admin"], "guildhall_role": "admin"}
    ann = await door.come(user_metadata=said, app_metadata=said, user_role="admin")
    assert (ann.role, ann.is_admin) == (Role.CUSTOMER, False)


async def test_two_subjects_are_two_users_whatever_they_call_themselves(door: Abroad) -> None:
    ann, bob = await door.come(), await door.come(BOB)
    assert ann.user_id != bob.user_id


async def test_a_visitor_it_gave_a_token_to_is_nobody_in_particular(door: Abroad) -> None:
    assert await door.come(is_anonymous=True) == ANONYMOUS
    assert door.rows("users") == []


# --- Addresses never merge --------------------------------------------------------------------------------------------


async def an_address_hands_over_nothing(door: Abroad, verified: bool) -> None:
    victim = await door.user("ann@example.com", Role.PROVIDER)
    door.later(minutes=1)
    thief = await door.come(email="ann@example.com", email_verified=verified)
    assert thief.user_id != victim.id, "whoever types an address elsewhere has the account"
    assert (door.owner()["email"], thief.role) == (None, Role.CUSTOMER)


@pytest.mark.parametrize("verified", [True, False])
async def test_an_address_hands_over_nothing(door: Abroad, verified: bool) -> None:
    await an_address_hands_over_nothing(door, verified)
    assert await broken(door) == []


async def test_merging_by_address_would_be_noticed(door: Abroad) -> None:
    door.authenticate = MergesByAddress
    with pytest.raises(AssertionError, match="has the account"):
        await an_address_hands_over_nothing(door, verified=False)
    assert await broken(door) == ["a_newcomer_is_a_user_of_their_own"]


async def test_where_the_house_chose_so_an_address_both_sides_confirmed_joins() -> None:
    door = Abroad(tokens_join_by_address=True)
    user = await door.user("ann@example.com", Role.PROVIDER)
    assert (await door.come(email="ann@example.com", email_verified=True)).user_id == user.id
    assert door.identity()["origin"] == "verified_email"
    assert (await door.come(BOB, email="ann@example.com", email_verified=False)).user_id != user.id


async def test_an_address_nobody_confirmed_here_joins_nothing_even_then() -> None:
    door = Abroad(tokens_join_by_address=True)
    await door.sign_up("ann@example.com")
    await door.come(email="ann@example.com", email_verified=True)
    assert (door.owner()["email"], door.identity()["origin"]) == (None, "first_sight")


async def test_the_address_of_somebody_suspended_leads_nowhere() -> None:
    door = Abroad(tokens_join_by_address=True)
    user = await door.user("ann@example.com")
    await door.use(SuspendUser)(await door.admin(), user.id, Suspension(reason="fraud"))
    with pytest.raises(AccountSuspended):
        await door.come(email="ann@example.com", email_verified=True)


# --- At the next request ----------------------------------------------------------------------------------------------


async def test_a_suspension_binds_at_the_next_request(door: Abroad) -> None:
    token, ann, root = door.token(), await door.come(), await door.admin()
    assert ann.user_id is not None
    assert await door.use(Authenticate)(token) == ann
    await door.use(SuspendUser)(root, ann.user_id, Suspension(reason="charged back twice"))
    with pytest.raises(AccountSuspended):
        await door.use(Authenticate)(token)
    await door.use(RestoreUser)(root, ann.user_id)
    assert await door.use(Authenticate)(token) == ann


async def test_an_account_the_issuer_closed_opens_nothing(door: Abroad) -> None:
    token, _ = door.token(), await door.come()
    async with door.begin(SYSTEM) as work:
        identity = await work.external_identities.first(subject=ANN)
        assert identity
        identity.end(now=door.clock.now())
    with pytest.raises(AccessEnded):
        await door.use(Authenticate)(token)


async def test_one_request_is_one_read_and_no_write(door: Abroad) -> None:
    await door.come()
    reads, commits = 0, len(door.rows("audit"))
    rows = door.views.rows

    async def counted(*asked: Any, **how: Any) -> Any:
        nonlocal reads
        reads += 1
        return await rows(*asked, **how)

    door.views.rows = counted  # type: ignore[method-assign]
    await door.come()
    assert (reads, len(door.rows("audit"))) == (1, commits)


async def test_when_somebody_was_last_here_is_known_to_the_hour(door: Abroad) -> None:
    await door.come()
    first: datetime = door.identity()["last_seen_at"]
    door.later(minutes=59)
    await door.come()
    assert door.identity()["last_seen_at"] == first
    door.later(minutes=1)
    await door.come()
    assert door.identity()["last_seen_at"] == first + timedelta(hours=1)


async def test_an_address_that_is_confirmed_later_becomes_the_users(door: Abroad) -> None:
    ann = await door.come(email="ann@example.com")
    assert door.owner()["email"] is None
    await door.come(email="ann@example.com", email_verified=True)
    account = await door.use(WhoAmI)(ann)
    assert (account.email, account.email_verified) == ("ann@example.com", True)
    await door.come(email="ann@example.com")
    await door.come(email=None)
    assert (door.identity()["email"], door.identity()["email_verified"]) == ("ann@example.com", True)


async def test_an_address_somebody_else_has_stays_theirs(door: Abroad) -> None:
    await door.come()
    await door.user("new@example.com")
    await door.come(email="new@example.com", email_verified=True)
    assert door.identity()["email"] == "new@example.com"
    assert door.owner()["email"] is None


async def test_what_is_forged_leaves_a_trace(door: Abroad) -> None:
    with pytest.raises(BadToken):
        await door.use(Authenticate)(secretly(supabase_claims(door.clock.now()), "another secret" * 3))
    assert door.noted() == ["token.forged"]


# --- Races ------------------------------------------------------------------------------------------------------------


async def test_twenty_first_requests_of_one_person_make_one_user(door: Abroad) -> None:
    actors = await asyncio.gather(*(door.come() for _ in range(20)))
    assert len(set(actors)) == 1
    assert (len(door.rows("users")), len(door.rows("profiles")), len(door.rows("external_identities"))) == (1, 1, 1)


async def test_who_signs_up_with_the_address_meanwhile_keeps_it(door: Abroad) -> None:
    async def meanwhile() -> None:
        await door.user("ann@example.com")

    door.meanwhile = meanwhile
    ann = await door.come(email="ann@example.com", email_verified=True)
    assert door.owner()["email"] is None
    page = await door.use(ListUsers)(await door.admin(), UserFilter(email="ann@example.com"), limit=5)
    assert [user.id for user in page.items] != [ann.user_id]


# --- Linking by oneself -----------------------------------------------------------------------------------------------


async def test_somebody_signed_in_links_what_else_they_have(door: Abroad) -> None:
    user = await door.user("ann@example.com", Role.PROVIDER)
    actor = await door.come_in(await door.sign_in())
    for _ in range(2):
        linked = await door.use(LinkIdentity)(actor, ForeignToken(access_token=door.token()))
        assert (linked.user_id, linked.origin) == (user.id, "signed_in")
    assert (await door.come()).user_id == user.id
    assert door.events().count("identity.linked") == 1


async def test_nobody_links_what_is_somebody_elses(door: Abroad) -> None:
    await door.come(BOB)
    await door.user("ann@example.com")
    actor = await door.come_in(await door.sign_in())
    with pytest.raises(IdentityTaken):
        await door.use(LinkIdentity)(actor, ForeignToken(access_token=door.token(BOB)))
    with pytest.raises(Unauthenticated):
        await door.use(LinkIdentity)(ANONYMOUS, ForeignToken(access_token=door.token()))


async def test_our_own_tokens_and_those_of_visitors_link_nothing(door: Abroad) -> None:
    await door.user("ann@example.com")
    tokens = await door.sign_in()
    actor = await door.come_in(tokens)
    for token in (tokens.access_token, door.token(is_anonymous=True), "nonsense"):
        with pytest.raises(BadToken):
            await door.use(LinkIdentity)(actor, ForeignToken(access_token=token))
