"""Scenes: the rows two commands meet at. Each is made once, in memory, by the use cases themselves, and put back before
every schedule."""

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from adapters.local_identity import DerivedOneTimeSecrets, DerivedRefreshSecrets
from adapters.memory.objects import MemoryObjects
from adapters.persistence.events import EVENTS
from adapters.persistence.mapper import JSON
from adapters.persistence.schema.tables import Row
from adapters.signed_links import HandedOutHere
from adapters.simulated_gateway import (
    HEADER,
    Books,
    Deliveries,
    SimulatedBilling,
    SimulatedDisputes,
    SimulatedGateway,
    SimulatedPayees,
    SimulatedRecords,
    SimulatedVerifier,
    SimulatedWallet,
    signed,
)
from application.billing import BecomeCustomer, MeetCustomer, NewPurchase, OpenCheckout, RefreshCatalog, RequestPurchase
from application.bookings import (
    BookSlot,
    CancelBooking,
    Cancellation,
    CompleteBooking,
    ExpireHold,
    Reservation,
    SettleBooking,
)
from application.identity import (
    CreateUser,
    ForgotPassword,
    NewUser,
    PasswordSignIn,
    RequestMagicLink,
    SignIn,
    SignUp,
    SignUpForm,
    SuspendUser,
    Suspension,
)
from application.identity.letters import Address
from application.jobs import CreateJob, JobDraft, PublishJob
from application.messaging import Opening, SendMessage, StartConversation, Words
from application.organizations import (
    AddMember,
    CreateOrganization,
    InviteMember,
    NewInvitation,
    NewMember,
    NewOrganization,
    OnboardingAnswers,
    SaveOnboarding,
)
from application.payments import (
    BecomePayee,
    BeginSetup,
    Capture,
    CapturePayment,
    EvidenceDraft,
    GetCheckout,
    GivenCard,
    HearOfDispute,
    MeetPayee,
    PrepareEvidence,
    ReceiveWebhook,
    RefreshPayment,
    RefundPayment,
    Repayment,
    SavePaymentMethod,
    SubmitEvidence,
)
from application.ports.files import FileRules
from application.ports.identity import Verdict
from application.ports.mail import Links, Mailbox
from application.reactions import REACTIONS
from application.reviews import Assessment, HideReview, Moderation, PostReview
from application.scheduling import Absence, DayHours, Hours, OverrideDay, SetAvailability, TakeTimeOff
from application.sharing import Sharing
from domain.identity import IdentityRules
from domain.organizations import BusinessAnswer, HoursAnswer, MemberRole, PlaceAnswer, ProfessionAnswer
from domain.payments import AuthorisationEnded, WebhookReceived
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.ids import OneTimeTokenId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, PaymentTerms, PolicyName
from entrypoints.worker.delivery import Deliver
from tests.application.marketplace import HOLD, NOW
from tests.application.till import Quiet
from tests.proof.stories.shop import SECRET, Post
from tests.support.house import House

TEN = datetime(2026, 6, 3, 9, 0, tzinfo=NOW.tzinfo)
"""Ten in the morning in Lisbon, two days from now."""
DAY = date(2026, 6, 3)
ADMIN = Actor(kind=Kind.OPERATOR, name="schedules")
PASSWORD = "correct horse battery"
PRICE = Money(10_000, "EUR")


class PlainPasswords:
    """Hashes that cost nothing: how passwords are hashed is no matter of who is first."""

    async def hash(self, password: str) -> str:
        return _hash(password)

    async def verify(self, password: str, hash: str | None) -> bool:
        return hash == _hash(password)

    async def verify_and_upgrade(self, password: str, hash: str | None) -> Verdict:
        return Verdict(matches=await self.verify(password, hash), upgraded=None)


def _hash(password: str) -> str:
    """What looks like a hash, and is found to be one by the rule that looks (A6)."""
    return f"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ${b64encode(password.encode()).decode().rstrip('=')}"


