"""Who is told what, by which letter, and once."""

import email
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from adapters.memory.mail import MemoryMailer
from adapters.pdf import PdfPrinter
from adapters.persistence.schema import TABLES
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from adapters.templates import CalendarInvites, JinjaLetters
from application.notifications import (
    AskForReview,
    CountUnread,
    ListMails,
    ListNotifications,
    ReadAllNotifications,
    ReadNotification,
    ResendMail,
    SendMail,
    SendTokenMail,
    TellOfBooking,
    TellOfMessage,
    TellOfPasswordChange,
    TellOfPayment,
    TellOfRepeatedSignUp,
    WelcomeUser,
)
from application.notifications.bookings import NEWS, STILL_TRUE
from application.ports.mail import Links, Mailbox
from application.ports.readers import Readers
from application.ports.unit_of_work import Begin
from domain.bookings import (
    Booking,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingHeld,
    BookingRequested,
    BookingRescheduled,
    BookingUnplaceable,
    Claim,
    ReviewDue,
)
from domain.identity import (
    Credential,
    OneTimeToken,
    OneTimeTokenIssued,
    PasswordChanged,
    Purpose,
    SignUpRepeated,
    User,
    UserSignedUp,
)
from domain.jobs import Job, Offer
from domain.messaging import Conversation, Message, MessageSent, Participant
from domain.notifications import (
    Mail,
    MailNotFailed,
    MailQueued,
    MailState,
    MailUnavailable,
    Notification,
    Template,
)
from domain.organizations import Organization
from domain.payments import Payment, PaymentCaptured, PaymentFailed, Refund, RefundFailed, RefundSucceeded
from domain.profiles import Particulars, Profile
from domain.reviews import Review
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Conflict, Forbidden, NotFound, Unauthenticated
from domain.shared.ids import (
    BookingId,
    ConversationId,
    JobId,
    MailId,
    MessageId,
    NotificationId,
    OneTimeTokenId,
    OrganizationId,
    ParticipantId,
    PaymentId,
    RefundId,
    ReviewId,
    UserId,
)
from domain.shared.money import Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms, Side
from domain.shared.time import Span
from tests.support.house import House

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SPAN = Span(datetime(2026, 3, 12, 9, 0, tzinfo=UTC), datetime(2026, 3, 12, 10, 0, tzinfo=UTC))
ANA, BEN, EVE = UserId(UUID(int=1)), UserId(UUID(int=2)), UserId(UUID(int=9))
SALON, HAIRCUT = OrganizationId(UUID(int=3)), JobId(UUID(int=4))
PAYMENT = PaymentId(UUID(int=77))
EUROS = Money(5000, "EUR")


class Secrets:
    """Makes a link's secret of its id, recognisably."""

    def secret(self, token_id: OneTimeTokenId) -> str:
        return f"secret-of-{token_id.hex[-4:]}"

    def digest(self, secret: str) -> str:
        return "digest"


