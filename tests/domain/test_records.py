"""What a named constructor is told, the new thing keeps, whole; and what happened says so, whole."""

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.bookings import Booking, BookingState, BookingStateRefused, Claim
from domain.identity import (
    Client,
    Credential,
    OneTimeToken,
    OneTimeTokenDeclined,
    OneTimeTokenIssued,
    Purpose,
    RefreshToken,
    Session,
    SessionOpened,
    SignInMethod,
    User,
    UserCreated,
    UserSignedUp,
)
from domain.jobs import Job, JobArchived, JobCreated, JobDeleted, JobPublished, JobRevised, JobState, Offer
from domain.messaging import Conversation, ConversationKind, ConversationOpened, Message, MessageSent, Participant
from domain.notifications import Mail, MailQueued, MailState, Notification, Template
from domain.organizations import MemberJoined, MemberRole, Membership, Organization, OrganizationFounded
from domain.payments import (
    GatewayPayment,
    GatewayRefund,
    Outcome,
    Payment,
    PaymentRequested,
    PaymentState,
    Refund,
    RefundRequested,
    RefundState,
    SourceKind,
    Topic,
    Webhook,
    WebhookReceived,
    refund_entries,
)
from domain.profiles import Particulars, Profile
from domain.reviews import Review, ReviewPosted, ReviewState
from domain.shared.actors import Role
from domain.shared.aggregate import Aggregate
from domain.shared.errors import Invalid
from domain.shared.ids import (
    BookingId,
    ConversationId,
    JobId,
    MailId,
    MembershipId,
    MessageId,
    NotificationId,
    OneTimeTokenId,
    OrganizationId,
    ParticipantId,
    PaymentId,
    RefreshTokenId,
    RefundId,
    ReviewId,
    SessionId,
    UserId,
    WebhookId,
)
from domain.shared.money import Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms, Side, Tier
from domain.shared.time import Span

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ANN, BEN = UserId(UUID(int=1)), UserId(UUID(int=2))
ID = UUID(int=9)
HOUSE, BOOKING, JOB, PAYMENT = (
    OrganizationId(UUID(int=3)),
    BookingId(UUID(int=4)),
    JobId(UUID(int=5)),
    PaymentId(UUID(int=6)),
)
TEN, NOTHING = Money(1000, "EUR"), Money(0, "EUR")


def kept(thing: Aggregate) -> dict[str, Any]:
    """All it holds, but for what happened."""
    return {field.name: getattr(thing, field.name) for field in fields(thing) if field.name != "_events"}


def new(**told: Any) -> dict[str, Any]:
    """The same of something not stored yet, with the usual id."""
    return {"id": ID, "version": 0, **told}


# --- Identity ---------------------------------------------------------------------------------------------------------


def test_a_user_who_signs_up_is_nobody_confirmed_yet() -> None:
    user = User.sign_up(id=UserId(ID), email=" Ann@Example.org ", role=Role.PROVIDER, now=NOW)
    assert kept(user) == new(
        email="ann@example.org",
        role=Role.PROVIDER,
        email_verified_at=None,
        suspended_at=None,
        epoch=1,
        created_at=NOW,
    )
    assert user.take_events() == [UserSignedUp(user_id=UserId(ID), email="ann@example.org", role=Role.PROVIDER)]


def test_a_user_somebody_vouches_for_is_confirmed() -> None:
    user = User.create(id=UserId(ID), email="ann@example.org", role=Role.ADMIN, now=NOW)
    assert kept(user) == new(
        email="ann@example.org",
        role=Role.ADMIN,
        email_verified_at=NOW,
        suspended_at=None,
        epoch=1,
        created_at=NOW,
    )
    assert user.take_events() == [UserCreated(user_id=UserId(ID), email="ann@example.org", role=Role.ADMIN)]


def test_a_password_is_kept_as_a_hash_until_there_is_a_better_one() -> None:
    credential = Credential.create(id=UserId(ID), password_hash="h", now=NOW)
    assert kept(credential) == new(password_hash="h", changed_at=NOW, created_at=NOW)
    credential.upgrade(None)
    assert credential.password_hash == "h"
    credential.upgrade("better")
    assert kept(credential) == new(password_hash="better", changed_at=NOW, created_at=NOW)
    assert credential.take_events() == []


