"""The chain: what it covers, how it grows, and that no change goes unnoticed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import (
    GENESIS,
    AlreadySealed,
    AuditEntry,
    Break,
    Fault,
    Head,
    Link,
    Seal,
    link,
    seal,
    verify,
)
from domain.shared.errors import Conflict

NOW = datetime(2026, 3, 2, 9, 0, 0, 120, tzinfo=UTC)


def an_entry(number: int = 1, **told: Any) -> AuditEntry:
    return AuditEntry(
        **{
            "id": UUID(int=number),
            "at": NOW,
            "actor": "user:ada",
            "action": "booking.confirmed",
            "subject_table": "bookings",
            "subject_id": UUID(int=99),
            "subject_version": 3,
            "details": {"reference": "K7QM-3XTR", "amount": {"amount_minor": 4500, "currency": "EUR"}},
            **told,
        }
    )


def a_chain(length: int = 5) -> list[Link]:
    entries = [an_entry(number, subject_version=number) for number in range(1, length + 1)]
    return [
        Link(position=made.position, hash=made.hash, entry=entry)
        for made, entry in zip(seal(entries, onto=Head()), entries, strict=True)
    ]


def test_an_entry_is_the_same_bytes_on_every_store() -> None:
    assert an_entry(details={"b": "ä", "a": [1, None, True]}).canonical() == (
        b'{"action":"booking.confirmed","actor":"user:ada","at":"2026-03-02T09:00:00.000120+00:00",'
        b'"details":{"a":[1,null,true],"b":"\xc3\xa4"},"id":"00000000-0000-0000-0000-000000000001",'
        b'"subject_id":"00000000-0000-0000-0000-000000000063","subject_table":"bookings","subject_version":3}'
    )


def test_neither_the_order_of_keys_nor_the_zone_of_an_instant_changes_the_bytes() -> None:
    one = an_entry(details={"a": 1, "b": {"x": 1, "y": 2}})
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert one.canonical() == an_entry(details={"b": {"y": 2, "x": 1}, "a": 1}, at=elsewhere).canonical()


def test_what_is_not_json_is_never_sealed() -> None:
    with pytest.raises(ValueError, match="JSON"):
        an_entry(details={"share": float("nan")}).canonical()


def test_a_hash_covers_the_entry_and_the_hash_before() -> None:
    entry = an_entry()
    expected = sha256(b"guildhall.audit.1\n" + bytes(32) + entry.canonical()).hexdigest()
    assert (GENESIS, link(GENESIS, entry)) == (bytes(32).hex(), expected)
    assert link("ff" * 32, entry) != expected


def test_seals_number_entries_from_one_and_build_on_each_other() -> None:
    first, second = an_entry(1), an_entry(2)
    one = link(GENESIS, first)
    assert seal([first, second], onto=Head()) == [
        Seal(entry_id=first.id, position=1, hash=one),
        Seal(entry_id=second.id, position=2, hash=link(one, second)),
    ]


def test_a_chain_goes_on_where_it_ended() -> None:
    entries = [an_entry(number) for number in range(1, 6)]
    whole = seal(entries, onto=Head())
    end = whole[2]
    rest = seal(entries[3:], onto=Head(position=end.position, hash=end.hash))
    assert rest == whole[3:]
    assert seal([], onto=Head(position=5, hash="ab" * 32)) == []


def test_an_untouched_chain_holds_whole_and_in_stretches() -> None:
    chain = a_chain()
    assert verify(chain) is None
    assert verify([]) is None
    assert verify(chain[2:], onto=Head(position=2, hash=chain[1].hash)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"id": UUID(int=1000)},
        {"at": NOW + timedelta(microseconds=1)},
        {"actor": "user:ben"},
        {"action": "booking.cancelled"},
        {"subject_table": "payments"},
        {"subject_id": UUID(int=98)},
        {"subject_version": 4},
        {"details": {}},
    ],
)
def test_no_field_of_an_entry_changes_unnoticed(change: dict[str, Any]) -> None:
    chain = a_chain()
    chain[2] = replace(chain[2], entry=replace(chain[2].entry, **change))
    assert verify(chain) == Break(position=3, fault=Fault.ALTERED)


def test_an_entry_sealed_anew_breaks_the_chain_after_it() -> None:
    chain = a_chain()
    forged = an_entry(3, actor="user:ben")
    chain[2] = Link(position=3, hash=link(chain[1].hash, forged), entry=forged)
    assert verify(chain) == Break(position=4, fault=Fault.ALTERED)


def test_a_missing_entry_and_a_swapped_pair_are_found() -> None:
    chain = a_chain()
    assert verify([*chain[:2], *chain[3:]]) == Break(position=3, fault=Fault.GAP)
    assert verify(chain[1:]) == Break(position=1, fault=Fault.GAP)
    swapped = [chain[0], replace(chain[1], entry=chain[2].entry), replace(chain[2], entry=chain[1].entry), *chain[3:]]
    assert verify(swapped) == Break(position=2, fault=Fault.ALTERED)


def test_a_stretch_that_follows_something_else_does_not_hold() -> None:
    assert verify(a_chain()[2:], onto=Head(position=2, hash="ab" * 32)) == Break(position=3, fault=Fault.ALTERED)


@given(st.integers(1, 12), st.data())
def test_every_single_damage_is_found_where_it_was_done(length: int, data: st.DataObject) -> None:
    chain = a_chain(length)
    at = data.draw(st.integers(0, length - 1))
    entry = chain[at].entry
    damaged = data.draw(
        st.sampled_from(
            [
                replace(chain[at], entry=replace(entry, details={"x": 1})),
                replace(chain[at], hash="00" * 32),
                replace(chain[at], position=length + 5),
            ]
        )
    )
    found = verify([*chain[:at], damaged, *chain[at + 1 :]])
    assert found is not None
    assert found.position == at + 1


def test_what_is_wrong_has_a_word() -> None:
    assert [fault.value for fault in Fault] == ["gap", "altered"]


def test_a_sealer_that_was_too_slow_is_told_so() -> None:
    assert issubclass(AlreadySealed, Conflict)
    assert (AlreadySealed.code, AlreadySealed().message) == ("audit.already_sealed", "another sealer was faster")