@dataclass(slots=True)
class World:
    """A house with a provider, a customer and a job, all of it in memory."""

    house: House
    mailer: MemoryMailer
    clock: StandingClock
    ids: SeededIds
    begin: Begin
    readers: Readers
    ana: UserId = ANA
    ben: UserId = BEN
    salon: OrganizationId = SALON
    haircut: JobId = HAIRCUT

    @classmethod
    def built(cls, **adapters: Any) -> "World":
        """The house with the adapters that write and carry mail."""
        mailer = MemoryMailer()
        house = House(
            now=START,
            mailer=mailer,
            letters=JinjaLetters(),
            invites=CalendarInvites(),
            printer=PdfPrinter(),
            links=Links("https://book.example.org"),
            sender=Mailbox.read("Guildhall <hello@book.example.org>"),
            one_time_secrets=Secrets(),
            **adapters,
        )
        return cls(house, mailer, house.clock, house.ids, house.begin, house.readers)

    async def settle_in(self) -> None:
        now = self.clock.now()
        offer = Offer(title="Haircut", category="hair", price=EUROS, duration=60, place="Torstraße 12, Berlin")
        async with self.begin(SYSTEM) as work:
            for id, name, role, zone in (
                (self.ana, "Ana Müller", Role.CUSTOMER, "Europe/Lisbon"),
                (self.ben, "Ben Ito", Role.PROVIDER, "Europe/Berlin"),
            ):
                work.users.add(User.sign_up(id=id, email=f"{name[:3].lower()}@example.org", role=role, now=now))
                work.profiles.add(Profile.begin(id=id, particulars=Particulars(name=name, zone=zone), now=now))
            work.users.add(User.create(id=EVE, email="eve@example.org", role=Role.ADMIN, now=now))
            work.organizations.add(Organization.found(id=self.salon, name="Salon Ito", owner_id=self.ben, now=now))
            job = Job.draft(id=self.haircut, organization_id=self.salon, provider_id=self.ben, offer=offer, now=now)
            job.publish(now=now)
            work.jobs.add(job)

    async def booking(
        self,
        *,
        terms: PaymentTerms = PaymentTerms.PREPAID,
        acceptance: Acceptance = Acceptance.INSTANT,
        paid: bool = False,
        title: str = "Haircut",
    ) -> Booking:
        claim = Claim(
            job_id=self.haircut,
            job_title=title,
            organization_id=self.salon,
            provider_id=self.ben,
            customer_id=self.ana,
            span=SPAN,
            zone="Europe/Berlin",
            buffer_before=0,
            buffer_after=0,
            seats=1,
            capacity=1,
            price=EUROS if terms is PaymentTerms.PREPAID else Money.zero("EUR"),
            policy=CancellationPolicy(()),
            terms=terms,
            acceptance=acceptance,
            note="Ring twice",
        )
        async with self.begin(SYSTEM) as work:
            now = self.clock.now()
            booking = Booking.make(
                id=BookingId(self.ids.new()),
                reference="K7QM-3XTR",
                claim=claim,
                payment_id=PAYMENT,
                hold=timedelta(minutes=15),
                now=now,
            )
            if paid:
                booking.confirm(payment_id=PAYMENT, amount=EUROS, now=now)
            work.bookings.add(booking)
            if booking.payment_id:
                payment = Payment.request(
                    id=PAYMENT,
                    booking_id=booking.id,
                    customer_id=self.ana,
                    organization_id=self.salon,
                    amount=EUROS,
                    now=now,
                )
                work.payments.add(payment)
        return booking

    async def tell(self, event_type: type[Any], booking: Booking, **facts: Any) -> None:
        event = event_type(
            booking_id=booking.id,
            customer_id=booking.customer_id,
            provider_id=booking.provider_id,
            organization_id=booking.organization_id,
            reference=booking.reference,
            **facts,
        )
        await self.house.use(TellOfBooking)(SYSTEM, event)

    async def mails(self) -> list[Mail]:
        async with self.begin(SYSTEM) as work:
            return await work.mails.find()

    async def letters(self) -> set[tuple[Template, str]]:
        return {(mail.template, mail.to) for mail in await self.mails()}

    async def news(self, user_id: UserId) -> list[Notification]:
        async with self.begin(SYSTEM) as work:
            return await work.notifications.find(user_id=user_id)

    @property
    def send_mail(self) -> SendMail:
        return self.house.use(SendMail)

    async def deliver(self) -> None:
        for mail in await self.mails():
            await self.send_mail(SYSTEM, MailQueued(mail_id=mail.id))

    async def change(self, booking: Booking, verb: str, **kwargs: Any) -> Booking:
        async with self.begin(SYSTEM) as work:
            stored = await work.bookings.get(booking.id)
            getattr(stored, verb)(now=self.clock.now(), **kwargs)
            return stored


@pytest.fixture
async def world() -> World:
    world = World.built()
    await world.settle_in()
    return world


def customer(world: World) -> Actor:
    return Actor(user_id=world.ana)


