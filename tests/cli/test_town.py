"""The demo town: believable, complete, built once."""

import asyncio
from collections import Counter
from pathlib import Path
from time import perf_counter

from entrypoints.cli.demo_town import found_town, logins, settled
from tests.cli.conftest import Office, opened


def test_providers_of_different_trades_offer_jobs_in_several_currencies(town: Office) -> None:
    jobs = town.json("job", "search", "--all")["items"]
    assert len(jobs) == 15
    assert len({job["provider_id"] for job in jobs}) == 6
    assert {job["price"]["currency"] for job in jobs} == {"EUR", "GBP", "USD", "JPY", "CHF"}
    assert max(job["capacity"] for job in jobs) == 50
    assert {job["acceptance"] for job in jobs} == {"instant", "request"}


def test_bookings_stand_in_every_state_people_meet(town: Office) -> None:
    bookings = town.json("booking", "list", "--all")["items"]
    states = Counter(booking["state"] for booking in bookings)
    assert {"requested", "held", "confirmed", "cancelled", "completed", "no_show"} <= set(states)
    assert any(booking["paid"] for booking in bookings)


def test_what_was_done_was_done_in_the_past_and_reviewed_since(town: Office) -> None:
    for booking in town.json("booking", "list", "--states", "completed", "--all")["items"]:
        assert booking["created_at"] < booking["span"]["starts_at"] < booking["completed_at"] < "2026-03-02"
    rated = town.json("job", "search", "--sort", "-rating", "--min-rating", "1")["items"]
    assert [job["title"] for job in rated if job["rating_count"] == 2] == ["Morning yoga"]


def test_people_talk(town: Office) -> None:
    inbox = town.one("message", "conversations", "--as", "ana@town.example")
    assert inbox["unread"] == 1
    said = town.json("message", "list", inbox["conversation_id"], "--as", "ana@town.example", "--since", "0")["items"]
    assert [message["sequence"] for message in said] == [1, 2]


def test_everybody_can_sign_in_with_the_password_that_is_printed(town: Office) -> None:
    from application.identity import PasswordSignIn, SignIn
    from domain.shared.actors import ANONYMOUS

    people = asyncio.run(logins(town.house))
    assert Counter(one.role for one in people) == {"admin": 1, "provider": 6, "customer": 5}
    for one in people:
        tokens = asyncio.run(town.house.use(SignIn)(ANONYMOUS, PasswordSignIn(email=one.email, password=one.password)))
        assert tokens.access_token


def test_a_house_that_is_lived_in_gets_no_town(tmp_path: Path) -> None:
    office = Office(opened(tmp_path))
    office("user", "create-admin", "--email", "boss@example.org", "--name", "Boss", typed="a decent secret\n")
    assert asyncio.run(settled(office.house))
    assert asyncio.run(logins(office.house)) == ()
    said = office("seed", "--demo")
    assert said.code == 0
    assert "nothing was done" in said.err
    assert len(office.json("user", "list")["items"]) == 1


def test_two_who_build_it_at_once_build_one(tmp_path: Path) -> None:
    house = opened(tmp_path)

    async def both() -> None:
        await asyncio.gather(found_town(house), found_town(house))

    asyncio.run(both())
    assert len(Office(house).json("user", "list", "--all")["items"]) == 12


def test_building_it_takes_no_time_to_speak_of(tmp_path: Path) -> None:
    house = opened(tmp_path, argon2_memory_kib=19_456, argon2_time_cost=2)
    started = perf_counter()
    asyncio.run(found_town(house))
    assert perf_counter() - started < 3 * 3  # a busy machine may take its time


def test_seeding_says_who_lives_there_now(office: Office) -> None:
    told = office.json("seed", "--demo")
    assert told["seeded"] is True
    assert {"role": "admin", "email": "ada@town.example"}.items() <= told["logins"][0].items()
    assert office("seed").code == 2