class PlainTokens:
    """Access tokens that nobody reads."""

    lifetime = timedelta(minutes=15)

    def issue(self, user: Any, session: Any) -> str:
        return f"access {session.id}"

    async def verify(self, token: str) -> Any:
        raise NotImplementedError

    def jwks(self) -> Any:
        return {}


ONE_TIME = DerivedOneTimeSecrets("a key for links, used in schedules only")
REFRESH = DerivedRefreshSecrets("a key for sessions, used in schedules only")


def till(clock: Any, ids: Any, books: Books) -> SimulatedGateway:
    """The gateway on these books."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
    post = Deliveries(books, client=client, url="http://scene/", secret=SECRET, clock=clock)
    return SimulatedGateway(books, post, clock=clock, ids=ids, secret="till")


def ports(clock: Any, ids: Any, books: Books) -> dict[str, Any]:
    """What use cases need besides a store."""
    post = Post()
    plans = SimulatedBilling(books, Quiet(), clock=clock, ids=ids, url="https://scene.example.org")
    payees = SimulatedPayees(books, Quiet(), clock=clock, ids=ids, url="https://scene.example.org")
    return {
        **dict.fromkeys(("payee_desk", "shares"), payees),
        **dict.fromkeys(("catalog", "customer_desk", "till", "subscriptions"), plans),
        "hold": HOLD,
        "sharing": Sharing(gateway="simulated"),
        "gateway": till(clock, ids, books),
        "gateway_records": SimulatedRecords(books),
        "dispute_desk": SimulatedDisputes(books, Quiet(), clock=clock, ids=ids),
        "wallet": SimulatedWallet(books, Quiet(), clock=clock, ids=ids),
        "verifiers": {"simulated": SimulatedVerifier([SECRET], clock)},
        "passwords": PlainPasswords(),
        "one_time_secrets": ONE_TIME,
        "refresh_secrets": REFRESH,
        "access_tokens": PlainTokens(),
        "identity_rules": IdentityRules(),
        "news_readers": {},
        "objects": MemoryObjects(clock),
        "file_rules": FileRules(quota_bytes=2_000),
        "picture_delivery": HandedOutHere(),
        "mailer": post,
        "letters": post,
        "invites": post,
        "printer": post,
        "links": Links("https://scene.example.org"),
        "sender": Mailbox.read("Scene <hello@scene.example.org>"),
    }


class Stage(House):
    """A house in memory on which a scene is set."""

    def __init__(self) -> None:
        self.books = Books(":memory:")
        super().__init__(now=NOW, seed=11)
        self.ports.update(ports(self.clock, self.ids, self.books))
        self.known: dict[str, Any] = {}

    async def work(self, *but: str) -> None:
        """What follows, follows; except these events, which stay undelivered."""
        reactions = {
            event: () if event.name in but else tuple(self.use(each) for each in some)
            for event, some in REACTIONS.items()
        }
        await Deliver(outbox=self.outbox, reactions=reactions, perform=self.perform, clock=self.clock).all()

    async def person(self, name: str, role: Role = Role.CUSTOMER) -> Actor:
        """A user with a password."""
        new = NewUser(email=f"{name}@example.org", password=PASSWORD, name=name.capitalize(), role=role)
        user = await self.use(CreateUser)(ADMIN, new)
        actor = Actor(user_id=UserId(user.id), role=role)
        self.known[name] = actor
        return actor

    async def marketplace(self, **job: Any) -> None:
        """Vera sells guitar lessons in an organization that Olga owns with her and Mia manages; Ann and Bob buy."""
        for name in ("ann", "bob"):
            await self.person(name)
        for name in ("vera", "mia", "olga", "pete"):
            await self.person(name, Role.PROVIDER)
        vera = self.known["vera"]
        guild = await self.use(CreateOrganization)(vera, NewOrganization(name="Guild"))
        self.known["guild"] = guild.id
        for name, role in (("olga", MemberRole.OWNER), ("mia", MemberRole.MANAGER)):
            await self.use(AddMember)(vera, guild.id, NewMember(user_id=self.known[name].user_id, role=role))
        week: dict[str, Any] = dict.fromkeys(
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), ("09:00-18:00",)
        )
        await self.use(SetAvailability)(vera, vera.signed_in(), Hours(zone="Europe/Lisbon", **week))
        await self.job("job", **job)

    async def job(self, name: str, *, publish: bool = True, **said: Any) -> None:
        """A job of Vera's."""
        usual = {"title": "Guitar lesson", "category": "music", "price": PRICE, "duration": 60, "place": "Lisboa"}
        vera = self.known["vera"]
        draft = JobDraft(**{**usual, **said}, organization_id=self.known["guild"])
        job = await self.use(CreateJob)(vera, draft)
        self.known[name] = job.id
        if publish:
            await self.use(PublishJob)(vera, job.id)

    async def book(self, name: str, by: str = "ann", starts_at: datetime = TEN, *, follow: bool = True) -> Any:
        """A booking, and what follows from it."""
        reservation = Reservation(job_id=self.known["job"], starts_at=starts_at)
        booking = await self.use(BookSlot)(self.known[by], reservation)
        self.known[name] = booking.id
        self.known[f"{name} payment"] = booking.payment_id
        if follow:
            await self.work()
        return booking

    async def pay(self, name: str, *, know: bool = True, card: str = "ok") -> None:
        """It is paid at the gateway; with `know`, we know."""
        ann, payment_id = self.known["ann"], self.known[f"{name} payment"]
        checkout = await self.use(GetCheckout)(ann, payment_id)
        assert checkout.gateway_ref
        assert checkout.client_secret
        self.known[f"{name} ref"] = checkout.gateway_ref
        await self.ports["gateway"].confirm(checkout.gateway_ref, checkout.client_secret, card)
        if know:
            await self.use(RefreshPayment)(ann, payment_id)
            await self.work()

    async def heard(self, name: str, **about: str) -> None:
        """A message of the gateway waits to be acted on."""
        body = {
            "id": "se_" + name.replace(" ", "_"),
            "kind": "x",
            "occurred_at": 1,
            "payment": None,
            "refund": None,
            **about,
        }
        raw = json.dumps(body).encode()
        headers = {HEADER: signed(raw, SECRET, self.clock.now())}
        webhook = await self.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
        self.known[name] = webhook.id
        self.known[f"{name} told"] = (raw, headers)

    def event(self, name: str) -> Any:
        """The last event of that name."""
        row = [row for row in self.rows("outbox") if row["name"] == name][-1]
        return JSON.structure(row["payload"], EVENTS[name])