def test_a_link_is_its_users_and_works_for_them() -> None:
    link = OneTimeToken.issue(
        id=OneTimeTokenId(ID),
        user_id=ANN,
        epoch=3,
        purpose=Purpose.MAGIC_LINK,
        token_hash="t",
        lifetime=timedelta(hours=1),
        now=NOW,
        address_hash="a",
    )
    assert kept(link) == new(
        user_id=ANN,
        purpose=Purpose.MAGIC_LINK,
        token_hash="t",
        address_hash="a",
        epoch=3,
        expires_at=LATER,
        used_at=None,
        created_at=NOW,
        address=None,
    )
    issued = OneTimeTokenIssued(token_id=OneTimeTokenId(ID), user_id=ANN, purpose=Purpose.MAGIC_LINK)
    assert link.take_events() == [issued]
    assert link.must_be_fresh(now=LATER - timedelta(microseconds=1)) == ANN


def test_a_link_that_changes_an_address_carries_it() -> None:
    told: dict[str, Any] = {"user_id": ANN, "epoch": 3, "token_hash": "t", "lifetime": timedelta(hours=1), "now": NOW}
    link = OneTimeToken.issue(id=OneTimeTokenId(ID), purpose=Purpose.CHANGE_EMAIL, address="new@example.com", **told)
    assert link.address == "new@example.com"


def test_a_decoy_looks_like_a_link_and_is_nobodys() -> None:
    told: dict[str, Any] = {"id": OneTimeTokenId(ID), "purpose": Purpose.RESET_PASSWORD, "token_hash": "t", "now": NOW}
    decoy = OneTimeToken.decoy(**told, address_hash="a")
    assert kept(decoy) == new(
        user_id=None,
        purpose=Purpose.RESET_PASSWORD,
        token_hash="t",
        address_hash="a",
        epoch=0,
        expires_at=NOW,
        used_at=None,
        created_at=NOW,
        address=None,
    )
    declined = OneTimeTokenDeclined(token_id=OneTimeTokenId(ID), purpose=Purpose.RESET_PASSWORD)
    assert decoy.take_events() == [declined]
    assert OneTimeToken.decoy(**told).address_hash == ""
    link = OneTimeToken.issue(**told, user_id=ANN, epoch=1, lifetime=timedelta(hours=1))
    assert link.address_hash == ""


def test_a_session_knows_where_it_began_and_a_refresh_token_its_session() -> None:
    session = Session.open(
        id=SessionId(ID),
        user_id=ANN,
        epoch=2,
        method=SignInMethod.MAGIC_LINK,
        client=Client(ip="192.0.2.1", user_agent="browser"),
        now=NOW,
    )
    assert kept(session) == new(
        user_id=ANN,
        epoch=2,
        method=SignInMethod.MAGIC_LINK,
        ip="192.0.2.1",
        user_agent="browser",
        last_used_at=NOW,
        revoked_at=None,
        end_reason=None,
        created_at=NOW,
    )
    assert session.take_events() == [
        SessionOpened(session_id=SessionId(ID), user_id=ANN, method=SignInMethod.MAGIC_LINK)
    ]
    token = RefreshToken.issue(
        id=RefreshTokenId(ID), session_id=SessionId(ID), token_hash="t", lifetime=timedelta(hours=1), now=NOW
    )
    assert kept(token) == new(
        session_id=ID, token_hash="t", expires_at=LATER, rotated_at=None, revoked_at=None, created_at=NOW
    )


# --- Profiles, organizations, jobs ------------------------------------------------------------------------------------


def test_a_profile_begins_with_all_it_was_told() -> None:
    particulars = Particulars(
        name="Ann",
        headline="Guitars",
        bio="I play.",
        avatar_url="https://example.org/ann.png",
        locale="pt-BR",
        zone="Europe/Lisbon",
        phone="+351912345678",
    )
    profile = Profile.begin(id=UserId(ID), particulars=particulars, now=NOW)
    assert kept(profile) == new(**asdict(particulars), avatar_id=None, created_at=NOW, updated_at=NOW)
    assert profile.particulars == particulars


