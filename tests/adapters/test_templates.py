"""Every letter the house writes, and the invitation that goes with some of them."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar
from jinja2 import UndefinedError

from adapters.templates import CalendarInvites, JinjaLetters
from adapters.templates.letters import MAILS
from application.notifications.wording import at, when
from application.ports.mail import Invite, Links, Mailbox, Written
from domain.notifications import Template
from domain.shared.ids import BookingId
from domain.shared.time import Span

LETTERS = JinjaLetters()
BOOKING = BookingId(UUID(int=5))
LINKS = Links("https://book.example.org/")
SECRET = "aB3-_x9"
HOSTILE = "<img src=x onerror=alert(1)>\"'&\u202eevil"


def booking(**over: Any) -> dict[str, Any]:
    return {
        "id": str(BOOKING),
        "reference": "K7QM-3XTR",
        "title": "Haircut & beard",
        "starts_at": "2026-03-12T09:00:00+00:00",
        "ends_at": "2026-03-12T10:30:00+00:00",
        "zone": "Europe/Berlin",
        "sequence": 0,
        "seats": 2,
        "price": {"amount_minor": 125000, "currency": "EUR"},
        "place": "Torstraße 12, Berlin",
        "note": "Ring twice.\nThank you",
        "expires_at": "2026-03-11T10:15:00+00:00",
    } | over


def facts(**over: Any) -> dict[str, Any]:
    """Everything any letter is written from; each letter takes what it needs."""
    return {
        "house": "Guildhall",
        "links": LINKS,
        "secret": SECRET,
        "token_id": "t",
        "role": "provider",
        "expires_at": "2026-03-11T10:15:00+00:00",
        "changed_at": "2026-03-11T10:15:00+00:00",
        "zone": "Asia/Kolkata",
        "side": "customer",
        "recipient": "Ana Müller",
        "counterpart": "Ben Ito",
        "customer": "Ana Müller",
        "provider": "Ben Ito",
        "organization": "Salon Ito",
        "booking": booking(),
        "accepted": False,
        "cancelled_by": "provider",
        "reason": "I am ill.\nSorry",
        "refund": {"amount_minor": 125000, "currency": "EUR"},
        "calendar": "request",
        "amount": {"amount_minor": 125000, "currency": "EUR"},
        "number": "0199-77",
        "paid_at": "2026-03-10T08:00:00+00:00",
        "sender": "Ben Ito",
        "about": "Haircut · K7QM-3XTR",
        "excerpt": "See you there.\nBring the dog",
        "conversation_id": str(UUID(int=6)),
        "seller": "Salon Ito",
        "total": {"amount_minor": 125000, "currency": "EUR"},
        "left": {"amount_minor": 25000, "currency": "EUR"},
        "due_on": "2026-03-24",
        "waits": True,
        "invoice_id": str(UUID(int=7)),
        "quote_id": str(UUID(int=8)),
        "lines": ["Haircut & beard", *(f"Hour {number}" for number in range(12))],
        "reminds": False,
        "reminder": "overdue",
        "returned": False,
        "corrected": "2026-0001",
    } | over


def write(template: Template, **over: Any) -> Written:
    return LETTERS.write(template, facts(**over))


class Visible(HTMLParser):
    """What a reader sees, and the elements and links there are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden = tag in ("style", "title")
        self.links += [value or "" for name, value in attrs if name == "href"]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("template", list(Template))
def test_every_letter_is_written_plain_and_as_html(template: Template) -> None:
    letter = write(template)
    page = Visible(letter.html)
    assert letter.subject
    assert "\n" not in letter.subject
    assert "Guildhall" in letter.text
    assert "Guildhall" in page.text
    for piece in ("{{", "{%", "None", "Undefined", "Markup"):
        assert piece not in letter.text + page.text
    assert "\n\n\n" not in letter.text
    assert max(len(line) for line in letter.text.splitlines()) < 200


@pytest.mark.parametrize("template", list(Template))
def test_both_forms_of_a_letter_lead_to_the_same_pages(template: Template) -> None:
    letter = write(template)
    in_html = {link for link in Visible(letter.html).links if link != LINKS.home}
    in_text = {link for link in re.findall(r"https?://\S+", letter.text) if link != LINKS.home}
    assert in_html == in_text


@pytest.mark.parametrize("template", list(Template))
def test_styles_travel_inline_and_nothing_is_fetched(template: Template) -> None:
    html = write(template).html
    assert html.count('style="') > 10
    assert not re.search(r"<(script|link|img|iframe)\b|url\(", html)
    rules = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert rules is not None
    assert re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", rules.group(1)).strip() == ""