PAST = ("outbox", "receipts", "mails", "notifications")
"""Tables whose rows tell of what is over: nobody decides on them, and putting them back takes time."""


def _undone(row: Row) -> bool:
    return row.get("finished_at", row) is None


@dataclass(slots=True)
class Scene:
    """A stage as it was when it was set: rows, gateway's books, clock, and who and what is known by name."""

    name: str
    rows: dict[str, list[Row]]
    books: bytes
    now: datetime
    known: dict[str, Any]
    ids: dict[UUID, str] = field(default_factory=dict)
    broken: frozenset[str] | None = None
    """Rules the scene itself breaks, because it leaves out what is past."""


SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {}


def scene(set_up: Callable[[Stage], Awaitable[None]]) -> Callable[[Stage], Awaitable[None]]:
    """Known by its function's name."""
    SCENES[set_up.__name__] = set_up
    return set_up


async def made(name: str) -> Scene:
    """The scene of that name."""
    stage = Stage()
    await SCENES[name](stage)
    rows = {table: [dict(row) for row in kept.rows.values()] for table, kept in stage.store.tables.items()}
    for table in PAST:
        rows[table] = [row for row in rows[table] if row["id"] in stage.known.values() or _undone(row)]
    ids = {row["id"]: f"{table}{n}" for table, some in rows.items() for n, row in enumerate(some) if "id" in row}
    scene = Scene(name, rows, stage.books._connection.serialize(), stage.clock.now(), stage.known, ids)
    stage.books.close()
    return scene