def calendar_in(message: EmailMessage) -> Any:
    file = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    return Calendar.from_ical(file.get_content())


def reread(message: EmailMessage) -> EmailMessage:
    parsed = email.message_from_bytes(message.as_bytes(), policy=message.policy)
    assert isinstance(parsed, EmailMessage)
    return parsed


# --- bookings


def test_every_letter_about_a_booking_knows_when_it_is_overtaken() -> None:
    letters = {told.letter for sides in NEWS.values() for told in sides.values() if told.letter}
    assert letters == set(STILL_TRUE)


async def test_a_hold_asks_the_customer_to_pay(world: World) -> None:
    booking = await world.booking()
    assert booking.expires_at is not None
    await world.tell(BookingHeld, booking, expires_at=booking.expires_at)
    assert await world.letters() == {(Template.BOOKING_HELD, "ana@example.org")}
    await world.deliver()
    (mail,) = world.mailer.sent
    assert "Sunday 1 March 2026, 10:15 (Europe/Berlin, UTC+1)" in mail.text
    assert f"https://book.example.org/bookings/{booking.id}/pay" in mail.text
    assert mail.attachments == ()
    (line,) = await world.news(world.ana)
    assert (line.kind, line.title, line.about) == ("booking.held", "Pay to confirm Haircut", booking.id)
    assert "50.00 EUR" in line.body


async def test_a_request_goes_to_the_provider_with_the_customers_words(world: World) -> None:
    booking = await world.booking(acceptance=Acceptance.REQUEST)
    await world.tell(BookingRequested, booking)
    assert await world.letters() == {(Template.BOOKING_REQUESTED, "ben@example.org")}
    await world.deliver()
    assert "> Ring twice" in world.mailer.sent[0].text
    assert [line.kind for line in await world.news(world.ana)] == ["booking.requested"]


async def test_a_declined_customer_hears_why(world: World) -> None:
    booking = await world.booking(acceptance=Acceptance.REQUEST)
    booking = await world.change(booking, "decline", by=Side.PROVIDER, reason="On holiday")
    await world.tell(BookingDeclined, booking)
    await world.deliver()
    (mail,) = world.mailer.sent
    assert (mail.template, mail.to) == (Template.BOOKING_DECLINED, "ana@example.org")
    assert "> On holiday" in mail.text


async def test_a_confirmation_reaches_both_with_an_invitation(world: World) -> None:
    booking = await world.booking(paid=True)
    await world.tell(BookingConfirmed, booking, span=booking.span, payment_id=PAYMENT)
    await world.deliver()
    assert {mail.to for mail in world.mailer.sent} == {"ana@example.org", "ben@example.org"}
    for mail, message in zip(world.mailer.sent, world.mailer.messages, strict=True):
        calendar = calendar_in(reread(message))
        (event,) = calendar.walk("VEVENT")
        assert (calendar["METHOD"], event["SEQUENCE"]) == ("REQUEST", 0)
        assert event["UID"] == f"{booking.id}@book.example.org"
        assert event["ATTENDEE"] == f"mailto:{mail.to}"
        assert event["LOCATION"] == "Torstraße 12, Berlin"
        assert event.decoded("DTSTART") == SPAN.starts_at
    mine = world.mailer.to("ana@example.org")[0]
    assert "Thursday 12 March 2026, 10:00–11:00 (Europe/Berlin, UTC+1)" in mine.text
    assert "Ben Ito, Salon Ito" in mine.text
    assert "Ring twice" not in mine.text


async def test_a_confirmation_told_twice_is_one_mail_each(world: World) -> None:
    booking = await world.booking(paid=True)
    for _ in range(2):
        await world.tell(BookingConfirmed, booking, span=booking.span, payment_id=PAYMENT)
    mails = await world.mails()
    assert len(mails) == 2
    assert {mail.transition for mail in mails} == {f"booking:{booking.id}:confirmed:0"}