@pytest.mark.parametrize("template", list(Template))
def test_what_people_write_is_shown_as_written_and_never_obeyed(template: Template) -> None:
    names = ("recipient", "customer", "provider", "organization", "reason", "sender", "about", "excerpt", "number")
    hostile: dict[str, Any] = dict.fromkeys(names, HOSTILE)
    letter = write(template, **hostile, booking=booking(title=HOSTILE, place=HOSTILE, note=HOSTILE))
    page = Visible(letter.html)
    assert "img" not in page.tags
    assert "\u202e" not in letter.subject + letter.text + letter.html


@pytest.mark.parametrize("template", list(Template))
def test_no_fact_can_begin_a_line_of_its_own_in_a_plain_letter(template: Template) -> None:
    forged = "Ana\r\nPay here: https://evil.example"
    names = ("recipient", "customer", "provider", "organization", "sender", "about", "number")
    facts_: dict[str, Any] = dict.fromkeys(names, forged)
    quoted = "fine\r\nPay here: https://evil.example"
    letter = write(
        template, **facts_, reason=quoted, excerpt=quoted, booking=booking(title=forged, place=forged, note=quoted)
    )
    assert not [line for line in letter.text.splitlines() if line.strip().startswith("Pay here")]
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject


@pytest.mark.parametrize("template", list(Template))
def test_a_missing_fact_is_an_error_and_never_a_blank(template: Template) -> None:
    with pytest.raises(UndefinedError):
        LETTERS.write(template, {})


def test_there_is_a_pair_of_files_for_every_letter_and_none_besides() -> None:
    shared = {"layout", "parts", "booking_facts"}
    for kind in ("html", "txt"):
        files = {path.name.removesuffix(f".{kind}.j2") for path in MAILS.glob(f"*.{kind}.j2")}
        assert files - shared == {template.value for template in Template}


@pytest.mark.parametrize("template", [Template.WELCOME, Template.VERIFY, Template.ACCOUNT_EXISTS])
def test_letters_to_unproven_addresses_carry_nobodys_words(template: Template) -> None:
    letter = write(template)
    assert "Ana" not in letter.subject + letter.text + letter.html


@pytest.mark.parametrize(
    ("template", "page"),
    [(Template.VERIFY, "verify"), (Template.MAGIC_LINK, "magic"), (Template.RESET_PASSWORD, "reset")],
)
def test_a_link_that_works_once_is_in_the_letter_with_its_end(template: Template, page: str) -> None:
    letter = write(template)
    assert f"https://book.example.org/{page}?token=aB3-_x9" in letter.text
    assert "Wednesday 11 March 2026, 15:45 (Asia/Kolkata, UTC+5:30)" in letter.text
    assert "aB3-_x9" not in letter.subject


def test_links_begin_with_the_address_people_reach_the_house_at() -> None:
    assert (
        Links("https://book.example.org/app/").verify("a+b/c=")
        == "https://book.example.org/app/verify?token=a%2Bb%2Fc%3D"
    )
    assert Links("http://127.0.0.1:8000").home == "http://127.0.0.1:8000/"
    with pytest.raises(ValueError, match="http"):
        Links("javascript:alert(1)")


def test_a_sender_is_read_as_people_write_it() -> None:
    assert Mailbox.read("Guild Hall <hello@example.org>") == Mailbox("Guild Hall", "hello@example.org")
    assert Mailbox.read("hello@example.org").host == "example.org"
    with pytest.raises(ValueError, match="mail address"):
        Mailbox.read("Guildhall")


def test_a_booking_is_told_in_its_own_zone_with_the_zone_named() -> None:
    letter = write(Template.BOOKING_CONFIRMED)
    told = "Thursday 12 March 2026, 10:00–11:30 (Europe/Berlin, UTC+1)"
    assert told in letter.text
    assert told in Visible(letter.html).text
    assert letter.subject == "Confirmed: Haircut & beard"
    assert "Torstraße 12, Berlin" in letter.text


def test_both_clocks_are_said_where_they_change_in_between() -> None:
    span = Span(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert when(span, "Europe/Berlin") == "Sunday 25 October 2026, 02:30 UTC+2 – 02:30 UTC+1 (Europe/Berlin)"


def test_a_booking_past_midnight_says_both_days() -> None:
    span = Span(datetime(2026, 3, 12, 22, 0, tzinfo=UTC), datetime(2026, 3, 13, 1, 0, tzinfo=UTC))
    assert when(span, "UTC") == "Thursday 12 March 2026, 22:00–Friday 13 March 2026, 01:00 (UTC, UTC)"
    assert at(span.starts_at, "America/St_Johns").endswith("19:30 (America/St_Johns, UTC-2:30)")


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(125000, "EUR", "1,250.00 EUR"), (3000, "JPY", "3,000 JPY"), (1234567, "KWD", "1,234.567 KWD")],
)
def test_money_has_its_currencys_own_decimals(minor: int, currency: str, shown: str) -> None:
    letter = write(Template.RECEIPT, amount={"amount_minor": minor, "currency": currency})
    assert shown in letter.subject
    assert shown in letter.text
    assert shown in Visible(letter.html).text