def test_an_organization_is_founded_and_joined() -> None:
    house = Organization.found(id=OrganizationId(ID), name=" Strings ", owner_id=ANN, solo=True, now=NOW)
    assert kept(house) == new(name="Strings", solo=True, owners=1, profession="", created_at=NOW)
    assert house.take_events() == [OrganizationFounded(organization_id=OrganizationId(ID), owner_id=ANN, solo=True)]
    plain = Organization.found(id=OrganizationId(ID), name="Strings", owner_id=ANN, now=NOW)
    assert not plain.solo
    member = Membership.join(id=MembershipId(ID), organization_id=HOUSE, user_id=ANN, role=MemberRole.MANAGER, now=NOW)
    assert kept(member) == new(organization_id=HOUSE, user_id=ANN, role=MemberRole.MANAGER, created_at=NOW)
    assert member.take_events() == [
        MemberJoined(membership_id=MembershipId(ID), organization_id=HOUSE, user_id=ANN, role=MemberRole.MANAGER)
    ]


def test_a_job_keeps_its_offer_and_every_step_says_whose_it_is() -> None:
    offer = Offer(title="Guitar lesson", category="Music", price=TEN, duration=60, place="Lisboa", buffer_after=10)
    job = Job.draft(id=JobId(ID), organization_id=HOUSE, provider_id=ANN, offer=offer, now=NOW)
    terms = {field.name: getattr(offer, field.name) for field in fields(offer)}
    drafted = new(
        organization_id=HOUSE,
        provider_id=ANN,
        **terms,
        pictures=(),
        state=JobState.DRAFT,
        published_at=None,
        created_at=NOW,
        updated_at=NOW,
    )
    assert kept(job) == drafted
    assert job.offer == offer
    job.publish(now=LATER)
    assert kept(job) == drafted | {"state": JobState.PUBLISHED, "published_at": LATER, "updated_at": LATER}
    job.revise(offer, now=LATER)
    job.archive(now=LATER + timedelta(hours=1))
    assert (job.published_at, job.updated_at) == (LATER, LATER + timedelta(hours=1))
    steps = (JobCreated, JobPublished, JobRevised, JobArchived)
    whose: dict[str, Any] = {"job_id": JobId(ID), "provider_id": ANN, "organization_id": HOUSE}
    assert job.take_events() == [step(**whose) for step in steps]
    thrown = Job.draft(id=JobId(ID), organization_id=HOUSE, provider_id=ANN, offer=offer, now=NOW)
    thrown.discard()
    assert thrown.take_events()[-1] == JobDeleted(**whose)


# --- Money ------------------------------------------------------------------------------------------------------------


def captured() -> Payment:
    """A payment of ten euros that has arrived."""
    return Payment(
        id=PAYMENT,
        booking_id=BOOKING,
        customer_id=ANN,
        organization_id=HOUSE,
        amount=TEN,
        captured=TEN,
        refunding=NOTHING,
        refunded=NOTHING,
        disputed=NOTHING,
        state=PaymentState.CAPTURED,
        gateway="simulated",
        gateway_ref="pay_1",
        created_at=NOW,
        captured_at=NOW,
    )


def test_a_payment_is_asked_for_with_nothing_in_hand() -> None:
    payment = Payment.request(
        id=PaymentId(ID), booking_id=BOOKING, customer_id=ANN, organization_id=HOUSE, amount=TEN, now=NOW
    )
    assert kept(payment) == new(
        booking_id=BOOKING,
        invoice_id=None,
        customer_id=ANN,
        organization_id=HOUSE,
        amount=TEN,
        captured=NOTHING,
        refunding=NOTHING,
        refunded=NOTHING,
        disputed=NOTHING,
        open_disputes=0,
        state=PaymentState.REQUESTED,
        capture_later=False,
        capturing=None,
        authorised_until=None,
        attempt=1,
        gateway="",
        gateway_ref=None,
        client_secret=None,
        failure="",
        created_at=NOW,
        captured_at=None,
        share=None,
    )
    assert payment.take_events() == [PaymentRequested(payment_id=PaymentId(ID), booking_id=BOOKING, attempt=1)]


