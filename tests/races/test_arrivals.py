"""Many first requests of one person at once, on a real database: one user, whoever was fastest."""

from typing import Any

import pytest

from adapters.jwt_issuers import AcceptedTokens, SharedSecret, supabase
from application.identity import Authenticate, SignUp, SignUpForm
from domain.shared.actors import ANONYMOUS, Actor
from tests.races.town import Town
from tests.support.issuers import SECRET, SUPABASE, secretly, supabase_claims

USERS = "select count(*) from users"


@pytest.fixture
def abroad(town: Town) -> Town:
    """The town, where tokens of a Supabase project are accepted."""
    town.ports["bearer_tokens"] = AcceptedTokens(
        town.ports["access_tokens"], [supabase(SUPABASE, SharedSecret(SECRET))], town.clock
    )
    return town


def first_requests(town: Town, count: int) -> list[Any]:
    shown = secretly(supabase_claims(town.clock.now(), email_verified=True))
    return [town.use(Authenticate)(shown) for _ in range(count)]


async def one_person_is_one_user(town: Town) -> None:
    before = await town.value(USERS)
    actors, refused = await town.at_once(*first_requests(town, 20))
    assert refused == []
    assert await town.value(USERS) == before + 1, "one person is several users"
    assert len({actor.user_id for actor in actors if isinstance(actor, Actor)}) == 1


async def test_twenty_first_requests_of_one_person_make_one_user(abroad: Town) -> None:
    await one_person_is_one_user(abroad)
    assert await abroad.value("select count(*) from external_identities") == 1
    assert await abroad.value("select count(*) from users where email = 'ann@example.com'") == 1


async def test_without_the_constraint_one_person_is_several_users(abroad: Town) -> None:
    await abroad.owner.execute("alter table external_identities drop constraint external_identities_subject")
    await abroad.owner.execute("alter table users drop constraint users_email")
    with pytest.raises(AssertionError, match="several users"):
        await one_person_is_one_user(abroad)


async def test_who_signs_up_at_that_moment_with_the_same_address_is_another_user(abroad: Town) -> None:
    form = SignUpForm(email="ann@example.com", password="correct horse battery", name="Ann")
    signs_up = abroad.ask(SignUp, ANONYMOUS, form)
    _, refused = await abroad.at_once(signs_up, *first_requests(abroad, 5))
    assert refused == []
    assert await abroad.value("select count(*) from users where email = 'ann@example.com'") == 1
    assert await abroad.value("select count(*) from external_identities") == 1