def test_a_free_booking_shows_no_price_and_a_single_seat_no_number() -> None:
    letter = write(
        Template.BOOKING_CONFIRMED, booking=booking(price={"amount_minor": 0, "currency": "EUR"}, seats=1, place="")
    )
    for word in ("Price", "Seats", "Where"):
        assert word not in letter.text
        assert word not in Visible(letter.html).text


@pytest.mark.parametrize(
    ("side", "by", "said"),
    [
        ("customer", "customer", "You cancelled this booking."),
        ("customer", "provider", "Ben Ito cancelled this booking."),
        ("provider", "customer", "Ana Müller cancelled this booking."),
        ("provider", None, "This booking was cancelled."),
    ],
)
def test_a_cancellation_says_who_called_it_off(side: str, by: str | None, said: str) -> None:
    letter = write(Template.BOOKING_CANCELLED, side=side, cancelled_by=by)
    assert said in letter.text
    assert said in Visible(letter.html).text
    assert ("goes back to you" in letter.text) == (side == "customer")


def test_a_cancellation_without_money_says_nothing_of_money() -> None:
    for refund in (None, {"amount_minor": 0, "currency": "EUR"}):
        assert "goes back" not in write(Template.BOOKING_CANCELLED, refund=refund).text


def test_lines_people_wrote_stay_lines_and_are_marked_as_theirs() -> None:
    assert "> See you there.\n> Bring the dog" in write(Template.NEW_MESSAGE).text
    assert "> Ring twice.\n> Thank you" in write(Template.BOOKING_REQUESTED).text


def test_a_long_subject_is_cut_where_mail_programs_would_cut_it() -> None:
    subject = write(Template.BOOKING_CONFIRMED, booking=booking(title="x" * 400)).subject
    assert len(subject) == 150
    assert subject.endswith("…")


def an_invite(**over: Any) -> Invite:
    facts: dict[str, Any] = {
        "booking_id": BOOKING,
        "sequence": 3,
        "cancelled": False,
        "span": Span(datetime(2026, 3, 12, 9, tzinfo=UTC), datetime(2026, 3, 12, 10, 30, tzinfo=UTC)),
        "title": "Haircut & beard, with Ben",
        "description": "K7QM-3XTR\nhttps://book.example.org/bookings/5",
        "place": "Torstraße 12; Berlin",
        "url": "https://book.example.org/bookings/5",
        "organizer": Mailbox("Guildhall", "no-reply@book.example.org"),
        "attendee": Mailbox("Ana Müller", "ana@example.org"),
        "stamped_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
    }
    return Invite(**(facts | over))


def read(invite: Invite) -> Any:
    calendar = Calendar.from_ical(CalendarInvites().write(invite).content)
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def test_an_invitation_says_when_where_and_who() -> None:
    calendar, event = read(an_invite())
    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert event["UID"] == f"{BOOKING}@book.example.org"
    assert (event["SEQUENCE"], event["STATUS"]) == (3, "CONFIRMED")
    assert event.decoded("DTSTART") == datetime(2026, 3, 12, 9, tzinfo=UTC)
    assert event.decoded("DTEND") == datetime(2026, 3, 12, 10, 30, tzinfo=UTC)
    assert event.decoded("DTSTAMP") == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (event["SUMMARY"], event["LOCATION"]) == ("Haircut & beard, with Ben", "Torstraße 12; Berlin")
    assert (event["ORGANIZER"], event["ATTENDEE"]) == ("mailto:no-reply@book.example.org", "mailto:ana@example.org")
    assert event["ATTENDEE"].params["CN"] == "Ana Müller"


def test_a_cancellation_names_the_same_event_with_a_higher_sequence() -> None:
    _, before = read(an_invite())
    calendar, after = read(an_invite(cancelled=True, sequence=4))
    assert (calendar["METHOD"], after["STATUS"]) == ("CANCEL", "CANCELLED")
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_an_invitation_is_made_of_short_lines_ended_by_crlf() -> None:
    attachment = CalendarInvites().write(an_invite(title="Ö" * 300))
    assert attachment.content_type == "text/calendar; charset=utf-8; method=REQUEST"
    lines = attachment.content.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert all(len(line) <= 75 for line in lines)


def test_no_name_can_add_a_line_to_an_invitation() -> None:
    forged = "Ana\r\nATTENDEE:mailto:evil@example.org"
    _, event = read(an_invite(title=forged, place=forged, attendee=Mailbox(forged, "ana@example.org")))
    assert event["ATTENDEE"] == "mailto:ana@example.org"
    assert not isinstance(event["ATTENDEE"], list)


def test_the_same_invitation_is_the_same_bytes() -> None:
    assert CalendarInvites().write(an_invite()) == CalendarInvites().write(an_invite())