@scene
async def a_hold(stage: Stage) -> None:
    """Ann holds ten o'clock and has paid; nobody has told us, though the message is here."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking", know=False)
    await stage.heard("told", payment=stage.known["booking ref"])
    stage.known["webhook"] = stage.event("webhook.received")
    stage.known["hold due"] = stage.event("booking.hold_due")
    stage.known["requested"] = stage.event("payment.requested")
    stage.known["held"] = stage.event("booking.held")


@scene
async def a_lapsed_hold(stage: Stage) -> None:
    """The same, and the time to pay is over."""
    await a_hold(stage)
    stage.clock.advance(HOLD + timedelta(minutes=1))
    await stage.heard("told again", payment=stage.known["booking ref"])


@scene
async def a_captured_hold(stage: Stage) -> None:
    """The money is here, and the booking is about to hear of it."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking", know=False)
    stage.known["hold due"] = stage.event("booking.hold_due")
    await stage.use(RefreshPayment)(stage.known["ann"], stage.known["booking payment"])


@scene
async def a_captured_lapsed_hold(stage: Stage) -> None:
    """The same, and the time to pay is over."""
    await a_captured_hold(stage)
    stage.clock.advance(HOLD + timedelta(minutes=1))


@scene
async def late_money(stage: Stage) -> None:
    """The hold has expired, its payment is captured all the same, and the booking has not heard of it."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking", know=False)
    stage.clock.advance(HOLD + timedelta(minutes=1))
    await stage.use(ExpireHold)(SYSTEM, stage.event("booking.hold_due"))
    await stage.use(RefreshPayment)(stage.known["ann"], stage.known["booking payment"])
    stage.known["captured"] = stage.event("payment.captured")
    stage.known["expired"] = stage.event("booking.expired")


@scene
async def unplaced_money(stage: Stage) -> None:
    """The same, but Bob has taken ten o'clock: all of Ann's money is to go back, and nothing has been asked for yet."""
    await late_money(stage)
    await stage.book("other", by="bob", follow=False)
    await stage.use(SettleBooking)(SYSTEM, stage.known["captured"])
    stage.known["unplaceable"] = stage.event("booking.unplaceable")


@scene
async def a_cancelled_booking(stage: Stage) -> None:
    """Ann has called off what she had paid for; half is to go back, and nothing has been asked for yet."""
    await stage.marketplace(policy=PolicyName.MODERATE)
    await stage.book("booking")
    await stage.pay("booking")
    await stage.use(CancelBooking)(stage.known["ann"], stage.known["booking"], Cancellation())
    stage.known["cancelled"] = stage.event("booking.cancelled")


@scene
async def two_requests(stage: Stage) -> None:
    """Ann and Bob ask for ten o'clock, paid later."""
    await stage.marketplace(acceptance=Acceptance.REQUEST, terms=PaymentTerms.LATER)
    await stage.book("booking")
    await stage.book("other", by="bob")


@scene
async def a_paid_booking(stage: Stage) -> None:
    """Ann's lesson at ten is paid and confirmed, and part of the money was given back already."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking")
    await stage.use(RefundPayment)(stage.known["vera"], stage.known["booking payment"], Repayment(amount_minor=1_000))
    stage.known["refund"] = stage.event("refund.requested")


@scene
async def a_disputed_booking(stage: Stage) -> None:
    """Ann's bank has disputed parts of what she paid for her lesson: what is to be said of one is written down, of the
    other submitted; and messages wait: two of a third dispute, and that the first is decided."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking")
    banks, ref = stage.ports["dispute_desk"], stage.known["booking ref"]
    part = await banks.dispute(ref, amount=1_000)
    await stage.heard("part disputed", thing="dispute", thing_ref=part)
    await stage.work()
    dispute = stage.rows("disputes")[0]["id"]
    await stage.use(PrepareEvidence)(stage.known["vera"], dispute, EvidenceDraft(explanation="She came."))
    stage.known["dispute"] = dispute
    await stage.use(SubmitEvidence)(stage.known["vera"], await _another(stage, banks, ref))
    stage.known["evidence"] = stage.event("dispute.evidence_submitted")
    whole = await banks.dispute(ref, amount=5_000)
    await banks.decide(part, won=True)
    for name in ("disputed", "disputed again"):
        await stage.heard(name, thing="dispute", thing_ref=whole)
    await stage.heard("decided", thing="dispute", thing_ref=part)