async def test_the_store_itself_refuses_a_second_mail_about_the_same_turn(world: World) -> None:
    def again() -> Mail:
        return Mail.queue(
            id=MailId(world.ids.new()),
            template=Template.WELCOME,
            transition="user:1:signed_up",
            recipient_id=world.ana,
            to="ana@example.org",
            context={},
            now=START,
        )

    async with world.begin(SYSTEM) as work:
        work.mails.add(again())
    with pytest.raises(Conflict):
        async with world.begin(SYSTEM) as work:
            work.mails.add(again())


async def test_a_moved_booking_moves_in_both_calendars(world: World) -> None:
    booking = await world.booking(paid=True)
    later = SPAN.starts_at + timedelta(days=1)
    booking = await world.change(booking, "reschedule", starts_at=later, by=Side.CUSTOMER, capacity=1)
    await world.tell(
        BookingRescheduled, booking, previous=SPAN, span=booking.span, sequence=booking.sequence, by=Side.CUSTOMER
    )
    await world.deliver()
    assert len(world.mailer.sent) == 2
    for message in world.mailer.messages:
        (event,) = calendar_in(reread(message)).walk("VEVENT")
        assert (event["SEQUENCE"], event.decoded("DTSTART")) == (1, later)


async def test_a_moved_hold_is_not_put_into_a_calendar(world: World) -> None:
    booking = await world.booking()
    later = SPAN.starts_at + timedelta(days=1)
    booking = await world.change(booking, "reschedule", starts_at=later, by=Side.CUSTOMER, capacity=1)
    await world.tell(
        BookingRescheduled, booking, previous=SPAN, span=booking.span, sequence=booking.sequence, by=Side.CUSTOMER
    )
    await world.deliver()
    assert [mail.attachments for mail in world.mailer.sent] == [(), ()]


async def test_a_cancellation_takes_it_out_of_both_calendars_and_names_the_refund(world: World) -> None:
    booking = await world.booking(paid=True)
    booking = await world.change(booking, "cancel", by=Side.PROVIDER, reason="I am ill")
    assert booking.refund == EUROS
    await world.tell(BookingCancelled, booking, by=Side.PROVIDER, refund=EUROS, payment_id=PAYMENT)
    await world.deliver()
    mine = world.mailer.to("ana@example.org")[0]
    assert "Ben Ito cancelled this booking." in mine.text
    assert "50.00 EUR goes back to you" in mine.text
    for message in world.mailer.messages:
        calendar = calendar_in(reread(message))
        (event,) = calendar.walk("VEVENT")
        assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 1)
        assert event["UID"] == f"{booking.id}@book.example.org"
    (line,) = await world.news(world.ana)
    assert "50.00 EUR goes back to the customer." in line.body


async def test_cancelling_what_never_stood_leaves_calendars_alone(world: World) -> None:
    booking = await world.booking()
    booking = await world.change(booking, "cancel", by=Side.CUSTOMER, reason="")
    await world.tell(BookingCancelled, booking, by=Side.CUSTOMER, refund=Money.zero("EUR"), payment_id=PAYMENT)
    await world.deliver()
    assert [mail.attachments for mail in world.mailer.sent] == [(), ()]
    assert "goes back" not in "".join(mail.text for mail in world.mailer.sent)


async def test_nobody_is_asked_to_pay_for_what_is_paid_or_lost(world: World) -> None:
    booking = await world.booking(paid=True)
    await world.tell(BookingHeld, booking, expires_at=START)
    assert await world.letters() == set()
    assert [line.kind for line in await world.news(world.ana)] == ["booking.held"]


async def test_a_confirmation_overtaken_by_a_cancellation_is_not_sent(world: World) -> None:
    booking = await world.booking(paid=True)
    booking = await world.change(booking, "cancel", by=Side.CUSTOMER, reason="")
    await world.tell(BookingConfirmed, booking, span=booking.span, payment_id=PAYMENT)
    assert await world.letters() == set()