def test_a_refund_asked_for_and_one_found_at_the_gateway_are_kept_alike() -> None:
    asked = captured()
    refund = Refund.request(id=RefundId(ID), payment=asked, amount=Money(300, "EUR"), reason=" Ill ", now=LATER)
    common = new(
        payment_id=PAYMENT,
        booking_id=BOOKING,
        invoice_id=None,
        customer_id=ANN,
        organization_id=HOUSE,
        amount=Money(300, "EUR"),
        state=RefundState.REQUESTED,
        gateway="simulated",
        gateway_ref=None,
        failure="",
        created_at=LATER,
        settled_at=None,
    )
    assert kept(refund) == common | {"reason": "Ill"}
    assert refund.take_events() == [RefundRequested(refund_id=RefundId(ID), payment_id=PAYMENT)]
    assert asked.refunding == Money(300, "EUR")
    at_the_gateway = GatewayRefund(
        gateway="simulated",
        ref="re_1",
        refund_id=None,
        payment_ref="pay_1",
        state=RefundState.SUCCEEDED,
        amount=Money(300, "EUR"),
    )
    found = Refund.adopt(id=RefundId(ID), payment=captured(), news=at_the_gateway, now=LATER)
    assert kept(found) == common | {"reason": "made at the gateway"}
    assert found.take_events() == []


def test_a_webhook_is_kept_whole_and_can_be_acted_on_again() -> None:
    webhook = Webhook.receive(
        id=WebhookId(ID),
        topic=Topic.MONEY,
        sender="stripe",
        external_id="evt_1",
        kind="charge.refunded",
        payment_ref="pay_1",
        refund_ref="re_1",
        payload="{}",
        occurred_at=NOW,
        now=LATER,
    )
    waiting = new(
        topic=Topic.MONEY,
        sender="stripe",
        external_id="evt_1",
        kind="charge.refunded",
        payment_ref="pay_1",
        refund_ref="re_1",
        thing=None,
        thing_ref=None,
        payload="{}",
        occurred_at=NOW,
        received_at=LATER,
        processed_at=None,
        outcome=Outcome.WAITING,
        note="",
        payee_ref=None,
    )
    assert kept(webhook) == waiting
    processed = [webhook.is_processed]
    webhook.process(Outcome.SETTLED, now=LATER)
    assert webhook.note == ""
    webhook.process(Outcome.ATTENTION, note="a person must look", now=LATER)
    processed.append(webhook.is_processed)
    assert processed == [False, True]
    assert kept(webhook) == waiting | {
        "processed_at": LATER,
        "outcome": Outcome.ATTENTION,
        "note": "a person must look",
    }
    webhook.replay()
    assert kept(webhook) == waiting
    assert webhook.take_events() == [WebhookReceived(webhook_id=WebhookId(ID))] * 2


def news(state: PaymentState, **told: Any) -> GatewayPayment:
    """What the gateway says of the usual payment."""
    usual: dict[str, Any] = {"gateway": "simulated", "ref": "pay_1", "payment_id": PAYMENT, "attempt": 1}
    return GatewayPayment(**usual | {"state": state, "amount": TEN, "captured": NOTHING} | told)


def asked_for(**told: Any) -> Payment:
    """A payment of ten euros that nobody has paid yet."""
    payment = Payment.request(
        id=PAYMENT, booking_id=BOOKING, customer_id=ANN, organization_id=HOUSE, amount=TEN, now=NOW
    )
    payment.take_events()
    return replace(payment, **told)


def test_what_the_gateway_says_twice_happens_once() -> None:
    payment = asked_for()
    assert payment.settle(news(PaymentState.OPEN, failure="none of it"), now=NOW) == NOTHING
    assert (payment.state, payment.failure) == (PaymentState.OPEN, "")
    for _ in range(2):
        payment.settle(news(PaymentState.FAILED, failure="declined"), now=NOW)
        assert (payment.state, payment.failure) == (PaymentState.FAILED, "declined")
    assert [type(event).__name__ for event in payment.take_events()] == ["PaymentFailed"]
    doubted = asked_for(state=PaymentState.UNKNOWN)
    doubted.settle(news(PaymentState.REQUESTED), now=NOW)
    assert doubted.state is PaymentState.UNKNOWN