async def _another(stage: Stage, banks: Any, ref: str) -> Any:
    """A second dispute, with something to say."""
    other = await banks.dispute(ref, amount=500)
    await stage.heard("another", thing="dispute", thing_ref=other)
    await stage.work()
    dispute = next(row["id"] for row in stage.rows("disputes") if row["gateway_ref"] == other)
    await stage.use(PrepareEvidence)(stage.known["vera"], dispute, EvidenceDraft(explanation="She came."))
    return dispute


async def _warned(stage: Stage, banks: Any, ref: str) -> Any:
    """A warning we know of, and another message about it."""
    warning = await banks.warn(ref)
    await stage.heard("warning", thing="warning", thing_ref=warning)
    await stage.work()
    await stage.heard("warning again", thing="warning", thing_ref=warning)
    return stage.rows("fraud_warnings")[0]["id"]


@scene
async def a_dispute_that_ended(stage: Stage) -> None:
    """Vera called the lesson off while Ann's bank decided; it has decided for Vera, and the money is to go back."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking")
    ref = await stage.ports["dispute_desk"].dispute(stage.known["booking ref"])
    await stage.heard("disputed", thing="dispute", thing_ref=ref)
    await stage.work()
    await stage.use(CancelBooking)(stage.known["vera"], stage.known["booking"], Cancellation())
    await stage.work()
    await stage.ports["dispute_desk"].decide(ref, won=True)
    await stage.heard("decided", thing="dispute", thing_ref=ref)
    await stage.use(HearOfDispute)(SYSTEM, WebhookReceived(webhook_id=stage.known["decided"]))
    stage.known["closed"] = stage.event("dispute.closed")


@scene
async def a_warned_payment(stage: Stage) -> None:
    """Ann's bank has warned of her payment, and we know; somebody else gives part of it back."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking")
    stage.known["warning"] = await _warned(stage, stage.ports["dispute_desk"], stage.known["booking ref"])


@scene
async def money_set_aside(stage: Stage) -> None:
    """The price of Ann's session is set aside, and we know; one capture is decided, and one other is just wished."""
    await stage.marketplace(terms=PaymentTerms.AUTHORISED)
    await stage.book("booking")
    await stage.pay("booking")
    stage.known["authorised"] = stage.event("payment.authorised")
    stage.known["ended"] = AuthorisationEnded(
        payment_id=stage.known["booking payment"], booking_id=stage.known["booking"]
    )


@scene
async def a_decided_capture(stage: Stage) -> None:
    """It is decided to take part of what is set aside for Ann's session."""
    await money_set_aside(stage)
    await stage.use(CapturePayment)(stage.known["vera"], stage.known["booking payment"], Capture(amount_minor=4_000))
    stage.known["capture"] = stage.event("payment.capture_requested")


@scene
async def a_heard_authorisation(stage: Stage) -> None:
    """The price of Ann's session was just set aside, and nothing has followed from it."""
    await stage.marketplace(terms=PaymentTerms.AUTHORISED)
    await stage.book("booking")
    await stage.pay("booking", know=False)
    await stage.use(RefreshPayment)(stage.known["ann"], stage.known["booking payment"])
    stage.known["authorised"] = stage.event("payment.authorised")


@scene
async def a_saved_card(stage: Stage) -> None:
    """Ann has a card that is kept, has given another, and holds ten o'clock."""
    await stage.marketplace()
    await stage.book("booking")
    ann, wallet = stage.known["ann"], stage.ports["wallet"]
    meant = await stage.use(BecomeCustomer)(ann)
    await stage.use(MeetCustomer)(ann, meant.id)
    for name in ("kept", "given"):
        setup = await stage.use(BeginSetup)(ann)
        await wallet.give(setup.ref, setup.client_secret or "", "ok")
        stage.known[f"{name} card"] = setup.ref
    kept = await stage.use(SavePaymentMethod)(ann, GivenCard(setup_ref=stage.known["kept card"]))
    stage.known["card"] = kept.id
    stage.clock.advance(timedelta(minutes=1))
    await stage.heard("card given", thing="setup", thing_ref=stage.known["given card"])


