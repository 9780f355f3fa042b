"""Who meets whom: every writing use case on the rows of a scene, and the few that need not race."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, timedelta
from itertools import combinations_with_replacement
from typing import Any

import application
from application.audit import SealAudit
from application.billing import (
    BecomeCustomer,
    MeetCustomer,
    NewPurchase,
    OpenCheckout,
    ProcessBilling,
    RequestPurchase,
)
from application.bookings import (
    AcceptBooking,
    BookSlot,
    CancelBooking,
    Cancellation,
    CompleteBooking,
    DeclineBooking,
    Declining,
    EndHold,
    ExpireHold,
    MarkNoShow,
    RescheduleBooking,
    Rescheduling,
    Reservation,
    SecureBooking,
    SettleBooking,
    SweepHolds,
)
from application.identity import (
    AddressChange,
    ChangePassword,
    ChangeRole,
    ConsumeMagicLink,
    CreateAdmin,
    CreateUser,
    DeleteUser,
    EndSession,
    ForgetExpiredTokens,
    ForgotPassword,
    Link,
    NewAdmin,
    NewPassword,
    NewRole,
    NewUser,
    PasswordChange,
    PasswordSignIn,
    RefreshSession,
    Renewal,
    RequestAddressChange,
    RequestMagicLink,
    ResendVerification,
    ResetPassword,
    RestoreUser,
    SignIn,
    SignOut,
    SignOutEverywhere,
    SignUp,
    SignUpForm,
    SuspendUser,
    Suspension,
    VerifyEmail,
)
from application.identity.letters import Address
from application.jobs import (
    ArchiveJob,
    CreateJob,
    DeleteDraft,
    JobDraft,
    JobRevision,
    PublishJob,
    RetireJobs,
    ReviseJob,
)
from application.messaging import (
    EditMessage,
    MarkRead,
    OpenBookingConversation,
    Opening,
    Reading,
    Rewording,
    SendMessage,
    StartConversation,
    Words,
)
from application.notifications import ReadAllNotifications, ReadNotification, TellOfPayment
from application.organizations import (
    AcceptInvitation,
    AddMember,
    ChangeMemberRole,
    CompleteOnboarding,
    CreateOrganization,
    DeclineInvitation,
    Equipment,
    EquipOrganization,
    InvitationLink,
    InviteMember,
    JoinByInvitation,
    Joining,
    MemberChange,
    NewInvitation,
    NewMember,
    NewName,
    NewOrganization,
    OnboardingAnswers,
    RemoveMember,
    RenameOrganization,
    RevokeInvitation,
    SaveOnboarding,
)
from application.payments import (
    AbandonPayment,
    AskAboutDispute,
    AskCapture,
    AskRefund,
    BecomePayee,
    Capture,
    CapturePayment,
    EvidenceDraft,
    FetchWebhooks,
    GivenCard,
    HearOfCard,
    HearOfDispute,
    HeedWarning,
    LetGo,
    MeetPayee,
    OpenPayment,
    PayWithSaved,
    PreferPaymentMethod,
    PrepareEvidence,
    ProcessPayees,
    ProcessWebhook,
    ReceiveWebhook,
    RefreshPayment,
    RefundAfterDispute,
    RefundCancelledBooking,
    RefundPayment,
    RefundUnplaceable,
    ReleasePayment,
    RemovePaymentMethod,
    Repayment,
    ReplayWebhook,
    ResolveUnknown,
    SavePaymentMethod,
    SealLedger,
    SendEvidence,
    StartPayment,
    SubmitEvidence,
)
from application.profiles import ProfileChanges, UpdateProfile
from application.reactions import REACTIONS
from application.reviews import (
    Assessment,
    HideReview,
    Moderation,
    MoveRating,
    PostReview,
    RespondToReview,
    Response,
    RestoreReview,
)
from application.scheduling import (
    Absence,
    CancelTimeOff,
    ClearDay,
    DayHours,
    Hours,
    OverrideDay,
    SetAvailability,
    TakeTimeOff,
)
from domain.identity import UserSuspended
from domain.organizations import BusinessAnswer, MemberRole
from domain.payments import (
    AuthorisationEnded,
    DisputeDue,
    PaymentCaptured,
    PaymentStrayed,
    RefundDoubted,
    ReleaseRequested,
    WebhookReceived,
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Role
from tests.proof.schedules import papers
from tests.proof.schedules.scenes import ADMIN, DAY, PASSWORD, PRICE, TEN

HOUR = timedelta(hours=1)
Known = dict[str, Any]
Arguments = Callable[[Known], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """One command of a scene: a use case and what it is asked."""

    scene: str
    name: str
    use_case: type
    asked: Arguments

    @property
    def is_reaction(self) -> bool:
        """Whether it follows from an event."""
        return any(self.use_case in some for some in REACTIONS.values())


PARTS: list[Part] = []


def part(scenes: str, name: str, use_case: type, asked: Arguments) -> None:
    """This command appears in these scenes."""
    PARTS.extend(Part(scene, name, use_case, asked) for scene in scenes.split())


def _book(hours: float = 0, by: str = "bob", seats: int = 1) -> Arguments:
    return lambda k: (k[by], Reservation(job_id=k["job"], starts_at=TEN + hours * HOUR, seats=seats))


def _strayed(k: Known) -> PaymentStrayed:
    return PaymentStrayed(payment_id=k["booking payment"], booking_id=k["booking"])


def _ended(k: Known) -> AuthorisationEnded:
    return AuthorisationEnded(payment_id=k["booking payment"], booking_id=k["booking"])


def _heard(k: Known, name: str) -> WebhookReceived:
    return WebhookReceived(webhook_id=k[name])


# A provider's time.
part("a_hold a_lapsed_hold a_captured_lapsed_hold two_requests late_money", "book the same slot", BookSlot, _book())
part("a_hold two_requests", "book an overlapping slot", BookSlot, _book(0.5))
part("a_workshop", "book a slot", BookSlot, _book())
part("a_workshop", "book it as another", BookSlot, _book(by="ann"))
part("a_workshop", "book half an hour later", BookSlot, _book(0.5, by="ann"))
part("two_requests", "accept", AcceptBooking, lambda k: (k["vera"], k["booking"]))
part("two_requests", "accept the other", AcceptBooking, lambda k: (k["mia"], k["other"]))
part("two_requests", "decline", DeclineBooking, lambda k: (k["vera"], k["booking"], Declining()))
HELD = "a_hold a_lapsed_hold a_captured_hold an_unopened_hold a_declined_hold"
MOVED = f"{HELD} two_requests a_paid_booking a_shared_session"
part(
    MOVED,
    "reschedule",
    RescheduleBooking,
    lambda k: (k["ann"], k["booking"], Rescheduling(starts_at=TEN + 2 * HOUR)),
)
part("a_paid_booking a_hold", "book where it moves to", BookSlot, _book(2))
ENDED = f"{MOVED} a_captured_lapsed_hold late_money"
part(ENDED, "cancel as customer", CancelBooking, lambda k: (k["ann"], k["booking"], Cancellation()))
part(
    "a_hold a_paid_booking a_started_booking",
    "cancel as provider",
    CancelBooking,
    lambda k: (k["vera"], k["booking"], Cancellation()),
)
part("a_started_booking a_done_booking", "complete", CompleteBooking, lambda k: (k["vera"], k["booking"]))
part("a_started_booking a_done_booking", "no show", MarkNoShow, lambda k: (k["mia"], k["booking"]))
part("a_lapsed_hold a_captured_lapsed_hold a_hold", "expire", ExpireHold, lambda k: (SYSTEM, k["hold due"]))
part("a_lapsed_hold a_captured_lapsed_hold", "sweep", SweepHolds, lambda k: (ADMIN,))
part("a_shared_session", "book the last seat", BookSlot, _book())
part("a_shared_session", "book two seats", BookSlot, _book(seats=2))
part("a_shared_session", "book another job's time", BookSlot, _book(0.5))

# Money.
part("a_hold a_lapsed_hold", "hear that it is paid", ProcessWebhook, lambda k: (SYSTEM, k["webhook"]))
part(
    "a_declined_hold a_hold a_lapsed_hold",
    "return from the gateway",
    RefreshPayment,
    lambda k: (k["ann"], k["booking payment"]),
)
part("a_hold a_declined_hold", "start to pay", StartPayment, lambda k: (k["ann"], k["booking payment"]))
part("a_hold", "open at the gateway", OpenPayment, lambda k: (SYSTEM, k["requested"]))
part("an_unopened_hold", "open the payment", OpenPayment, lambda k: (SYSTEM, k["payment.requested"]))
part("an_unopened_hold", "hear something new", ReceiveWebhook, lambda k: (SYSTEM, "simulated", *k["message"]))
part("an_unopened_hold", "close the payment", AbandonPayment, lambda k: (SYSTEM, _strayed(k)))
part("a_hold an_unopened_hold", "fetch what was lost", FetchWebhooks, lambda k: (ADMIN,))
part(
    "a_hold",
    "told a second time",
    ReceiveWebhook,
    lambda k: (SYSTEM, "simulated", *k["told told"]),
)
part("a_lapsed_hold", "look at it again", ReplayWebhook, lambda k: (ADMIN, k["told again"]))
part(
    "late_money unplaced_money a_captured_hold a_captured_lapsed_hold",
    "settle the booking",
    SettleBooking,
    lambda k: (
        SYSTEM,
        PaymentCaptured(payment_id=k["booking payment"], booking_id=k["booking"], amount=PRICE),
    ),
)
part("late_money", "give up the payment", AbandonPayment, lambda k: (SYSTEM, k["expired"]))
part("late_money", "tell of the money", TellOfPayment, lambda k: (SYSTEM, k["captured"]))
part("unplaced_money", "give back what has no place", RefundUnplaceable, lambda k: (SYSTEM, k["unplaceable"]))
REFUNDS = "a_doubted_refund a_paid_booking a_started_booking a_cancelled_booking unplaced_money"
part(
    REFUNDS,
    "give back some",
    RefundPayment,
    lambda k: (k["vera"], k["booking payment"], Repayment(amount_minor=6_000)),
)
part(
    "a_paid_booking late_money a_captured_hold a_cancelled_booking unplaced_money",
    "give back all",
    RefundPayment,
    lambda k: (k["mia"], k["booking payment"], Repayment()),
)
part(
    "a_cancelled_booking",
    "give back by policy",
    RefundCancelledBooking,
    lambda k: (SYSTEM, k["cancelled"]),
)
part("a_paid_booking a_doubted_refund", "send a refund", AskRefund, lambda k: (SYSTEM, k["refund"]))
part(
    "a_paid_booking a_doubted_refund",
    "ask after a refund",
    ResolveUnknown,
    lambda k: (SYSTEM, RefundDoubted(refund_id=k["refund"].refund_id, tries=1)),
)

# Money that is set aside.
part(
    "money_set_aside a_decided_capture",
    "take part of it",
    CapturePayment,
    lambda k: (k["vera"], k["booking payment"], Capture(amount_minor=4_000)),
)
part("money_set_aside", "take all of it", CapturePayment, lambda k: (k["mia"], k["booking payment"], Capture()))
part("money_set_aside a_decided_capture", "let go", ReleasePayment, lambda k: (k["vera"], k["booking payment"]))
part("money_set_aside", "call it off", CancelBooking, lambda k: (k["ann"], k["booking"], Cancellation()))
part("a_decided_capture", "ask for the capture", AskCapture, lambda k: (SYSTEM, k["capture"]))
part("a_decided_capture", "look how it stands", RefreshPayment, lambda k: (k["ann"], k["booking payment"]))
part(
    "a_decided_capture money_set_aside",
    "let go of it at the gateway",
    LetGo,
    lambda k: (SYSTEM, ReleaseRequested(payment_id=k["booking payment"], booking_id=k["booking"])),
)
part("a_heard_authorisation", "keep the slot", SecureBooking, lambda k: (SYSTEM, k["authorised"]))
part("a_heard_authorisation money_set_aside", "end the hold", EndHold, lambda k: (SYSTEM, _ended(k)))
part("a_heard_authorisation", "call it off", CancelBooking, lambda k: (k["ann"], k["booking"], Cancellation()))

# Disputes.
part("a_disputed_booking", "hear of it", HearOfDispute, lambda k: (SYSTEM, _heard(k, "disputed")))
part("a_disputed_booking", "hear of it again", HearOfDispute, lambda k: (SYSTEM, _heard(k, "disputed again")))
part("a_disputed_booking", "hear that it is decided", HearOfDispute, lambda k: (SYSTEM, _heard(k, "decided")))
part(
    "a_disputed_booking",
    "write evidence down",
    PrepareEvidence,
    lambda k: (k["vera"], k["dispute"], EvidenceDraft(explanation="She came, and thanked us.")),
)
part("a_disputed_booking", "submit the evidence", SubmitEvidence, lambda k: (k["mia"], k["dispute"]))
part("a_disputed_booking", "hand the evidence in", SendEvidence, lambda k: (SYSTEM, k["evidence"]))
part(
    "a_disputed_booking", "ask how it stands", AskAboutDispute, lambda k: (SYSTEM, DisputeDue(dispute_id=k["dispute"]))
)
part("a_dispute_that_ended", "give back what waited", RefundAfterDispute, lambda k: (SYSTEM, k["closed"]))
part(
    "a_dispute_that_ended",
    "give back some",
    RefundPayment,
    lambda k: (k["vera"], k["booking payment"], Repayment(amount_minor=6_000)),
)
part("a_disputed_booking", "call it off", CancelBooking, lambda k: (k["vera"], k["booking"], Cancellation()))
part("a_warned_payment", "heed the warning", HeedWarning, lambda k: (ADMIN, k["warning"]))
part("a_warned_payment", "hear of the warning", HearOfDispute, lambda k: (SYSTEM, _heard(k, "warning again")))
part(
    "a_warned_payment",
    "give back some",
    RefundPayment,
    lambda k: (k["vera"], k["booking payment"], Repayment(amount_minor=6_000)),
)

# Saved cards.
part("a_saved_card", "pay with it", PayWithSaved, lambda k: (k["ann"], k["booking payment"]))
part("a_saved_card", "prefer it", PreferPaymentMethod, lambda k: (k["ann"], k["card"]))
part("a_saved_card", "remove it", RemovePaymentMethod, lambda k: (k["ann"], k["card"]))
part("a_saved_card", "save another", SavePaymentMethod, lambda k: (k["ann"], GivenCard(setup_ref=k["given card"])))
part("a_saved_card", "hear of the other", HearOfCard, lambda k: (SYSTEM, _heard(k, "card given")))
part("a_saved_card", "cancel as customer", CancelBooking, lambda k: (k["ann"], k["booking"], Cancellation()))

# Work on offer.
part(
    "a_workshop a_hold a_captured_hold two_requests late_money",
    "archive the job",
    ArchiveJob,
    lambda k: (k["vera"], k["job"]),
)
part("a_workshop", "archive it as a manager", ArchiveJob, lambda k: (k["mia"], k["job"]))
part(
    "a_workshop two_requests a_shared_session",
    "revise the job",
    ReviseJob,
    lambda k: (k["vera"], k["job"], JobRevision(title="Better lesson", duration=90)),
)
part("a_workshop", "publish the draft", PublishJob, lambda k: (k["vera"], k["draft"]))
part("a_workshop", "delete the draft", DeleteDraft, lambda k: (k["mia"], k["draft"]))
part(
    "a_workshop",
    "retire what a suspended one offers",
    RetireJobs,
    lambda k: (SYSTEM, UserSuspended(user_id=k["vera"].user_id, reason="x")),
)
part(
    "a_workshop",
    "draft another job",
    CreateJob,
    lambda k: (
        k["mia"],
        JobDraft(title="Choir", category="music", price=PRICE, duration=60, organization_id=k["guild"], place="Porto"),
    ),
)
part(
    "a_workshop",
    "draft a first job",
    CreateJob,
    lambda k: (k["pete"], JobDraft(title="Drums", category="music", price=PRICE, duration=60, place="Porto")),
)
CLOSED = "a_workshop two_requests late_money a_shared_session"
part(
    CLOSED,
    "change the hours",
    SetAvailability,
    lambda k: (
        k["vera"],
        k["vera"].user_id,
        Hours(zone="Europe/Lisbon", monday=("14:00-18:00",), wednesday=("14:00-18:00",)),
    ),
)
part(
    CLOSED,
    "close the day",
    OverrideDay,
    lambda k: (k["vera"], k["vera"].user_id, DAY, DayHours(windows=())),
)
part("a_workshop", "clear a day", ClearDay, lambda k: (k["vera"], k["vera"].user_id, date(2026, 6, 8)))
part(
    CLOSED,
    "take time off",
    TakeTimeOff,
    lambda k: (k["vera"], k["vera"].user_id, Absence(first=DAY, last=DAY)),
)
part("a_workshop", "take no time off", CancelTimeOff, lambda k: (k["vera"], k["vera"].user_id, k["time off"]))

# An organization.
part(
    "a_workshop",
    "an owner makes the other a member",
    ChangeMemberRole,
    lambda k: (k["vera"], k["guild"], k["olga"].user_id, MemberChange(role=MemberRole.MEMBER)),
)
part(
    "a_workshop",
    "the other makes the owner a member",
    ChangeMemberRole,
    lambda k: (k["olga"], k["guild"], k["vera"].user_id, MemberChange(role=MemberRole.MEMBER)),
)
part("a_workshop", "an owner leaves", RemoveMember, lambda k: (k["vera"], k["guild"], k["vera"].user_id))
part("a_workshop", "the other owner leaves", RemoveMember, lambda k: (k["olga"], k["guild"], k["olga"].user_id))
part("a_workshop", "the manager is removed", RemoveMember, lambda k: (k["olga"], k["guild"], k["mia"].user_id))
part(
    "a_workshop",
    "somebody joins",
    AddMember,
    lambda k: (k["olga"], k["guild"], NewMember(user_id=k["pete"].user_id)),
)
part(
    "a_workshop",
    "the name changes",
    RenameOrganization,
    lambda k: (k["mia"], k["guild"], NewName(name="Second Guild")),
)
part("a_workshop", "another organization", CreateOrganization, lambda k: (k["pete"], NewOrganization(name="Other")))
part(
    "a_workshop an_account a_suspended_account",
    "an admin suspends",
    SuspendUser,
    lambda k: (ADMIN, (k.get("vera") or k["ann"]).user_id, Suspension(reason="enough")),
)

# Reviews.
part(
    "a_done_booking a_started_booking",
    "the customer reviews",
    PostReview,
    lambda k: (k["ann"], k["booking"], Assessment(stars=2)),
)
part(
    "a_done_booking",
    "the provider reviews",
    PostReview,
    lambda k: (k["vera"], k["booking"], Assessment(stars=5)),
)
part(
    "a_done_booking a_hidden_review",
    "answer the review",
    RespondToReview,
    lambda k: (k["vera"], k["review"], Response(text="Oh")),
)
part(
    "a_done_booking a_hidden_review",
    "hide the review",
    HideReview,
    lambda k: (ADMIN, k["review"], Moderation(reason="rude")),
)
part(
    "a_done_booking a_hidden_review",
    "restore the review",
    RestoreReview,
    lambda k: (ADMIN, k["review"], Moderation(reason="fine")),
)
part("a_done_booking a_hidden_review", "count the review", MoveRating, lambda k: (SYSTEM, k["posted"]))

# Words.
part("a_talk", "say something", SendMessage, lambda k: (k["ann"], k["talk"], Words(text="Well?")))
part("a_talk", "answer", SendMessage, lambda k: (k["vera"], k["talk"], Words(text="Well!")))
part("a_talk", "say it in other words", EditMessage, lambda k: (k["vera"], k["message"], Rewording(text="Hi")))
part("a_talk", "read one", MarkRead, lambda k: (k["ann"], k["talk"], Reading(sequence=1)))
part("a_talk", "read all", MarkRead, lambda k: (k["ann"], k["talk"], Reading(sequence=2)))
part("a_talk", "begin to talk again", StartConversation, lambda k: (k["ann"], Opening(job_id=k["job"])))
part("a_talk", "begin to talk", StartConversation, lambda k: (k["bob"], Opening(job_id=k["job"])))
part("a_talk", "read a notification", ReadNotification, lambda k: (k["ann"], k["notification"]))
part("a_talk", "read all notifications", ReadAllNotifications, lambda k: (k["ann"],))
part("a_hold", "talk about the booking", OpenBookingConversation, lambda k: (SYSTEM, k["held"]))
part("an_unopened_hold", "talk of the booking", OpenBookingConversation, lambda k: (SYSTEM, k["booking.held"]))
part("an_unopened_hold", "begin to talk", StartConversation, lambda k: (k["ann"], Opening(job_id=k["job"])))

# Accounts.
part(
    "an_account a_suspended_account",
    "refresh",
    RefreshSession,
    lambda k: (ANONYMOUS, Renewal(refresh_token=k["refresh one"])),
)
part("an_account", "refresh the other", RefreshSession, lambda k: (ANONYMOUS, Renewal(refresh_token=k["refresh two"])))
part("an_account", "use the magic link", ConsumeMagicLink, lambda k: (ANONYMOUS, Link(token=k["magic"])))
part(
    "an_account",
    "use the reset link",
    ResetPassword,
    lambda k: (ANONYMOUS, NewPassword(token=k["reset"], password="another horse battery")),
)
part("an_account", "confirm the address", VerifyEmail, lambda k: (ANONYMOUS, Link(token=k["verify"])))
part(
    "an_account",
    "change the password",
    ChangePassword,
    lambda k: (k["ann one"], PasswordChange(current_password=PASSWORD, new_password="a third horse battery")),
)
part("an_account", "sign out", SignOut, lambda k: (k["ann one"],))
part("an_account", "sign out everywhere", SignOutEverywhere, lambda k: (k["ann two"],))
part("an_account", "end a session", EndSession, lambda k: (k["ann two"], k["session one"]))
part(
    "an_account a_suspended_account",
    "sign in",
    SignIn,
    lambda k: (ANONYMOUS, PasswordSignIn(email="ann@example.org", password=PASSWORD)),
)
part("an_account", "ask for a magic link", RequestMagicLink, lambda k: (ANONYMOUS, Address(email="ann@example.org")))
part("an_account", "forget the password", ForgotPassword, lambda k: (ANONYMOUS, Address(email="ann@example.org")))
part(
    "an_account", "ask for the mail again", ResendVerification, lambda k: (ANONYMOUS, Address(email="zoe@example.org"))
)
part(
    "an_account",
    "sign up",
    SignUp,
    lambda k: (ANONYMOUS, SignUpForm(email="new@example.org", password=PASSWORD, name="New")),
)
part(
    "an_account",
    "an admin creates the same user",
    CreateUser,
    lambda k: (ADMIN, NewUser(email="new@example.org", password=PASSWORD, name="New")),
)
part(
    "an_account",
    "an admin changes the role",
    ChangeRole,
    lambda k: (ADMIN, k["ann"].user_id, NewRole(role=Role.PROVIDER)),
)
part(
    "an_account",
    "ask for another address",
    RequestAddressChange,
    lambda k: (k["ann one"], AddressChange(email="new@example.org", current_password=PASSWORD)),
)
part("an_account a_suspended_account", "an admin deletes", DeleteUser, lambda k: (ADMIN, k["ann"].user_id))
part("an_account a_suspended_account", "an admin restores", RestoreUser, lambda k: (ADMIN, k["ann"].user_id))
part("an_account", "change the profile", UpdateProfile, lambda k: (k["ann"], ProfileChanges(headline="Hi")))
part(
    "old_tokens",
    "refresh the new session",
    RefreshSession,
    lambda k: (ANONYMOUS, Renewal(refresh_token=k["refresh three"])),
)
part("old_tokens", "refresh an old one", RefreshSession, lambda k: (ANONYMOUS, Renewal(refresh_token=k["refresh one"])))
part("old_tokens", "leave everywhere", SignOutEverywhere, lambda k: (k["ann two"],))
part("old_tokens an_account", "forget old tokens", ForgetExpiredTokens, lambda k: (ADMIN,))
part(
    "an_account",
    "an operator creates an admin",
    CreateAdmin,
    lambda k: (ADMIN, NewAdmin(email="new@example.org", password=PASSWORD, name="Root")),
)

# A guild that grows, and a business that was bought.
GROWING = "a_growing_guild"


def letter(name: str) -> Callable[[dict[str, Any]], InvitationLink]:
    """The link of the letter to them."""
    return lambda k: InvitationLink(token=k[f"letter to {name}"])


part(
    GROWING,
    "invite somebody",
    InviteMember,
    lambda k: (k["mia"], k["guild"], NewInvitation(email="lou@example.org")),
)
part(GROWING, "accept as oneself", AcceptInvitation, lambda k: (k["pete"], letter("pete")(k)))
part(GROWING, "accept by the letter", AcceptInvitation, lambda k: (ANONYMOUS, letter("pete")(k)))
part(GROWING, "decline", DeclineInvitation, lambda k: (ANONYMOUS, letter("pete")(k)))
part(GROWING, "revoke", RevokeInvitation, lambda k: (k["vera"], k["guild"], k["invitation of pete"]))
part(
    GROWING,
    "sign up and join",
    JoinByInvitation,
    lambda k: (ANONYMOUS, Joining(token=k["letter to kim"], name="Kim", password=PASSWORD)),
)
part(
    GROWING, "take up a profession", EquipOrganization, lambda k: (k["vera"], k["guild"], Equipment(profession="tutor"))
)
part(
    GROWING,
    "take a step again",
    SaveOnboarding,
    lambda k: (k["mia"], k["guild"], OnboardingAnswers(business=BusinessAnswer(name="Second Guild"))),
)
part(GROWING, "set it up", CompleteOnboarding, lambda k: (k["vera"], k["guild"]))
part(GROWING, "be a customer", BecomeCustomer, lambda k: (k["vera"],))
part(GROWING, "let the gateway know", MeetCustomer, lambda k: (k["olga"], k["olga as a customer"]))
part(
    GROWING,
    "want to buy",
    RequestPurchase,
    lambda k: (k["vera"], NewPurchase(price="solo_month_eur", organization_id=k["guild"])),
)
part(GROWING, "open the till", OpenCheckout, lambda k: (ANONYMOUS, k["unopened purchase"]))
part(GROWING, "hear of the subscription", ProcessBilling, lambda k: (SYSTEM, k["subscription.created"]))
part(GROWING, "be a payee", BecomePayee, lambda k: (k["vera"], k["guild"]))
part(GROWING, "let the gateway know the payee", MeetPayee, lambda k: (k["vera"], k["second guild"]))
part(GROWING, "see how the account stands", MeetPayee, lambda k: (k["vera"], k["third guild"]))
part(GROWING, "hear of the account", ProcessPayees, lambda k: (SYSTEM, k["payee.updated"]))
part(GROWING, "hear of the purchase", ProcessBilling, lambda k: (SYSTEM, k["checkout.completed"]))

papers.parts(part)

LEFT_OUT: dict[str, str] = {
    "ListActivity": "reads",
    "OpenInvitation": "reads",
    "GetOnboarding": "reads",
    "GetEntitlements": "reads",
    "GetPurchase": "reads",
    "OpenPortal": "reads",
    "ExpireInvitation": "judged by the invitation's version, as its answers are, which are raced",
    "RefreshCatalog": "a commit for each product and price, by the version seen before asking, as ProcessBilling's",
    "MailInvitation": "a reaction: inserts a mail under a unique key, as TellOfPayment does, which is raced",
    "TellOfInvitation": "the same",
    "TellOfSubscription": "the same",
    "WelcomeBuyer": "the same",
    "GetCheckout": "reads",
    "BeginSetup": "reads, and asks the gateway",
    "TellOfDispute": "a reaction: inserts news, as TellOfPayment does, which is raced",
    "TellOfWarning": "the same",
    "TellOfAuthorisation": "the same",
    "GetPayLink": "reads",
    "OpenPayLink": "reads",
    "GetOwnProfile": "reads",
    "SealAudit": "writes the trail only, on a lock of its own: raced in tests/contracts and by the kill campaign",
    "FollowShare": "books under unique keys what the gateway says, as ProcessWebhook does, which is raced",
    "TellOfPayee": "a reaction: inserts news, as TellOfPayment does, which is raced",
    "GetPayee": "reads",
    "LinkPayee": "reads",
    "ListPayouts": "reads",
    "OrganizationBalances": "reads",
    "SealLedger": "the same for the ledger and its balances: raced in tests/application/test_books.py",
    "AskForReview": "a reaction: inserts news and a mail under a unique key, as TellOfPayment does, which is raced",
    "TellOfBooking": "the same",
    "TellOfMessage": "the same",
    "TellOfPasswordChange": "the same",
    "TellOfAddressChange": "the same",
    "TellOfRepeatedSignUp": "the same",
    "WelcomeUser": "the same",
    "SendTokenMail": "the same",
    "SendMail": "a reaction to an event that one worker has leased; sends before it commits, and sends again by design",
    "Authenticate": "writes only for who is new: first requests race in tests/races, and with a message on memory",
    "FollowIssuer": "a reaction: makes the same row under the same unique key, and races first requests there",
    "LinkIdentity": "inserts one row under that key as well",
    "QueueAskedLetters": "inserts mails under a unique key, as reactions do",
    "StartSignIn": "inserts a row nobody else knows of yet",
    "ReturnFromProvider": "asks a provider between two commits: tests/application/test_identity_oauth.py",
    "FinishSignIn": "wants a way there and back: raced in tests/application/test_identity_oauth.py",
    "LinkProvider": "the same",
    "UnlinkIdentity": "the same",
    **dict.fromkeys(
        (
            "VerifyEmailAbroad",
            "SignInAbroad",
            "RefreshSessionAbroad",
            "ConsumeMagicLinkAbroad",
            "FinishSignInAbroad",
            "ResetPasswordAbroad",
            "CreateUserAbroad",
            "CreateAdminAbroad",
            "ListUsersAbroad",
        ),
        "stands in where accounts are kept elsewhere: commits only who somebody is, as Authenticate does",
    ),
    "BanAbroad": "reads, and asks whoever keeps the accounts",
    "RestoreAbroad": "the same",
    "DeleteAbroad": "the same",
    **dict.fromkeys(
        (
            "ReceiveContent",
            "CompleteUpload",
            "PublishPicture",
            "RemoveObjects",
        ),
        "writes bytes between two commits: tests/application/test_files.py, and the quota in tests/races/test_quota.py",
    ),
    **dict.fromkeys(
        (
            "DirectUpload",
            "VerifyFiles",
            "GetInvoiceLink",
            "GetLetterhead",
            "GetQuoteLink",
            "OpenInvoiceLink",
            "OpenQuoteLink",
            "PrintByLink",
            "PrintQuote",
        ),
        "reads",
    ),
    "TellOfInvoice": "a reaction: inserts mails under a unique key, as TellOfPayment does, which is raced",
    "TellOfQuote": "the same",
    "GiveLogins": "moves accounts of a house that stands still: tests/cli and tests/contracts/test_moving.py",
    "TakeLogins": "the same",
    **dict.fromkeys(
        ("Reconcile", "ReconcileDays"),
        "a long walk whose steps are raced: what it follows as ProcessWebhook, what it fetches as FetchWebhooks; two"
        " that walk the same stretch meet in tests/application/test_reconciling.py",
    ),
    "CloseDiscrepancy": "one row nobody else writes, guarded by its version like every update that is raced",
    "ResendMail": "an admin's nudge to a mail that failed, guarded by its version like every update that is raced",
}
"""Use cases that open a unit of work and do not race here, each with its reason."""


def writers() -> dict[str, type]:
    """Every use case that opens a unit of work, or writes the trail or seals the ledger."""
    found: dict[str, type] = {"SealAudit": SealAudit, "SealLedger": SealLedger}
    for module in pkgutil.walk_packages(application.__path__, "application."):
        loaded = importlib.import_module(module.name)
        for name, each in vars(loaded).items():
            own = inspect.isclass(each) and each.__module__ == module.name and is_dataclass(each)
            called = own and any("__call__" in vars(base) for base in each.__mro__)
            if called and "begin" in {field.name for field in fields(each)}:
                found[name] = each
    return found


def pairs() -> list[tuple[Part, Part]]:
    """Every two commands of one scene, each with itself too."""
    scenes = dict.fromkeys(part.scene for part in PARTS)
    return [
        pair
        for scene in scenes
        for pair in combinations_with_replacement([part for part in PARTS if part.scene == scene], 2)
    ]