def test_a_captured_payment_keeps_its_reference_whatever_else_is_said() -> None:
    payment = captured()
    for state in (PaymentState.CAPTURED, PaymentState.OPEN):
        told = news(state, ref="pay_2", attempt=2, captured=TEN)
        assert payment.settle(told, now=LATER) == NOTHING
        assert (payment.gateway_ref, payment.attempt, payment.captured_at) == ("pay_1", 1, NOW)
    paid = asked_for()
    assert paid.settle(news(PaymentState.CAPTURED, captured=TEN), now=LATER) == TEN
    assert (paid.captured, paid.captured_at, paid.gateway_ref) == (TEN, LATER, "pay_1")


def test_what_is_open_at_the_gateway_is_not_called_off_here() -> None:
    opened = asked_for(state=PaymentState.OPEN, gateway_ref="pay_1", client_secret="s")
    opened.withdraw()
    assert (opened.state, opened.gateway_ref, opened.client_secret) == (PaymentState.OPEN, "pay_1", "s")
    doubted = asked_for(state=PaymentState.UNKNOWN, gateway_ref="pay_1", client_secret="s")
    doubted.withdraw()
    assert (doubted.state, doubted.gateway_ref, doubted.client_secret) == (PaymentState.CANCELLED, None, None)


def test_a_payment_of_nothing_is_none() -> None:
    with pytest.raises(Invalid):
        asked_for(amount=NOTHING)


def test_the_books_name_the_gateways_own_objects() -> None:
    new_id = iter(UUID(int=number) for number in range(100, 200)).__next__
    payment = captured()
    refund = Refund.request(id=RefundId(ID), payment=payment, amount=TEN, now=NOW)
    refund.gateway_ref = "re_1"
    for amount, kind, minor in ((TEN, SourceKind.REFUND, -1000), (-TEN, SourceKind.REFUND_RETURNED, 1000)):
        first, second = refund_entries(payment, refund, amount, new=new_id, now=LATER)
        assert {first.source_id, second.source_id} == {"simulated:re_1"}
        assert {first.source_kind, second.source_kind} == {kind}
        assert (first.account, first.amount) == ("gateway:simulated", Money(minor, "EUR"))
        assert (second.account, second.amount) == (f"organization:{HOUSE}:receivable", Money(-minor, "EUR"))
        assert first.transaction_id == second.transaction_id
        assert len({first.id, second.id, first.transaction_id}) == 3
    assert refund_entries(payment, refund, NOTHING, new=new_id, now=LATER) == ()


# --- Words ------------------------------------------------------------------------------------------------------------


def test_a_review_is_its_authors_about_the_other() -> None:
    told: dict[str, Any] = {"booking_id": BOOKING, "job_id": JOB, "provider_id": BEN, "customer_id": ANN}
    for author, other, side in ((ANN, BEN, Side.CUSTOMER), (BEN, ANN, Side.PROVIDER)):
        review = Review.post(
            id=ReviewId(ID), **told, completed=True, author_id=author, stars=4, text=" Patient. ", now=NOW
        )
        assert kept(review) == new(
            **told,
            author_id=author,
            side=side,
            stars=4,
            text="Patient.",
            response=None,
            responded_at=None,
            state=ReviewState.PUBLISHED,
            moderation_reason=None,
            moderated_at=None,
            created_at=NOW,
        )
        assert review.take_events() == [
            ReviewPosted(
                review_id=ReviewId(ID),
                booking_id=BOOKING,
                job_id=JOB,
                author_id=author,
                reviewed_id=other,
                side=side,
                stars=4,
            )
        ]