async def test_the_longest_title_still_fits_a_line_of_news(world: World) -> None:
    booking = await world.booking(paid=True, title="x" * 500)
    await world.tell(BookingCompleted, booking)
    await world.tell(BookingUnplaceable, booking, payment_id=PAYMENT, amount=EUROS)
    assert all(len(line.title) <= 200 for line in await world.news(world.ana))


async def test_braces_in_a_title_are_just_braces(world: World) -> None:
    booking = await world.booking(paid=True, title="{provider.__class__} {0} {{x}}")
    await world.tell(BookingConfirmed, booking, span=booking.span, payment_id=PAYMENT)
    assert (await world.news(world.ana))[0].title == "{provider.__class__} {0} {{x}} is confirmed"


# --- reviews


async def test_after_the_work_both_are_asked_and_the_customer_by_mail(world: World) -> None:
    booking = await world.booking(paid=True)
    world.clock.set(SPAN.ends_at)
    booking = await world.change(booking, "complete", by=Side.PROVIDER)
    ask = world.house.use(AskForReview)
    due = ReviewDue(booking_id=booking.id, customer_id=world.ana, provider_id=world.ben)
    await ask(SYSTEM, due)
    await ask(SYSTEM, due)
    await world.deliver()
    (mail,) = world.mailer.sent
    assert (mail.template, mail.to) == (Template.REVIEW_REQUEST, "ana@example.org")
    assert f"/bookings/{booking.id}/review" in mail.text
    assert {line.kind for line in await world.news(world.ben)} == {"booking.review_due"}


async def test_whoever_has_reviewed_is_not_asked_and_what_was_not_done_is_not_asked_about(world: World) -> None:
    booking = await world.booking(paid=True)
    ask = world.house.use(AskForReview)
    due = ReviewDue(booking_id=booking.id, customer_id=world.ana, provider_id=world.ben)
    await ask(SYSTEM, due)
    assert await world.letters() == set()
    world.clock.set(SPAN.ends_at)
    booking = await world.change(booking, "complete", by=Side.PROVIDER)
    async with world.begin(SYSTEM) as work:
        work.reviews.add(
            Review(
                id=ReviewId(world.ids.new()),
                booking_id=booking.id,
                job_id=booking.job_id,
                provider_id=world.ben,
                customer_id=world.ana,
                author_id=world.ana,
                side=Side.CUSTOMER,
                stars=5,
                text="Lovely",
                created_at=world.clock.now(),
            )
        )
    await ask(SYSTEM, due)
    assert await world.letters() == set()
    assert await world.news(world.ana) == []
    assert len(await world.news(world.ben)) == 1


# --- money


async def test_money_in_gets_a_receipt_and_money_back_a_word(world: World) -> None:
    booking = await world.booking(paid=True)
    refund_id = RefundId(UUID(int=88))
    async with world.begin(SYSTEM) as work:
        work.refunds.add(
            Refund(
                id=refund_id,
                payment_id=PAYMENT,
                booking_id=booking.id,
                customer_id=world.ana,
                organization_id=world.salon,
                amount=Money(2500, "EUR"),
                created_at=START,
            )
        )
    tell = world.house.use(TellOfPayment)
    captured = PaymentCaptured(payment_id=PAYMENT, booking_id=booking.id, amount=EUROS)
    await tell(SYSTEM, captured)
    await tell(SYSTEM, captured)
    await tell(
        SYSTEM,
        RefundSucceeded(refund_id=refund_id, payment_id=PAYMENT, booking_id=booking.id, amount=Money(2500, "EUR")),
    )
    await tell(SYSTEM, PaymentFailed(payment_id=PAYMENT, booking_id=booking.id, reason="card_declined"))
    await world.deliver()
    assert {(mail.template, mail.to, mail.subject) for mail in world.mailer.sent} == {
        (Template.RECEIPT, "ana@example.org", "Receipt: 50.00 EUR for Haircut"),
        (Template.REFUND, "ana@example.org", "Refund: 25.00 EUR for Haircut"),
    }
    assert {line.kind for line in await world.news(world.ana)} == {
        "payment.captured",
        "refund.succeeded",
        "payment.failed",
    }