@scene
async def a_started_booking(stage: Stage) -> None:
    """It is ten o'clock."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking")
    stage.clock.set(TEN)


@scene
async def a_done_booking(stage: Stage) -> None:
    """The lesson is over, and Ann has reviewed it."""
    await a_started_booking(stage)
    await stage.use(CompleteBooking)(stage.known["vera"], stage.known["booking"])
    await stage.work()
    review = await stage.use(PostReview)(stage.known["ann"], stage.known["booking"], Assessment(stars=4, text="Fine"))
    stage.known["review"] = review.id
    stage.known["posted"] = stage.event("review.posted")


@scene
async def a_shared_session(stage: Stage) -> None:
    """Two seats at ten, one of them Ann's."""
    await stage.marketplace(capacity=2, terms=PaymentTerms.LATER)
    await stage.book("booking")


@scene
async def a_workshop(stage: Stage) -> None:
    """Jobs in all states, hours with an exception and an absence, and an organization of four."""
    await stage.marketplace(terms=PaymentTerms.LATER)
    await stage.job("draft", publish=False)
    vera = stage.known["vera"]
    await stage.use(OverrideDay)(vera, vera.signed_in(), date(2026, 6, 8), DayHours(windows=("10:00-12:00",)))
    off = await stage.use(TakeTimeOff)(vera, vera.signed_in(), Absence(first=date(2026, 6, 10), last=date(2026, 6, 11)))
    stage.known["time off"] = off.time_off[0].id


@scene
async def a_talk(stage: Stage) -> None:
    """Ann and Vera have exchanged two messages."""
    await stage.marketplace()
    ann, vera = stage.known["ann"], stage.known["vera"]
    talk = await stage.use(StartConversation)(ann, Opening(job_id=stage.known["job"]))
    stage.known["talk"] = talk.id
    for who in (ann, vera):
        message = await stage.use(SendMessage)(who, talk.id, Words(text="Hello"))
        await stage.work()
        stage.known["message"] = message.id
    mine = [row["id"] for row in stage.rows("notifications") if row["user_id"] == ann.user_id]
    stage.known["notification"] = mine[0]


@scene
async def an_account(stage: Stage) -> None:
    """Ann is signed in twice and has asked for every kind of link; Zoe has signed up and not confirmed."""
    ann = await stage.person("ann")
    await stage.person("root", Role.ADMIN)
    for number in ("one", "two"):
        tokens = await stage.use(SignIn)(ANONYMOUS, PasswordSignIn(email="ann@example.org", password=PASSWORD))
        stage.known[f"refresh {number}"] = tokens.refresh_token
        stage.known[f"session {number}"] = tokens.session_id
        stage.known[f"ann {number}"] = Actor(user_id=ann.user_id, session_id=tokens.session_id)
    await stage.use(RequestMagicLink)(ANONYMOUS, Address(email="ann@example.org"))
    stage.known["magic"] = ONE_TIME.secret(stage.event("one_time_token.issued").token_id)
    await stage.use(ForgotPassword)(ANONYMOUS, Address(email="ann@example.org"))
    stage.known["reset"] = ONE_TIME.secret(stage.event("one_time_token.issued").token_id)
    await stage.use(SignUp)(ANONYMOUS, SignUpForm(email="zoe@example.org", password=PASSWORD, name="Zoe"))
    stage.known["verify"] = ONE_TIME.secret(stage.event("one_time_token.issued").token_id)
    stage.known["zoe"] = next(row["id"] for row in stage.rows("users") if row["email"] == "zoe@example.org")
    await stage.work()


@scene
async def a_declined_hold(stage: Stage) -> None:
    """Ann's card was refused, and we know it."""
    await stage.marketplace()
    await stage.book("booking")
    await stage.pay("booking", card="declined")


