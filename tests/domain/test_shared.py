"""What every context stands on: money, who asks, versions, text and time."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.aggregate import Aggregate
from domain.shared.errors import Forbidden, Invalid, Outdated, Unauthenticated
from domain.shared.ids import UserId
from domain.shared.money import EXPONENTS, LARGEST_MINOR, CurrencyMismatch, Money
from domain.shared.text import text
from domain.shared.time import Span, instant

ANN = UserId(UUID(int=1))
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


# --- Money ------------------------------------------------------------------------------------------------------------


def test_money_is_added_taken_away_turned_and_multiplied() -> None:
    assert euros(150) + euros(50) == euros(200)
    assert euros(150) - euros(50) == euros(100)
    assert -euros(150) == euros(-150)
    assert euros(150).times(3) == euros(450)
    assert Money.zero("JPY") == Money(0, "JPY")


def test_money_is_compared_within_a_currency_only() -> None:
    assert euros(1) < euros(2)
    assert not euros(2) < euros(2)
    assert euros(2) <= euros(2)
    assert not euros(3) <= euros(2)
    for compare in (euros(1).__lt__, euros(1).__le__, euros(1).__add__, euros(1).__sub__):
        with pytest.raises(CurrencyMismatch) as refused:
            compare(Money(1, "USD"))
        assert refused.value.details == {"one": "EUR", "other": "USD"}


def test_nothing_to_pay_is_zero_and_no_other() -> None:
    assert euros(0).is_zero
    assert not euros(1).is_zero
    assert not euros(-1).is_zero


@pytest.mark.parametrize(
    ("minor", "percent", "share"), [(1000, 50, 500), (5, 50, 2), (15, 50, 8), (99, 1, 1), (7, 0, 0)]
)
def test_a_share_is_rounded_half_to_even(minor: int, percent: int, share: int) -> None:
    assert euros(minor).percent(percent) == euros(share)


@pytest.mark.parametrize(
    ("money", "said", "decimal"),
    [
        (Money(123_456, "EUR"), "1,234.56 EUR", "1234.56"),
        (Money(1234, "JPY"), "1,234 JPY", "1234"),
        (Money(1234, "KWD"), "1.234 KWD", "1.234"),
    ],
)
def test_money_is_said_with_its_currencys_decimals(money: Money, said: str, decimal: str) -> None:
    assert str(money) == said
    assert money.decimal() == Decimal(decimal)


def test_money_is_whole_bounded_and_of_a_known_currency() -> None:
    assert euros(LARGEST_MINOR).amount_minor == 10**15
    assert euros(-LARGEST_MINOR).amount_minor == -(10**15)
    for minor, currency, details in (
        (1.5, "EUR", {"field": "amount_minor"}),
        (True, "EUR", {"field": "amount_minor"}),
        (LARGEST_MINOR + 1, "EUR", {"field": "amount_minor", "largest": LARGEST_MINOR}),
        (-LARGEST_MINOR - 1, "EUR", {"field": "amount_minor", "largest": LARGEST_MINOR}),
        (1, "XXX", {"field": "currency"}),
    ):
        with pytest.raises(Invalid) as refused:
            Money(minor, currency)  # type: ignore[arg-type]
        assert refused.value.details == details
    assert {EXPONENTS["EUR"], EXPONENTS["JPY"], EXPONENTS["KWD"]} == {2, 0, 3}


# --- Who asks ---------------------------------------------------------------------------------------------------------


def test_everybody_has_a_name_for_the_books() -> None:
    assert Actor(user_id=ANN).principal == f"user:{ANN}"
    assert ANONYMOUS.principal == "anonymous"
    assert SYSTEM.principal == "system"
    assert Actor(kind=Kind.OPERATOR, name="ada").principal == "operator:ada"


def test_admins_operators_and_the_house_may_do_what_others_may_not() -> None:
    for actor in (Actor(user_id=ANN, role=Role.ADMIN), Actor(kind=Kind.OPERATOR), SYSTEM):
        actor.must_be_admin()
    with pytest.raises(Unauthenticated):
        ANONYMOUS.must_be_admin()
    for role in (Role.CUSTOMER, Role.PROVIDER):
        with pytest.raises(Forbidden) as refused:
            Actor(user_id=ANN, role=role).must_be_admin()
        assert not isinstance(refused.value, Unauthenticated)


def test_an_admin_is_a_user_or_an_operator_and_not_the_house() -> None:
    assert Actor(kind=Kind.OPERATOR).is_admin
    assert Actor(role=Role.ADMIN).is_admin
    assert not Actor(role=Role.PROVIDER).is_admin
    assert not Actor(kind=Kind.ANONYMOUS, role=Role.ADMIN).is_admin
    assert not SYSTEM.is_admin
    assert SYSTEM.is_system
    assert not ANONYMOUS.is_system


def test_nobody_is_taken_for_another() -> None:
    assert Actor(user_id=ANN).is_user(ANN)
    assert not Actor(user_id=ANN).is_user(UserId(UUID(int=2)))
    assert not Actor(kind=Kind.SYSTEM, user_id=ANN).is_user(ANN)
    assert Actor(user_id=ANN).signed_in() == ANN
    with pytest.raises(Unauthenticated):
        ANONYMOUS.signed_in()


# --- Versions, text and time ------------------------------------------------------------------------------------------


def test_who_decided_on_another_version_is_refused() -> None:
    thing = Aggregate(id=UUID(int=1), version=3)
    thing.must_be(3)
    thing.must_be(None)
    for other in (2, 4, 0):
        with pytest.raises(Outdated) as refused:
            thing.must_be(other)
        assert refused.value.details == {"expected": other, "present": 3}


def test_moments_are_kept_in_utc() -> None:
    lisbon = timezone(timedelta(hours=1))
    assert instant(datetime(2026, 7, 1, 10, tzinfo=lisbon)) == datetime(2026, 7, 1, 9, tzinfo=UTC)
    assert instant(datetime(2026, 7, 1, 10, tzinfo=lisbon)).tzinfo is UTC
    with pytest.raises(Invalid):
        instant(datetime(2026, 7, 1, 10))


def test_spans_that_touch_do_not_overlap() -> None:
    hour = Span(NINE, NINE + timedelta(hours=1))
    assert not hour.overlaps(Span(hour.ends_at, hour.ends_at + timedelta(hours=1)))
    assert not Span(hour.ends_at, hour.ends_at + timedelta(hours=1)).overlaps(hour)
    assert hour.overlaps(Span(NINE + timedelta(minutes=59), NINE + timedelta(hours=2)))
    with pytest.raises(Invalid):
        Span(NINE, NINE)


def test_text_is_trimmed_bounded_and_printable() -> None:
    assert text("  hello ", field="name", longest=5) == "hello"
    for wrong in ("", "   ", "x" * 6, "a\0b"):
        with pytest.raises(Invalid) as refused:
            text(wrong, field="name", longest=5)
        assert refused.value.details["field"] == "name"
