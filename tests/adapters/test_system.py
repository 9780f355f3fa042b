"""The machine's clock, ids, chance and kept secrets."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import RFC_4122

import pytest

from adapters.system.chance import NoPause, SystemChance
from adapters.system.clock import MovableClock, StandingClock, SystemClock
from adapters.system.ids import ALPHABET, SeededIds, SystemIds
from adapters.system.secrets import fresh_secret, kept_secret
from domain.shared.errors import Invalid

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


def test_the_system_clock_says_the_present_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_a_standing_clock_stands_until_told() -> None:
    clock = StandingClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(hours=2)) == clock.now() == NOON + timedelta(hours=2)
    assert clock.set(NOON) == clock.now() == NOON


def test_a_movable_clock_starts_at_the_present_and_ticks_on_after_a_move(tmp_path: Path) -> None:
    clock = MovableClock(tmp_path / "not" / "yet" / "there")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    clock.set(NOON)
    first = clock.now()
    assert NOON <= first < NOON + timedelta(seconds=5)
    assert clock.now() > first


def test_whoever_shares_the_folder_is_moved_too(tmp_path: Path) -> None:
    api, worker = MovableClock(tmp_path), MovableClock(tmp_path)
    api.set(NOON)
    worker.advance(timedelta(days=1))
    api.advance(timedelta(days=1))
    for clock in (api, worker, MovableClock(tmp_path)):
        assert NOON + timedelta(days=2) <= clock.now() < NOON + timedelta(days=2, seconds=5)


def test_moves_of_many_at_once_all_count(tmp_path: Path) -> None:
    MovableClock(tmp_path).set(NOON)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: MovableClock(tmp_path).advance(timedelta(hours=1)), range(24)))
    assert NOON + timedelta(days=1) <= MovableClock(tmp_path).now() < NOON + timedelta(days=1, seconds=10)


def test_a_move_in_another_process_is_seen(tmp_path: Path) -> None:
    clock = MovableClock(tmp_path)
    clock.set(NOON)
    move = (
        "import sys; from datetime import timedelta; from pathlib import Path;"
        "from adapters.system.clock import MovableClock;"
        "MovableClock(Path(sys.argv[1])).advance(timedelta(days=7))"
    )
    src = Path(__file__).parents[2] / "src"
    subprocess.run([sys.executable, "-c", move, str(tmp_path)], check=True, env={"PYTHONPATH": str(src)})
    assert NOON + timedelta(days=7) <= clock.now() < NOON + timedelta(days=7, seconds=30)


def test_a_clock_is_not_advanced_backwards_nor_out_of_the_calendar(tmp_path: Path) -> None:
    for clock in (MovableClock(tmp_path), StandingClock(NOON)):
        with pytest.raises(ValueError, match="forwards"):
            clock.advance(timedelta(seconds=-1))
        with pytest.raises(Invalid):
            clock.set(datetime(9500, 1, 1, tzinfo=UTC))
        with pytest.raises(Invalid):
            clock.set(datetime(2026, 1, 1))


def test_an_id_is_a_uuid_of_version_seven_that_holds_the_clocks_instant() -> None:
    made = SystemIds(StandingClock(NOON)).new()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(NOON.timestamp() * 1000)


def test_ids_made_later_sort_later_even_within_a_millisecond_and_when_the_clock_goes_back() -> None:
    clock = StandingClock(NOON)
    ids = SystemIds(clock)
    made = [ids.new() for _ in range(2000)]
    clock.set(NOON - timedelta(days=1))
    made += [ids.new() for _ in range(200)]
    clock.set(NOON + timedelta(milliseconds=1))
    made += [ids.new() for _ in range(200)]
    assert made == sorted(set(made))
    assert all(one.version == 7 and one.variant == RFC_4122 for one in made)


def test_a_millisecond_that_runs_out_of_numbers_borrows_from_the_next() -> None:
    class Highest(Random):
        def getrandbits(self, k: int, /) -> int:
            return (1 << k) - 1

    ids = SystemIds(StandingClock(NOON), chance=Highest())
    first, second = ids.new(), ids.new()
    assert second > first
    assert second.int >> 80 == (first.int >> 80) + 1
    assert (second.version, second.variant) == (7, RFC_4122)


def test_ids_of_many_threads_are_all_different() -> None:
    ids = SystemIds(SystemClock())
    with ThreadPoolExecutor(8) as pool:
        made = [one for many in pool.map(lambda _: [ids.new() for _ in range(500)], range(8)) for one in many]
    assert len(set(made)) == 4000


def test_a_reference_is_easy_to_read_out() -> None:
    ids = SystemIds(SystemClock())
    drawn = {ids.reference() for _ in range(500)}
    assert len(drawn) == 500
    assert all(len(one) == 9 and one[4] == "-" and set(one) <= {*ALPHABET, "-"} for one in drawn)
    assert not set(ALPHABET) & set("01BILOSUZ")


def test_the_same_seed_gives_the_same_ids_and_another_gives_others() -> None:
    def drawn(seed: int) -> list[object]:
        ids = SeededIds(StandingClock(NOON), seed=seed)
        return [ids.new(), ids.reference(), ids.new()]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


async def test_pauses_are_random_grow_with_the_attempt_and_stay_short() -> None:
    chance = SystemChance(chance=Random(7))
    for attempt, bound in ((0, 0.005), (1, 0.005), (2, 0.01), (3, 0.02), (9, 0.25), (10_000, 0.25)):
        drawn = [chance.within(attempt) for _ in range(200)]
        assert 0 <= min(drawn) < bound / 4
        assert bound * 3 / 4 < max(drawn) <= bound
    await SystemChance(longest=0.0).pause(1)
    await NoPause().pause(3)


def test_a_kept_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: kept_secret(file), range(16)))
    assert len(found) == 1
    assert found == {kept_secret(file)}
    assert len(found.pop()) >= 40
    assert file.stat().st_mode & 0o077 == 0
    assert [one.name for one in file.parent.iterdir()] == ["secret"]
    assert fresh_secret() != fresh_secret()