@scene
async def an_unopened_hold(stage: Stage) -> None:
    """Ann holds ten o'clock, and nothing has followed from it yet."""
    await stage.marketplace()
    await stage.book("booking", follow=False)
    for name in ("payment.requested", "booking.held"):
        stage.known[name] = stage.event(name)
    body = {"id": "se_new", "kind": "payment.open", "occurred_at": 1, "payment": "sp_unknown", "refund": None}
    raw = json.dumps(body).encode()
    stage.known["message"] = (raw, {HEADER: signed(raw, SECRET, stage.clock.now())})


@scene
async def a_doubted_refund(stage: Stage) -> None:
    """The gateway was asked for a refund and did not answer."""
    await a_paid_booking(stage)
    async with stage.begin(SYSTEM) as work:
        refund = await work.refunds.get(stage.known["refund"].refund_id)
        refund.doubt()


@scene
async def a_hidden_review(stage: Stage) -> None:
    """Ann's review was taken down."""
    await a_done_booking(stage)
    await stage.use(HideReview)(ADMIN, stage.known["review"], Moderation(reason="rude"))


@scene
async def a_suspended_account(stage: Stage) -> None:
    """Ann may not come in."""
    await an_account(stage)
    await stage.use(SuspendUser)(ADMIN, stage.known["ann"].user_id, Suspension(reason="enough"))


@scene
async def old_tokens(stage: Stage) -> None:
    """Every link and token has long expired, but for those of a new session."""
    await an_account(stage)
    stage.clock.advance(timedelta(days=60))
    tokens = await stage.use(SignIn)(ANONYMOUS, PasswordSignIn(email="ann@example.org", password=PASSWORD))
    stage.known["refresh three"] = tokens.refresh_token


@scene
async def a_growing_guild(stage: Stage) -> None:
    """Pete is invited and so is Kim, who has no account; the guild is almost set up; and somebody has paid for a plan,
    of which two messages wait."""
    await stage.marketplace()
    vera, guild = stage.known["vera"], stage.known["guild"]
    for name in ("pete", "kim"):
        sent = await stage.use(InviteMember)(vera, guild, NewInvitation(email=f"{name}@example.org"))
        stage.known[f"letter to {name}"] = ONE_TIME.secret(OneTimeTokenId(sent.id))
        stage.known[f"invitation of {name}"] = sent.id
    answers = OnboardingAnswers(
        business=BusinessAnswer(name="Guild"),
        profession=ProfessionAnswer(profession="tutor", currency="EUR"),
        place=PlaceAnswer(zone="Europe/Lisbon"),
        hours=HoursAnswer(),
    )
    await stage.use(SaveOnboarding)(vera, guild, answers)
    meant = await stage.use(BecomeCustomer)(stage.known["olga"])
    stage.known["olga as a customer"] = meant.id
    for name in ("second guild", "third guild"):
        founded = await stage.use(CreateOrganization)(vera, NewOrganization(name=name))
        stage.known[name] = founded.id
        await stage.use(BecomePayee)(vera, founded.id)
    known = await stage.use(MeetPayee)(vera, stage.known["third guild"])
    await stage.ports["payee_desk"].answer(known.gateway_ref)
    await stage.use(RefreshCatalog)(SYSTEM)
    wanted = NewPurchase(price="team_month_eur", email="zoe@example.org", organization_name="Zoe & Co.")
    other = await stage.use(RequestPurchase)(ANONYMOUS, wanted)
    stage.known["unopened purchase"] = other.id
    purchase = await stage.use(RequestPurchase)(ANONYMOUS, wanted)
    opened = await stage.use(OpenCheckout)(ANONYMOUS, purchase.id)
    assert opened.gateway_ref
    await stage.ports["till"].complete(opened.gateway_ref, paid=True)
    for row in stage.books.read("select body from deliveries where body like '%\"thing\"%' order by rowid"):
        raw = row["body"].encode()
        headers = {HEADER: signed(raw, SECRET, stage.clock.now())}
        webhook = await stage.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
        stage.known[webhook.kind] = WebhookReceived(webhook_id=webhook.id)
    await stage.work("webhook.received")