async def test_a_refund_that_failed_is_for_the_provider_to_look_at(world: World) -> None:
    booking = await world.booking(paid=True)
    failed = RefundFailed(
        refund_id=RefundId(UUID(int=88)), payment_id=PAYMENT, booking_id=booking.id, amount=EUROS, reason="card closed"
    )
    await world.house.use(TellOfPayment)(SYSTEM, failed)
    assert [line.kind for line in await world.news(booking.provider_id)] == ["refund.failed"]
    assert await world.news(world.ana) == []


# --- accounts


async def test_a_new_user_is_welcome(world: World) -> None:
    welcome = world.house.use(WelcomeUser)
    await welcome(SYSTEM, UserSignedUp(user_id=world.ben, email="ben@example.org", role=Role.PROVIDER))
    await world.deliver()
    (mail,) = world.mailer.sent
    assert (mail.subject, mail.to) == ("Welcome to Guildhall", "ben@example.org")
    assert "publish what you offer" in mail.text


@pytest.mark.parametrize(
    ("purpose", "template", "page"),
    [
        (Purpose.VERIFY_EMAIL, Template.VERIFY, "verify"),
        (Purpose.MAGIC_LINK, Template.MAGIC_LINK, "magic"),
        (Purpose.RESET_PASSWORD, Template.RESET_PASSWORD, "reset"),
    ],
)
async def test_a_link_is_made_on_sending_and_stored_nowhere(
    world: World, purpose: Purpose, template: Template, page: str
) -> None:
    token_id = OneTimeTokenId(UUID(int=0xBEEF))
    async with world.begin(SYSTEM) as work:
        work.one_time_tokens.add(
            OneTimeToken.issue(
                id=token_id,
                user_id=world.ana,
                epoch=1,
                purpose=purpose,
                token_hash="hash",
                lifetime=timedelta(hours=1),
                now=START,
            )
        )
    send = world.house.use(SendTokenMail)
    await send(SYSTEM, OneTimeTokenIssued(token_id=token_id, user_id=world.ana, purpose=purpose))
    await world.deliver()
    (mail,) = world.mailer.sent
    assert mail.template is template
    assert f"https://book.example.org/{page}?token=secret-of-beef" in mail.text
    assert "(Europe/Lisbon, UTC)" in mail.text
    for table in TABLES:
        assert "secret-of" not in str(await world.house.store.load(table, {}))


async def test_the_owner_hears_of_repeated_sign_ups_once_a_day(world: World) -> None:
    tell = world.house.use(TellOfRepeatedSignUp)
    for _ in range(3):
        await tell(SYSTEM, SignUpRepeated(user_id=world.ana))
    assert await world.letters() == {(Template.ACCOUNT_EXISTS, "ana@example.org")}
    world.clock.advance(timedelta(days=1))
    await tell(SYSTEM, SignUpRepeated(user_id=world.ana))
    assert len(await world.mails()) == 2


async def test_a_changed_password_is_told_to_its_owner(world: World) -> None:
    async with world.begin(SYSTEM) as work:
        work.credentials.add(Credential.create(id=world.ana, password_hash="hash", now=START))
    tell = world.house.use(TellOfPasswordChange)
    await tell(SYSTEM, PasswordChanged(user_id=world.ana, reset=True))
    await world.deliver()
    (mail,) = world.mailer.sent
    assert mail.template is Template.PASSWORD_CHANGED
    assert "Sunday 1 March 2026, 09:00 (Europe/Lisbon, UTC)" in mail.text


# --- messages