def test_conversations_are_of_a_booking_or_of_two() -> None:
    booked = Conversation.about_booking(
        id=ConversationId(ID), booking_id=BOOKING, subject=" Guitar ", customer_id=ANN, provider_id=BEN, now=NOW
    )
    direct = Conversation.between(id=ConversationId(ID), starter=BEN, recipient=ANN, subject="Guitar", now=NOW)
    pair = f"{ANN}:{BEN}"
    for talk, kind, booking, key, starter, people in (
        (booked, ConversationKind.BOOKING, BOOKING, None, ANN, (ANN, BEN)),
        (direct, ConversationKind.DIRECT, None, pair, BEN, (BEN, ANN)),
    ):
        assert kept(talk) == new(
            kind=kind, booking_id=booking, pair=key, subject="Guitar", created_by=starter, created_at=NOW
        )
        assert talk.take_events() == [
            ConversationOpened(conversation_id=ConversationId(ID), kind=kind, booking_id=booking, participants=people)
        ]


def test_a_message_is_its_senders_in_the_order_of_its_commit() -> None:
    sender = Participant.join(
        id=ParticipantId(UUID(int=8)), conversation_id=ConversationId(UUID(int=7)), user_id=ANN, now=NOW
    )
    assert kept(sender) == {
        "id": UUID(int=8),
        "version": 0,
        "conversation_id": UUID(int=7),
        "user_id": ANN,
        "joined_at": NOW,
        "read_sequence": 0,
    }
    message = Message.write(id=MessageId(ID), sender=sender, text=" Hello\nthere ", now=LATER)
    assert kept(message) == new(
        conversation_id=UUID(int=7),
        participant_id=UUID(int=8),
        sender_id=ANN,
        sequence=0,
        text="Hello\nthere",
        attachments=(),
        sent_at=LATER,
        edited_at=None,
    )
    assert message.take_events() == [
        MessageSent(message_id=MessageId(ID), conversation_id=ConversationId(UUID(int=7)), sender_id=ANN)
    ]


def test_news_and_letters_are_kept_as_they_were_written() -> None:
    notification = Notification.post(
        id=NotificationId(ID),
        user_id=ANN,
        kind="booking.confirmed",
        title=" Confirmed ",
        body="See you\nthen",
        about=BOOKING,
        now=NOW,
    )
    assert kept(notification) == new(
        user_id=ANN,
        kind="booking.confirmed",
        title="Confirmed",
        body="See you\nthen",
        about=BOOKING,
        read_at=None,
        created_at=NOW,
    )
    mail = Mail.queue(
        id=MailId(ID),
        template=Template.RECEIPT,
        transition="paid:1",
        recipient_id=ANN,
        to="ann@example.org",
        context={"amount": 5, "lines": ["a", None, True, {"b": "c"}]},
        now=NOW,
    )
    assert kept(mail) == new(
        template=Template.RECEIPT,
        transition="paid:1",
        recipient_id=ANN,
        to="ann@example.org",
        context={"amount": 5, "lines": ["a", None, True, {"b": "c"}]},
        state=MailState.QUEUED,
        attempts=0,
        sent_at=None,
        last_error="",
        created_at=NOW,
    )
    assert mail.take_events() == [MailQueued(mail_id=MailId(ID))]


# --- Bookings ---------------------------------------------------------------------------------------------------------

START = NOW + timedelta(days=10)
CLAIM: dict[str, Any] = {
    "job_id": JOB,
    "job_title": "Guitar lesson",
    "organization_id": HOUSE,
    "provider_id": BEN,
    "customer_id": ANN,
    "span": Span(START, START + timedelta(hours=1)),
    "zone": "Europe/Lisbon",
    "buffer_before": 5,
    "buffer_after": 10,
    "seats": 1,
    "capacity": 1,
    "price": TEN,
    "policy": CancellationPolicy((Tier(24, 50),), 20),
    "terms": PaymentTerms.PREPAID,
    "acceptance": Acceptance.INSTANT,
    "note": " A guitar of my own. ",
}
"""What a customer claims."""


