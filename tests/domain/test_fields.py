"""Where something is wrong, the refusal names the field, and the bound is exactly where it is said to be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.audit import GENESIS, AuditEntry, Head, Link, link, seal, verify
from domain.identity import PasswordPolicy, User, WeakPassword, email_address
from domain.jobs import BOUNDS as JOB_BOUNDS
from domain.jobs import HIGHEST_PRICE, Job, JobStateRefused, Offer, Rating
from domain.messaging import LONGEST_MESSAGE, LONGEST_SUBJECT, Conversation, Message, Participant
from domain.notifications import (
    LONGEST_BODY,
    LONGEST_ERROR,
    LONGEST_TITLE,
    LONGEST_TRANSITION,
    Mail,
    Notification,
    Template,
    address,
)
from domain.organizations import LONGEST_NAME, THE_HOUSE, Organization
from domain.payments import Payment, Refund, RefundFailed, RefundState, fail_refund
from domain.profiles import Particulars, Profile
from domain.reviews import LONGEST_REASON, LONGEST_RESPONSE, LONGEST_REVIEW, Review
from domain.scheduling import (
    Availability,
    BadTimeOff,
    DayIsOver,
    NoSuchOverride,
    NoSuchTimeOff,
    Override,
    SlotRules,
    TimeOff,
    Weekly,
)
from domain.scheduling.availability import KEPT_FOR
from domain.scheduling.hours import MOST_WINDOWS
from domain.scheduling.slots import BOUNDS as SLOT_BOUNDS
from domain.scheduling.slots import reach
from domain.shared.actors import Actor, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Refusal
from domain.shared.ids import (
    BookingId,
    ConversationId,
    JobId,
    MailId,
    MessageId,
    NotificationId,
    OrganizationId,
    ParticipantId,
    PaymentId,
    RefundId,
    ReviewId,
    UserId,
)
from domain.shared.money import Money
from domain.shared.terms import LONGEST_NOTICE_HOURS, MOST_TIERS, CancellationPolicy, PaymentTerms, Tier
from domain.shared.text import text, words
from domain.shared.time import EARLIEST, LATEST, Span, instant, zone

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANN, BEN = UserId(UUID(int=1)), UserId(UUID(int=2))
ID = UUID(int=9)
OFFER: dict[str, Any] = {
    "title": "Guitar",
    "category": "music",
    "price": Money(100, "EUR"),
    "duration": 60,
    "place": "Lisboa",
}


def refusal(call: Callable[[], object], kind: type[Refusal] = Invalid) -> Refusal:
    """What `call` is refused with."""
    with pytest.raises(kind) as refused:
        call()
    return refused.value


def judged(call: Callable[[str], object], *, field: str, shortest: int, longest: int, lines: bool = False) -> None:
    """This text is from `shortest` to `longest` characters, on one line or several; what is not is named so."""
    said = {"field": field, "shortest": shortest, "longest": longest}
    call("x" * longest)
    assert refusal(lambda: call("x" * (longest + 1))).details == said
    if shortest:
        call("x" * shortest)
        assert refusal(lambda: call("x" * (shortest - 1))).details == said
    else:
        call("")
    assert refusal(lambda: call("xxx\0xxx")).details == {"field": field}
    if lines:
        call("one\ntwo")
    else:
        assert refusal(lambda: call("one\ntwo")).details == {"field": field}


# --- Jobs -------------------------------------------------------------------------------------------------------------


def offer(**told: Any) -> Offer:
    return Offer(**{**OFFER, **told})


def test_the_words_of_an_offer_are_bounded() -> None:
    judged(lambda said: offer(title=said), field="title", shortest=3, longest=120)
    judged(lambda said: offer(description=said), field="description", shortest=0, longest=5000, lines=True)
    judged(lambda said: offer(category=said), field="category", shortest=1, longest=60)
    judged(lambda said: offer(place=said, remote=True), field="place", shortest=0, longest=200)
    assert offer(category="MUSIC ").category == "music"
    assert refusal(lambda: offer(title="!!!")).details == {"field": "title"}
    assert refusal(lambda: offer(place="")).details == {"field": "place"}
    assert offer(place="", remote=True).remote


def test_the_numbers_of_an_offer_are_bounded() -> None:
    for field, (least, most) in JOB_BOUNDS.items():
        for right in (least, most):
            assert getattr(offer(**{field: right}), field) == right
        for wrong in (least - 1, most + 1, 1.0, True, "1"):
            details = refusal(lambda field=field, wrong=wrong: offer(**{field: wrong})).details  # type: ignore[misc]
            assert details == {"field": field, "least": least, "most": most}


def test_a_price_fits_the_terms() -> None:
    nothing, most = Money(0, "EUR"), Money(HIGHEST_PRICE, "EUR")
    bounds = {"field": "price", "least": 0, "most": HIGHEST_PRICE}
    assert offer(price=most).price == most
    assert refusal(lambda: offer(price=Money(HIGHEST_PRICE + 1, "EUR"))).details == bounds
    assert refusal(lambda: offer(price=Money(-1, "EUR"))).details == bounds
    assert refusal(lambda: offer(terms=PaymentTerms.FREE)).details == {"field": "price"}
    assert refusal(lambda: offer(price=nothing)).details == {"field": "price"}
    for terms in (PaymentTerms.FREE, PaymentTerms.LATER):
        assert offer(price=nothing, terms=terms).price == nothing
    assert offer(terms=PaymentTerms.LATER).price == Money(100, "EUR")


def test_a_job_says_which_step_it_cannot_take() -> None:
    job = Job.draft(id=JobId(ID), organization_id=OrganizationId(ID), provider_id=ANN, offer=offer(), now=NOW)
    assert "draft cannot be archived" in refusal(lambda: job.archive(now=NOW), JobStateRefused).message
    job.revise(offer(title="Piano"), now=NOW)
    job.publish(now=NOW)
    assert "published cannot be published" in refusal(lambda: job.publish(now=NOW), JobStateRefused).message
    assert "published cannot be deleted" in refusal(job.discard, JobStateRefused).message
    job.revise(offer(title="Violin"), now=NOW)
    job.archive(now=NOW)
    assert "archived cannot be revised" in refusal(lambda: job.revise(offer(), now=NOW), JobStateRefused).message
    assert job.title == "Violin"
    job.publish(now=NOW)


def test_a_rating_counts_stars_from_one_to_five() -> None:
    rating = Rating(id=JobId(ID), provider_id=ANN, updated_at=NOW)
    rating.move(stars_added=5, now=NOW)
    rating.move(stars_added=1, now=NOW)
    assert (rating.count, rating.total, rating.average_hundredths) == (2, 6, 300)
    later = NOW + timedelta(hours=1)
    rating.move(stars_added=2, stars_removed=5, now=later)
    assert (rating.count, rating.total, rating.average_hundredths, rating.updated_at) == (2, 3, 150, later)
    bounds = {"field": "stars", "least": 0, "most": 5}
    for wrong in (-1, 6):
        assert refusal(lambda wrong=wrong: rating.move(stars_added=wrong, now=NOW)).details == bounds  # type: ignore[misc]
        assert refusal(lambda wrong=wrong: rating.move(stars_removed=wrong, now=NOW)).details == bounds  # type: ignore[misc]
    for count, total in ((1, 6), (1, 0), (-1, -1), (0, 1)):
        broken = refusal(lambda c=count, t=total: replace(rating, count=c, total=t))  # type: ignore[misc]
        assert broken.details == {"field": "stars", "count": count, "total": total}
    for count, total, average in ((0, 0, 0), (1, 5, 500), (2, 2, 100), (3, 4, 133), (3, 5, 167), (8, 25, 313)):
        assert replace(rating, count=count, total=total).average_hundredths == average


# --- People -----------------------------------------------------------------------------------------------------------


def particulars(**told: str) -> Particulars:
    return Particulars(**{"name": "Ann", **told})


def test_the_parts_of_a_profile_are_bounded() -> None:
    judged(lambda said: particulars(name=said), field="name", shortest=1, longest=120)
    judged(lambda said: particulars(headline=said), field="headline", shortest=0, longest=160)
    judged(lambda said: particulars(bio=said), field="bio", shortest=0, longest=4000, lines=True)
    assert particulars(headline=" a ", bio=" b ").headline == "a"
    assert particulars(bio=" b ").bio == "b"
    stem = "https://example.org/"
    assert len(particulars(avatar_url=stem + "a" * (500 - len(stem))).avatar_url) == 500
    long = {"shortest": 0, "longest": 500, "field": "avatar_url"}
    assert refusal(lambda: particulars(avatar_url=stem + "a" * (501 - len(stem)))).details == long
    for wrong in ("http://example.org/a", "https://", "https://a@b/c", "https://[x/", "https://a/b c", "ftp://a/b"):
        assert refusal(lambda wrong=wrong: particulars(avatar_url=wrong)).details == {"field": "avatar_url"}  # type: ignore[misc]
    assert particulars(phone="+351 912" + " " * 20 + "345 678 " + "-" * 4).phone == "+351912345678"
    long = {"shortest": 0, "longest": 40, "field": "phone"}
    assert refusal(lambda: particulars(phone="+" + "1" * 40)).details == long
    assert refusal(lambda: particulars(phone="+" + "1" * 39)).details == {"field": "phone"}


def test_a_profile_is_changed_in_the_parts_that_are_named() -> None:
    whole = {
        "name": "Ann",
        "headline": "Guitars",
        "bio": "I play.",
        "avatar_url": "https://example.org/a.png",
        "locale": "pt-BR",
        "zone": "Europe/Lisbon",
        "phone": "+351912345678",
    }
    later = NOW + timedelta(hours=1)
    for part, other in (("headline", "Pianos"), ("bio", ""), ("locale", "en"), ("zone", "UTC"), ("phone", "")):
        profile = Profile.begin(id=ANN, particulars=particulars(**whole), now=NOW)
        profile.update(now=later, **{part: other})
        assert profile.particulars == particulars(**whole | {part: other})
        assert profile.updated_at == later
        profile.update(now=later + timedelta(hours=1), **{part: other})
        assert profile.updated_at == later


def test_a_suspension_has_a_reason_and_an_admin() -> None:
    admin = Actor(user_id=BEN, role=Role.ADMIN)

    def user() -> User:
        return User.create(id=ANN, email="ann@example.org", role=Role.CUSTOMER, now=NOW)

    judged(lambda said: user().suspend(by=admin, reason=said, now=NOW), field="reason", shortest=1, longest=500)
    stranger = Actor(user_id=BEN, role=Role.PROVIDER)
    for forbidden in (
        lambda: user().suspend(by=stranger, reason="Spam.", now=NOW),
        lambda: user().change_role(Role.ADMIN, by=stranger),
        lambda: user().restore(by=stranger),
    ):
        refusal(forbidden, Forbidden)
    ended = user()
    ended.take_events()
    ended.end_sessions()
    (event,) = ended.take_events()
    assert (event.kept, ended.epoch) == (False, 2)  # type: ignore[attr-defined]


def test_a_password_is_long_unlike_the_address_and_no_common_one() -> None:
    policy = PasswordPolicy(shortest=10, longest=12)
    for right in ("abcdabcdab", "abcdabcdabcd"):
        policy.judge(right, email="ann@example.org")
    for wrong in ("abcdabcda", "abcdabcdabcda"):
        details = refusal(lambda wrong=wrong: policy.judge(wrong, email="ann@example.org"), WeakPassword).details  # type: ignore[misc]
        assert details == {"field": "password", "reason": "length", "shortest": 10, "longest": 12}
    for wrong, email, reason in (
        ("abcabcabcabc", "ann@example.org", "common"),
        ("password1234", "ann@example.org", "common"),
        ("a@b.org12345", "a@b.org", "email"),
        ("annbenclara", "annbenclara@example.org", "email"),
        (" annbenclar ", "annbenclar@example.org", "email"),
        ("abcd\x07abcdab", "ann@example.org", "characters"),
    ):
        details = refusal(lambda w=wrong, e=email: policy.judge(w, email=e), WeakPassword).details  # type: ignore[misc]
        assert details == {"field": "password", "reason": reason}
    policy.judge("ann@benclara"[:12], email="ann@benclara@x")
    for shortest, longest in ((7, 10), (10, 9), (10, 1025)):
        broken = refusal(lambda s=shortest, m=longest: PasswordPolicy(shortest=s, longest=m))  # type: ignore[misc]
        assert broken.details == {"field": "shortest"}
    for longest in (8, 1024):
        assert PasswordPolicy(shortest=8, longest=longest).longest == longest


def test_an_address_is_as_long_as_mail_can_carry() -> None:
    local, label = "a" * 64, "b" * 63
    longest = f"{local}@{label}.{label}.{'c' * 57}.org"
    assert (len(longest), email_address(longest)) == (254, longest)
    for wrong in (f"{local}@{label}.{label}.{'c' * 58}.org", f"a{local}@b.org", "a@b@c.org"):
        assert refusal(lambda wrong=wrong: email_address(wrong)).details == {"field": "email"}  # type: ignore[misc]


def test_an_organizations_name_is_bounded() -> None:
    def found(said: str) -> Organization:
        return Organization.found(id=OrganizationId(ID), name=said, owner_id=ANN, now=NOW)

    judged(found, field="name", shortest=1, longest=LONGEST_NAME)
    judged(lambda name: found("Strings").rename(name, by=THE_HOUSE), field="name", shortest=1, longest=LONGEST_NAME)


# --- Words ------------------------------------------------------------------------------------------------------------


def review(**told: Any) -> Review:
    whole: dict[str, Any] = {
        "id": ReviewId(ID),
        "booking_id": BookingId(ID),
        "job_id": JobId(ID),
        "provider_id": BEN,
        "customer_id": ANN,
        "completed": True,
        "author_id": ANN,
        "stars": 5,
        "text": "",
        "now": NOW,
    }
    return Review.post(**whole | told)


def test_the_words_of_reviews_and_messages_are_bounded() -> None:
    judged(lambda said: review(text=said), field="text", shortest=0, longest=LONGEST_REVIEW, lines=True)
    judged(
        lambda said: review().respond(said, by=BEN, now=NOW),
        field="text",
        shortest=1,
        longest=LONGEST_RESPONSE,
        lines=True,
    )
    judged(lambda said: review().hide(said, now=NOW), field="reason", shortest=1, longest=LONGEST_REASON)
    sender = Participant.join(id=ParticipantId(ID), conversation_id=ConversationId(ID), user_id=ANN, now=NOW)
    judged(
        lambda said: Message.write(id=MessageId(ID), sender=sender, text=said, now=NOW),
        field="text",
        shortest=1,
        longest=LONGEST_MESSAGE,
        lines=True,
    )
    judged(
        lambda said: Conversation.between(id=ConversationId(ID), starter=ANN, recipient=BEN, subject=said, now=NOW),
        field="subject",
        shortest=1,
        longest=LONGEST_SUBJECT,
    )
    for wrong in (0, 6, True):
        details = refusal(lambda wrong=wrong: review(stars=wrong)).details  # type: ignore[misc]
        assert details == {"field": "stars", "least": 1, "most": 5}


def posted(**told: Any) -> Notification:
    whole: dict[str, Any] = {"id": NotificationId(ID), "user_id": ANN, "kind": "k", "title": "t", "body": "b"}
    return Notification.post(**whole | {"about": None, "now": NOW} | told)


def queued(**told: Any) -> Mail:
    whole: dict[str, Any] = {"id": MailId(ID), "template": Template.WELCOME, "transition": "t", "recipient_id": ANN}
    return Mail.queue(**whole | {"to": "ann@example.org", "context": {}, "now": NOW} | told)


def test_the_words_of_news_and_letters_are_bounded() -> None:
    judged(lambda said: posted(title=said), field="title", shortest=1, longest=LONGEST_TITLE)
    judged(lambda said: posted(body=said), field="body", shortest=1, longest=LONGEST_BODY, lines=True)
    judged(lambda said: queued(transition=said), field="transition", shortest=1, longest=LONGEST_TRANSITION)
    details = refusal(lambda: posted().read(by=BEN, now=NOW), NotFound).details
    assert details == {"what": "notification", "id": str(ID)}
    for context, said in (
        ({1: "a"}, {"field": "context"}),
        ({"a": 1.5}, {"field": "context", "kind": "float"}),
        ({"a": [b"x"]}, {"field": "context", "kind": "bytes"}),
    ):
        assert refusal(lambda c=context: queued(context=c)).details == said  # type: ignore[misc]


def test_an_address_can_stand_in_a_header() -> None:
    assert address(" ann@example.org ") == "ann@example.org"
    assert address("Xann@example.org") == "Xann@example.org"
    for wrong in ("ann", "@example.org", "ann@", "a@b@c", "a b@c", *(f"a{sign}b@c" for sign in '<>(),;:"[]\\')):
        assert refusal(lambda wrong=wrong: address(wrong)).details == {"field": "to"}  # type: ignore[misc]
    long = {"field": "to", "shortest": 1, "longest": 254}
    assert refusal(lambda: address("a" * 250 + "@b.org")).details == long


def test_a_letter_counts_its_attempts_and_tells_why_in_print() -> None:
    mail = queued()
    mail.gave_up(reason="no\x00such\nuser " + "x" * 600)
    assert mail.attempts == 1
    assert mail.last_error.startswith("no such user xxx")
    assert len(mail.last_error) == LONGEST_ERROR
    mail.again()
    mail.gave_up(reason="again")
    assert mail.attempts == 2
    mail.again()
    mail.delivered(now=NOW)
    assert (mail.attempts, mail.last_error, mail.sent_at) == (3, "", NOW)
    mail.delivered(now=NOW + timedelta(hours=1))
    assert (mail.attempts, mail.sent_at) == (3, NOW)


# --- Terms, money and time --------------------------------------------------------------------------------------------


def test_the_tiers_of_a_policy_are_sound() -> None:
    assert Tier(0, 0) < Tier(LONGEST_NOTICE_HOURS, 100)
    for hours in (-1, LONGEST_NOTICE_HOURS + 1, 1.0, True):
        details = refusal(lambda hours=hours: Tier(hours, 0)).details  # type: ignore[misc]
        assert details == {"field": "policy.tiers.hours_before"}
    for percent in (-1, 101, 1.0, True):
        details = refusal(lambda percent=percent: Tier(1, percent)).details  # type: ignore[misc]
        assert details == {"field": "policy.tiers.refund_percent"}
        details = refusal(lambda percent=percent: CancellationPolicy((), percent)).details  # type: ignore[misc]
        assert details == {"field": "policy.no_show_percent"}
    most = tuple(Tier(hours, 50) for hours in range(MOST_TIERS))
    assert len(CancellationPolicy(most, 100).tiers) == MOST_TIERS
    too_many = refusal(lambda: CancellationPolicy((*most, Tier(MOST_TIERS, 50)))).details
    assert too_many == {"field": "policy.tiers", "most": MOST_TIERS}
    same = refusal(lambda: CancellationPolicy((Tier(24, 100), Tier(24, 50)))).details
    assert same == {"field": "policy.tiers", "hours": 24}
    more = refusal(lambda: CancellationPolicy((Tier(24, 50), Tier(12, 51)))).details
    assert more == {"field": "policy.tiers", "hours": 12}


def test_a_cancellation_gives_back_what_its_notice_earns() -> None:
    policy = CancellationPolicy((Tier(24, 50), Tier(48, 100)))
    start = NOW + timedelta(days=10)
    for before, percent in ((49, 100), (48, 100), (47, 50), (24, 50), (23, 0), (-1, 0)):
        assert policy.refund_percent(start, start - timedelta(hours=before)) == percent


def test_a_refund_says_why_in_bounds() -> None:
    ten, nothing = Money(1000, "EUR"), Money(0, "EUR")

    def payment() -> Payment:
        asked = Payment.request(
            id=PaymentId(ID),
            booking_id=BookingId(ID),
            customer_id=ANN,
            organization_id=OrganizationId(ID),
            amount=ten,
            now=NOW,
        )
        return replace(asked, captured=ten)

    def refund(said: str) -> Refund:
        return Refund.request(id=RefundId(ID), payment=payment(), amount=ten, reason=said, now=NOW)

    judged(refund, field="reason", shortest=0, longest=500, lines=True)
    assert payment().refundable == ten
    nothing_to_pay = refusal(
        lambda: Payment.request(
            id=PaymentId(ID),
            booking_id=BookingId(ID),
            customer_id=ANN,
            organization_id=OrganizationId(ID),
            amount=nothing,
            now=NOW,
        )
    )
    assert nothing_to_pay.details == {"field": "amount", "amount": 0}
    unsound = refusal(lambda: replace(payment(), refunded=ten, refunding=Money(1, "EUR")))
    assert unsound.details == {"payment": str(ID)}


def test_a_refund_the_gateway_refused_is_over_and_its_money_free() -> None:
    ten = Money(1000, "EUR")
    asked = Payment.request(
        id=PaymentId(ID),
        booking_id=BookingId(ID),
        customer_id=ANN,
        organization_id=OrganizationId(ID),
        amount=ten,
        now=NOW,
    )
    payment, later = replace(asked, captured=ten), NOW + timedelta(hours=1)
    refund = Refund.request(id=RefundId(ID), payment=payment, amount=ten, now=NOW)
    refund.take_events()
    fail_refund(refund, payment, "closed account", now=later)
    assert (refund.state, refund.failure, refund.settled_at) == (RefundState.FAILED, "closed account", later)
    assert payment.refundable == ten
    (event,) = refund.take_events()
    assert event == RefundFailed(
        refund_id=RefundId(ID), payment_id=PaymentId(ID), booking_id=BookingId(ID), amount=ten, reason="closed account"
    )


def test_hours_are_windows_and_not_too_many() -> None:
    many = tuple(f"{hour:02}:00-{hour:02}:30" for hour in range(24))
    assert Weekly(monday=many).monday == many
    assert refusal(lambda: Weekly(monday=(*many, "00:45-00:50"))).details == {
        "field": "monday",
        "count": MOST_WINDOWS + 1,
        "most": MOST_WINDOWS,
    }
    assert refusal(lambda: Override(date(2026, 3, 2), ("9-5",))).details == {"field": "windows", "window": "9-5"}
    week = Weekly.workdays("09:00-17:00")
    assert [bool(day) for day in week.by_weekday()] == [True] * 5 + [False] * 2
    assert all(Weekly.every_day("09:00-17:00").by_weekday())


def test_every_change_of_hours_is_dated_and_what_is_not_there_is_named() -> None:
    provider = Actor(user_id=ANN, role=Role.PROVIDER)
    hours = Availability.open(id=ANN, by=provider, zone="Europe/Lisbon", weekly=Weekly(), now=NOW)
    day, off = date(2026, 3, 9), TimeOff(id=ID, first=date(2026, 3, 9), last=date(2026, 3, 10))
    changes: tuple[Callable[[datetime], None], ...] = (
        lambda now: hours.set_weekly(Weekly.workdays("09:00-17:00"), by=provider, now=now),
        lambda now: hours.move_to_zone("Europe/Madrid", by=provider, now=now),
        lambda now: hours.override(day, ("10:00-12:00",), by=provider, now=now),
        lambda now: hours.clear_override(day, by=provider, now=now),
        lambda now: hours.take_time_off(off, by=provider, now=now),
        lambda now: hours.cancel_time_off(ID, by=provider, now=now),
    )
    for number, change in enumerate(changes, 1):
        change(now := NOW + timedelta(hours=number))
        assert hours.updated_at == now
    gone = refusal(lambda: hours.clear_override(day, by=provider, now=NOW), NoSuchOverride)
    assert gone.details == {"day": "2026-03-09"}
    gone = refusal(lambda: hours.cancel_time_off(ID, by=provider, now=NOW), NoSuchTimeOff)
    assert gone.details == {"id": str(ID)}
    over = date(2026, 2, 28)
    for time_off, field in (
        (TimeOff(id=ID, first=over, last=over), "last"),
        (TimeOff(id=ID, starts_at=NOW - timedelta(days=4), ends_at=NOW - timedelta(days=2)), "ends_at"),
    ):
        refused = refusal(lambda off=time_off: hours.take_time_off(off, by=provider, now=NOW), DayIsOver)  # type: ignore[misc]
        assert refused.details == {"field": field, "day": "2026-02-28", "today": "2026-03-02"}


def test_exceptions_are_remembered_for_as_long_as_is_said_and_no_longer() -> None:
    provider = Actor(user_id=ANN, role=Role.PROVIDER)
    hours = Availability.open(id=ANN, by=provider, zone="UTC", weekly=Weekly(), now=NOW)
    first, second = date(2026, 3, 9), date(2026, 3, 10)
    for day in (first, second):
        hours.override(day, (), by=provider, now=NOW)
        hours.take_time_off(TimeOff(id=UUID(int=day.day), first=day, last=day), by=provider, now=NOW)
    later = datetime(2026, 3, 10, 12, tzinfo=UTC) + KEPT_FOR
    new = (later + timedelta(days=5)).date()
    hours.override(new, (), by=provider, now=later)
    hours.take_time_off(TimeOff(id=ID, first=new, last=new), by=provider, now=later)
    assert [override.day for override in hours.overrides] == [second, new]
    assert [off.first for off in hours.time_off] == [second, new]


def test_time_off_is_two_dates_or_two_moments() -> None:
    day, later = date(2026, 3, 2), NOW + timedelta(hours=1)
    for told, field in (
        ({}, "starts_at"),
        ({"starts_at": NOW}, "starts_at"),
        ({"ends_at": NOW}, "starts_at"),
        ({"first": day}, "first"),
        ({"last": day}, "first"),
        ({"first": day, "last": day, "starts_at": NOW}, "first"),
        ({"first": day, "last": day - timedelta(days=1)}, "last"),
    ):
        refused = refusal(lambda told=told: TimeOff(id=ID, **told), BadTimeOff)  # type: ignore[misc]
        assert refused.details == {"field": field}
    # Auckland's calendar is a day ahead of Lisbon's by then.
    evening = TimeOff(id=ID, starts_at=NOW, ends_at=NOW + timedelta(hours=3))
    assert evening.last_day("Europe/Lisbon") == day
    assert evening.last_day("Pacific/Auckland") == day + timedelta(days=1)
    assert TimeOff(id=ID, first=day, last=day).last_day("UTC") == day
    assert TimeOff(id=ID, starts_at=NOW, ends_at=later).ends_at == later


def test_the_rules_of_slots_are_bounded() -> None:
    for field, (least, most) in SLOT_BOUNDS.items():
        others: dict[str, Any] = {"duration": 60, "job_id": JobId(ID)}
        for right in (least, most):
            SlotRules(**others | {field: right})
        for wrong in (least - 1, most + 1):
            refused = refusal(lambda f=field, w=wrong, o=others: SlotRules(**o | {f: w}))  # type: ignore[misc]
            assert refused.details == {"field": field, "least": least, "most": most}
    assert refusal(lambda: SlotRules(duration=60, capacity=2)).details == {"field": "job_id"}
    rules = SlotRules(duration=60, buffer_before=10, buffer_after=20)
    assert rules.blocked(NOW) == Span(NOW - timedelta(minutes=10), NOW + timedelta(minutes=80))


def test_what_could_stand_against_a_start_reaches_past_its_dates_and_buffers() -> None:
    rules = SlotRules(duration=60, buffer_before=10, buffer_after=20)
    day = date(2026, 3, 2)
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert reach(rules, day, day) == Span(
        midnight - timedelta(days=2, minutes=10), midnight + timedelta(days=2, minutes=80)
    )
    assert reach(rules, date(1970, 1, 1), day).starts_at == EARLIEST
    assert reach(rules, day, date(9000, 1, 1)).ends_at == LATEST


def test_moments_lie_in_the_centuries_we_keep() -> None:
    assert instant(EARLIEST) == EARLIEST
    assert instant(LATEST) == LATEST
    tick = timedelta(microseconds=1)
    for wrong in (EARLIEST - tick, LATEST + tick, datetime(1970, 1, 1), datetime.max.replace(tzinfo=UTC)):
        assert refusal(lambda wrong=wrong: instant(wrong)).details == {"field": "moment"}  # type: ignore[misc]
    assert zone("Europe/Lisbon").key == "Europe/Lisbon"
    for name in ("", "Mars/Olympus", "/etc/passwd", "../etc", "a\0b"):
        assert refusal(lambda name=name: zone(name)).details == {"field": "zone"}  # type: ignore[misc]
    assert refusal(lambda: Span(NOW, NOW)).details == {"field": "ends_at"}
    hour = Span(NOW, NOW + timedelta(hours=1))
    assert hour.length == timedelta(hours=1)
    assert hour.padded(timedelta(minutes=5), timedelta(minutes=10)) == Span(
        NOW - timedelta(minutes=5), NOW + timedelta(minutes=70)
    )


def test_text_is_trimmed_and_its_words_are_found() -> None:
    judged(lambda said: text(said, field="f", longest=9), field="f", shortest=1, longest=9)
    assert text("a\r\nb", field="f", longest=9, lines=True) == "a\nb"
    for wrong in ("\ud800", "\udfff", "\x1f", "\x7f"):
        details = refusal(lambda wrong=wrong: text(f"a{wrong}b", field="f", longest=9)).details  # type: ignore[misc]
        assert details == {"field": "f"}
    for right in ("\ud7ff", "\ue000", "\t", "\x80"):
        assert text(f"a{right}b", field="f", longest=9)
    assert words("Élève, ÉLÈVE & co_op 2!") == ("eleve", "co", "op", "2")


# --- The audit trail --------------------------------------------------------------------------------------------------


def test_an_entry_reads_the_same_wherever_it_is_stored() -> None:
    entry = AuditEntry(
        id=UUID(int=1),
        at=NOW.astimezone(zone("Asia/Tokyo")),
        actor="user:é",
        action="job.created",
        subject_table="jobs",
        subject_id=UUID(int=2),
        subject_version=1,
        details={"b": 1, "a": "ü"},
    )
    assert entry.canonical().decode() == (
        '{"action":"job.created","actor":"user:é","at":"2026-03-02T09:00:00.000000+00:00",'
        '"details":{"a":"ü","b":1},"id":"00000000-0000-0000-0000-000000000001",'
        '"subject_id":"00000000-0000-0000-0000-000000000002","subject_table":"jobs","subject_version":1}'
    )
    with pytest.raises(ValueError, match="JSON compliant"):
        replace(entry, details={"a": float("nan")}).canonical()
    first, second = seal([entry, replace(entry, id=UUID(int=3))], onto=Head(position=4, hash=GENESIS))
    assert (first.position, second.position) == (5, 6)
    assert second.hash == link(first.hash, replace(entry, id=UUID(int=3)))
    chain = [
        Link(position=5, hash=first.hash, entry=entry),
        Link(position=6, hash=second.hash, entry=replace(entry, id=UUID(int=3))),
    ]
    assert verify(chain, onto=Head(position=4, hash=GENESIS)) is None