@dataclass(slots=True)
class Talk:
    """A conversation between the two, and what it takes to go on with it."""

    world: World
    id: ConversationId
    places: dict[UserId, ParticipantId]

    async def say(self, sender_id: UserId, text: str) -> None:
        message_id = MessageId(self.world.ids.new())
        async with self.world.begin(SYSTEM) as work:
            sender = await work.participants.get(self.places[sender_id])
            message = Message.write(id=message_id, sender=sender, text=text, now=self.world.clock.now())
            work.messages.add(message)
            work.number(message, "sequence", series=f"messages:{self.id}")
        tell = self.world.house.use(TellOfMessage)
        event = MessageSent(message_id=message_id, conversation_id=self.id, sender_id=sender_id)
        await tell(SYSTEM, event)

    async def read(self, user_id: UserId, sequence: int) -> None:
        async with self.world.begin(SYSTEM) as work:
            (await work.participants.get(self.places[user_id])).read_up_to(sequence, latest=sequence)


@pytest.fixture
async def talk(world: World) -> Talk:
    conversation_id = ConversationId(world.ids.new())
    places = {user_id: ParticipantId(world.ids.new()) for user_id in (world.ana, world.ben)}
    async with world.begin(SYSTEM) as work:
        work.conversations.add(
            Conversation.between(
                id=conversation_id, starter=world.ana, recipient=world.ben, subject="Haircut", now=START
            )
        )
        for user_id, place in places.items():
            work.participants.add(
                Participant.join(id=place, conversation_id=conversation_id, user_id=user_id, now=START)
            )
    return Talk(world, conversation_id, places)


async def test_a_message_is_announced_to_the_other_once_until_they_read(world: World, talk: Talk) -> None:
    await talk.say(world.ben, "See you there")
    await talk.say(world.ben, "Bring the dog")
    assert await world.letters() == {(Template.NEW_MESSAGE, "ana@example.org")}
    assert [line.title for line in await world.news(world.ana)] == ["Ben Ito wrote to you"]
    assert await world.news(world.ben) == []
    await talk.read(world.ana, 2)
    await talk.say(world.ben, "And a towel")
    assert len(await world.mails()) == 2
    await world.deliver()
    assert "> See you there" in world.mailer.sent[0].text
    assert f"https://book.example.org/conversations/{talk.id}" in world.mailer.sent[0].text


async def test_whoever_answers_has_read_what_came_before(world: World, talk: Talk) -> None:
    await talk.say(world.ben, "See you there")
    await talk.say(world.ana, "Yes!")
    await talk.say(world.ben, "Good")
    assert sorted(mail.to for mail in await world.mails()) == ["ana@example.org", "ana@example.org", "ben@example.org"]


# --- sending


async def a_queued_mail(world: World, *, to: str = "ana@example.org") -> MailId:
    mail_id = MailId(world.ids.new())
    async with world.begin(SYSTEM) as work:
        work.mails.add(
            Mail.queue(
                id=mail_id,
                template=Template.WELCOME,
                transition=f"test:{mail_id}",
                recipient_id=world.ana,
                to=to,
                context={"role": "customer"},
                now=START,
            )
        )
    return mail_id


async def test_a_sent_mail_is_marked_and_not_sent_again(world: World) -> None:
    mail_id = await a_queued_mail(world)
    world.clock.advance(timedelta(seconds=3))
    for _ in range(2):
        await world.send_mail(SYSTEM, MailQueued(mail_id=mail_id))
    assert len(world.mailer.sent) == 1
    (mail,) = await world.mails()
    assert (mail.state, mail.sent_at, mail.attempts) == (MailState.SENT, START + timedelta(seconds=3), 1)


async def test_while_nobody_answers_the_mail_waits(world: World) -> None:
    mail_id = await a_queued_mail(world)
    world.mailer.away = True
    with pytest.raises(MailUnavailable):
        await world.send_mail(SYSTEM, MailQueued(mail_id=mail_id))
    assert (await world.mails())[0].state is MailState.QUEUED
    world.mailer.away = False
    await world.send_mail(SYSTEM, MailQueued(mail_id=mail_id))
    assert (await world.mails())[0].state is MailState.SENT