def booked(**told: Any) -> Booking:
    """What that claim becomes, otherwise than usual where told."""
    claim = Claim(**CLAIM | told)
    hold = timedelta(minutes=15)
    return Booking.make(id=BookingId(ID), reference="K7QM-3XTR", claim=claim, payment_id=PAYMENT, hold=hold, now=NOW)


def test_a_booking_keeps_what_was_agreed_and_begins_as_its_terms_say() -> None:
    begun = new(
        reference="K7QM-3XTR",
        **CLAIM | {"note": "A guitar of my own."},
        occupancy=ID,
        paid=False,
        sequence=0,
        refund_floor=0,
        refund_ceiling=100,
        refund=None,
        unplaced_payment_id=None,
        cancelled_by=None,
        cancel_reason="",
        created_at=NOW,
        cancelled_at=None,
        completed_at=None,
    )
    until = NOW + timedelta(minutes=15)
    for told, became in (
        ({}, {"state": BookingState.HELD, "payment_id": PAYMENT, "expires_at": until, "confirmed_at": None}),
        (
            {"acceptance": Acceptance.REQUEST},
            {"state": BookingState.REQUESTED, "payment_id": None, "expires_at": START, "confirmed_at": None},
        ),
        (
            {"terms": PaymentTerms.LATER},
            {"state": BookingState.CONFIRMED, "payment_id": None, "expires_at": None, "confirmed_at": NOW},
        ),
    ):
        booking = booked(**told)
        assert kept(booking) == begun | told | became
        (event,) = booking.take_events()
        assert (event.booking_id, event.customer_id, event.provider_id) == (ID, ANN, BEN)  # type: ignore[attr-defined]
        assert (event.organization_id, event.reference) == (HOUSE, "K7QM-3XTR")  # type: ignore[attr-defined]


def test_a_step_that_cannot_be_taken_is_named() -> None:
    provider, later = Side.PROVIDER, START + timedelta(hours=2)
    confirmed = booked(terms=PaymentTerms.LATER)
    confirmed.complete(by=provider, now=later)
    done: dict[str, Callable[[], None]] = {
        "accepted": lambda: confirmed.accept(
            by=provider, payment_id=PAYMENT, hold=timedelta(minutes=5), capacity=1, now=later
        ),
        "declined": lambda: confirmed.decline(by=provider, reason="", now=later),
        "confirmed": lambda: confirmed.confirm(payment_id=PAYMENT, amount=TEN, now=later),
        "expired": lambda: confirmed.expire(now=later),
        "rescheduled": lambda: confirmed.reschedule(starts_at=later, by=provider, capacity=1, now=later),
        "cancelled": lambda: confirmed.cancel(by=provider, reason="", now=later),
        "completed": lambda: confirmed.complete(by=provider, now=later),
        "marked as missed": lambda: confirmed.mark_no_show(by=provider, now=later),
    }
    for verb, step in done.items():
        with pytest.raises(BookingStateRefused) as refused:
            step()
        assert refused.value.message == f"a booking that is completed cannot be {verb}"
        assert refused.value.details == {"state": "completed"}
    with pytest.raises(BookingStateRefused) as refused:
        confirmed.retake(payment_id=PAYMENT, amount=TEN, capacity=1, now=later)
    assert refused.value.message == "a booking that is completed cannot be confirmed"


def test_the_words_and_the_price_of_a_booking_are_bounded() -> None:
    assert len(booked(note="x" * 2000).note) == 2000
    for told, details in (
        ({"note": "x" * 2001}, {"field": "note", "shortest": 0, "longest": 2000}),
        ({"price": Money(-1, "EUR")}, {"field": "price"}),
    ):
        with pytest.raises(Invalid) as refused:
            booked(**told)
        assert refused.value.details == details
    booking = booked()
    with pytest.raises(Invalid) as refused:
        booking.cancel(by=Side.CUSTOMER, reason="x" * 1001, now=NOW)
    assert refused.value.details == {"field": "reason", "shortest": 0, "longest": 1000}
    booked().cancel(by=Side.CUSTOMER, reason="x" * 1000, now=NOW)
    with pytest.raises(Invalid) as refused:
        replace(booking, state=BookingState.CONFIRMED)
    assert refused.value.details == {"field": "state"}
