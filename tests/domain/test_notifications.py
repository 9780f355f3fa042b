"""What a notification and a mail may and may not do."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.notifications import (
    Mail,
    MailAlreadyQueued,
    MailNotFailed,
    MailQueued,
    MailState,
    Notification,
    Template,
    address,
)
from domain.shared.errors import Invalid, NotFound, StaleVersion
from domain.shared.ids import MailId, NotificationId, UserId

NOW = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
ANA, BEN = UserId(UUID(int=1)), UserId(UUID(int=2))


def a_notification(**over: object) -> Notification:
    facts: dict[str, object] = {
        "id": NotificationId(UUID(int=7)),
        "user_id": ANA,
        "kind": "booking.confirmed",
        "title": "Haircut is confirmed",
        "body": "On Thursday.\nBring nothing.",
        "about": UUID(int=9),
        "now": NOW,
    }
    return Notification.post(**(facts | over))  # type: ignore[arg-type]


def a_mail(**over: object) -> Mail:
    facts: dict[str, object] = {
        "id": MailId(UUID(int=8)),
        "template": Template.WELCOME,
        "transition": "user:1:signed_up",
        "recipient_id": ANA,
        "to": "ana@example.org",
        "context": {"role": "customer"},
        "now": NOW,
    }
    return Mail.queue(**(facts | over))  # type: ignore[arg-type]


def test_a_notification_begins_unread_and_the_first_reading_counts() -> None:
    notification = a_notification()
    assert notification.read_at is None
    notification.read(by=ANA, now=NOW + timedelta(minutes=1))
    notification.read(by=ANA, now=NOW + timedelta(minutes=5))
    assert notification.read_at == NOW + timedelta(minutes=1)


def test_to_anybody_but_its_owner_a_notification_does_not_exist() -> None:
    notification = a_notification()
    with pytest.raises(NotFound):
        notification.read(by=BEN, now=NOW)
    assert notification.read_at is None


@pytest.mark.parametrize(
    ("field", "value"), [("title", ""), ("title", "two\nlines"), ("body", "nul\x00"), ("title", "x" * 201)]
)
def test_news_is_readable_text(field: str, value: str) -> None:
    with pytest.raises(Invalid):
        a_notification(**{field: value})


def test_a_queued_mail_announces_itself_by_its_id_alone() -> None:
    mail = a_mail()
    assert mail.state is MailState.QUEUED
    assert mail.take_events() == [MailQueued(mail_id=MailId(UUID(int=8)))]


def test_a_delivered_mail_is_delivered_once() -> None:
    mail = a_mail()
    mail.delivered(now=NOW + timedelta(seconds=2))
    mail.delivered(now=NOW + timedelta(seconds=9))
    assert (mail.state, mail.sent_at, mail.attempts) == (MailState.SENT, NOW + timedelta(seconds=2), 1)


def test_a_mail_turned_away_for_good_says_why_in_one_printable_line() -> None:
    mail = a_mail()
    mail.gave_up(reason="550 no such\r\nmailbox\x07" + "!" * 900)
    assert mail.state is MailState.FAILED
    assert mail.last_error.startswith("550 no such mailbox")
    assert len(mail.last_error) == 500


def test_a_mail_that_has_left_cannot_fail_any_more() -> None:
    mail = a_mail()
    mail.delivered(now=NOW)
    mail.gave_up(reason="too late")
    assert (mail.state, mail.last_error) == (MailState.SENT, "")


def test_only_a_failed_mail_is_sent_again() -> None:
    mail = a_mail()
    with pytest.raises(MailNotFailed) as refused:
        mail.again()
    assert refused.value.details == {"state": "queued"}
    mail.gave_up(reason="mailbox full")
    mail.take_events()
    mail.again()
    assert mail.state is MailState.QUEUED
    assert mail.take_events() == [MailQueued(mail_id=MailId(UUID(int=8)))]
    mail.delivered(now=NOW)
    assert (mail.attempts, mail.last_error) == (2, "")


@pytest.mark.parametrize(
    "context", [{"at": NOW}, {"ids": [UUID(int=1)]}, {"deep": {1: "x"}}, {"share": 0.5}, {"raw": b"x"}]
)
def test_a_mails_context_holds_plain_values_only(context: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        a_mail(context=context)


def test_plain_values_may_be_nested() -> None:
    price = {"amount_minor": 5000, "currency": "EUR"}
    context = {"booking": {"price": price, "seats": [1, 2], "note": None, "paid": True}}
    assert a_mail(context=context).context == context


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "ana",
        "@example.org",
        "ana@",
        "ana@example.org\r\nBcc: ben@example.org",
        "ana@example.org, ben@example.org",
        "Ana <ana@example.org>",
        "a@b@example.org",
        "a b@example.org",
        "ana@example.org\x00",
        "a" * 250 + "@example.org",
    ],
)
def test_an_address_is_one_address_and_nothing_else(nonsense: str) -> None:
    with pytest.raises(Invalid):
        address(nonsense)
    with pytest.raises(Invalid):
        a_mail(to=nonsense)


def test_an_address_may_be_in_any_script() -> None:
    assert address(" jörg@bücher.example ") == "jörg@bücher.example"


def test_of_two_who_write_the_same_letter_at_once_the_second_looks_again() -> None:
    """Commands that meet `StaleVersion` are run anew at once, and then find the letter; other refusals wait."""
    assert issubclass(MailAlreadyQueued, StaleVersion)