async def test_turned_away_for_good_a_mail_has_failed_until_an_operator_mends_it(world: World) -> None:
    mail_id = await a_queued_mail(world)
    world.mailer.refused.add("ana@example.org")
    await world.send_mail(SYSTEM, MailQueued(mail_id=mail_id))
    admin = Actor(user_id=EVE, role=Role.ADMIN)
    (failed,) = (await world.house.use(ListMails)(admin, state=MailState.FAILED)).items
    assert (failed.id, failed.last_error) == (mail_id, "the mail server refused it for good: 550 no such mailbox")
    world.mailer.refused.clear()
    resend = world.house.use(ResendMail)
    assert (await resend(admin, mail_id)).state is MailState.QUEUED
    await world.send_mail(SYSTEM, MailQueued(mail_id=mail_id))
    assert len(world.mailer.sent) == 1
    with pytest.raises(MailNotFailed):
        await resend(admin, mail_id)


async def test_only_admins_look_after_the_mail(world: World) -> None:
    mail_id = await a_queued_mail(world)
    for actor, refusal in ((customer(world), Forbidden), (ANONYMOUS, Unauthenticated)):
        with pytest.raises(refusal):
            await world.house.use(ListMails)(actor)
        with pytest.raises(refusal):
            await world.house.use(ResendMail)(actor, mail_id)


# --- one's own news


async def some_news(world: World, user_id: UserId, count: int) -> list[NotificationId]:
    made: list[NotificationId] = []
    for number in range(count):
        world.clock.advance(timedelta(seconds=1))
        async with world.begin(SYSTEM) as work:
            made.append(NotificationId(world.ids.new()))
            work.notifications.add(
                Notification.post(
                    id=made[-1],
                    user_id=user_id,
                    kind="test",
                    title=f"Number {number}",
                    body="Something happened.",
                    about=None,
                    now=world.clock.now(),
                )
            )
    return made


async def test_news_is_listed_newest_first_and_only_to_its_owner(world: World) -> None:
    await some_news(world, world.ana, 3)
    await some_news(world, world.ben, 1)
    list_notifications = world.house.use(ListNotifications)
    first = await list_notifications(customer(world), limit=2)
    rest = await list_notifications(customer(world), limit=2, after=first.next)
    assert [view.title for view in (*first.items, *rest.items)] == ["Number 2", "Number 1", "Number 0"]
    assert rest.next is None


async def test_reading_one_and_reading_all(world: World) -> None:
    made = await some_news(world, world.ana, 3)
    theirs = await some_news(world, world.ben, 1)
    count = world.house.use(CountUnread)
    assert (await count(customer(world))).count == 3
    read = world.house.use(ReadNotification)
    assert (await read(customer(world), made[0])).read_at == world.clock.now()
    assert (await count(customer(world))).count == 2
    unread = await world.house.use(ListNotifications)(customer(world), unread=True)
    assert [view.id for view in unread.items] == made[:0:-1]
    with pytest.raises(NotFound):
        await read(customer(world), theirs[0])
    await world.house.use(ReadAllNotifications)(customer(world))
    assert (await count(customer(world))).count == 0
    assert (await count(Actor(user_id=world.ben))).count == 1


async def test_beyond_a_hundred_nobody_counts(world: World) -> None:
    await some_news(world, world.ana, 101)
    counted = await world.house.use(CountUnread)(customer(world))
    assert (counted.count, counted.more) == (100, True)


async def test_strangers_have_no_news(world: World) -> None:
    with pytest.raises(Unauthenticated):
        await world.house.use(ListNotifications)(ANONYMOUS)
    with pytest.raises(Unauthenticated):
        await world.house.use(CountUnread)(ANONYMOUS)
    with pytest.raises(Unauthenticated):
        await world.house.use(ReadAllNotifications)(ANONYMOUS)
    with pytest.raises(Unauthenticated):
        await world.house.use(ReadNotification)(ANONYMOUS, NotificationId(UUID(int=1)))
