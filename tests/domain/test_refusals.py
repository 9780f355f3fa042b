"""Every refusal says a sentence for people and carries its numbers for programs."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import domain
from domain import (
    audit,
    billing,
    bookings,
    files,
    identity,
    invoicing,
    jobs,
    messaging,
    moving,
    notifications,
    organizations,
    payments,
    profiles,
    reviews,
)
from domain.bookings import BookingState
from domain.organizations import MemberRole
from domain.scheduling import availability, hours
from domain.shared import errors, money
from domain.shared.actors import Role
from domain.shared.errors import NotFound, Refusal
from domain.shared.money import Money
from domain.shared.terms import Side

WHEN = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ISO = "2026-03-02T09:30:00+00:00"
TEN, TWELVE = Money(1000, "EUR"), Money(1200, "EUR")

for _module in pkgutil.walk_packages(domain.__path__, "domain."):
    importlib.import_module(_module.name)

Told = tuple[Refusal, dict[str, Any]]


def told() -> tuple[Told, ...]:
    """Each that is told something, and what it tells."""
    return (
        (errors.Outdated(3, 5), {"expected": 3, "present": 5}),
        (money.CurrencyMismatch("EUR", "USD"), {"one": "EUR", "other": "USD"}),
        (audit.AlreadySealed(), {}),
        (moving.BeingMoved(), {"retry_after": 5}),
        (moving.SamePlace(), {}),
        (moving.SchemaDiffers("0007", "0008"), {"origin": "0007", "destination": "0008"}),
        (moving.SchemaDiffers(None, "0008"), {"origin": None, "destination": "0008"}),
        (moving.NotEmpty({"users": 3}), {"tables": {"users": 3}}),
        (moving.TakenOver(), {}),
        (moving.Unfit("users_email"), {"constraint": "users_email"}),
        (moving.NotIdentical(["users", "jobs"]), {"tables": ["users", "jobs"]}),
        (moving.HasWrites(3), {"writes": 3}),
        (billing.NoCustomerYet(), {}),
        (payments.NotSharedHere(), {}),
        (payments.PayeeRejected(), {}),
        (billing.PurchaseOver(billing.PurchaseState.EXPIRED), {"state": "expired"}),
        (bookings.SlotTaken(day="monday"), {"day": "monday"}),
        (bookings.SoldOut(left=1), {"left": 1}),
        (bookings.NotOffered(WHEN), {"starts_at": ISO}),
        (bookings.JobNotBookable(), {}),
        (bookings.BookingStateRefused("paid", BookingState.NO_SHOW), {"state": "no_show"}),
        (bookings.HoldLapsed(WHEN), {"expired_at": ISO}),
        (bookings.StillHeld(WHEN), {"expires_at": ISO}),
        (bookings.AlreadyStarted(WHEN), {"starts_at": ISO}),
        (bookings.NotStarted(WHEN), {"starts_at": ISO}),
        (bookings.Unmoved(WHEN), {"starts_at": ISO}),
        (
            bookings.WrongAmount(TEN, Money(5, "JPY")),
            {"price_minor": 1000, "price_currency": "EUR", "paid_minor": 5, "paid_currency": "JPY"},
        ),
        (bookings.OwnJob(), {}),
        (bookings.WrongSide(Side.PROVIDER), {"only": "provider"}),
        (bookings.TooManySeats(4, 3), {"field": "seats", "seats": 4, "capacity": 3}),
        (files.NotForYou("avatars"), {"bucket": "avatars"}),
        (files.BadFileName("a file's name is a name"), {"field": "name"}),
        (
            files.TypeNotAllowed("text/html", {"image/png", "image/gif"}),
            {"field": "content_type", "allowed": ["image/gif", "image/png"]},
        ),
        (files.FileTooLarge(9, 8), {"field": "size", "size": 9, "most": 8}),
        (
            files.NotWhatWasAnnounced("content type", "image/png", "text/plain"),
            {"field": "content_type", "announced": "image/png", "found": "text/plain"},
        ),
        (files.BadFile("it is cut off"), {"field": "content", "why": "it is cut off"}),
        (files.QuotaExceeded(), {}),
        (files.UploadOver(), {}),
        (files.FileNotStored(), {}),
        (files.FileInUse(), {}),
        (identity.InvalidCredentials(), {}),
        (identity.BadToken(), {}),
        (identity.TokenExpired(), {}),
        (identity.SessionOver(), {}),
        (identity.BadRefreshToken(), {}),
        (identity.RefreshTokenReused(), {}),
        (identity.WrongPassword(), {}),
        (identity.AccountSuspended(), {}),
        (identity.RoleNotOpen(Role.ADMIN), {"role": "admin"}),
        (identity.OwnAccount(), {}),
        (identity.EmailTaken(), {}),
        (identity.NoAddress(), {}),
        (identity.HalfConfirmed(), {}),
        (identity.IdentityTaken(), {}),
        (identity.IdentityUnproven(), {}),
        (identity.AccessEnded(), {}),
        (identity.NoSuchProvider(identity.Provider.GITHUB), {"provider": "github"}),
        (identity.ProviderDeclined(identity.Provider.GOOGLE), {"provider": "google"}),
        (identity.ProviderUnavailable("google"), {"provider": "google"}),
        (identity.BadReturn(), {"field": "return_to"}),
        (identity.BadFlow(), {}),
        (identity.AddressUnproven(), {}),
        (identity.SignInFirst(), {}),
        (identity.NotOffered(), {}),
        (identity.LastWayIn(), {}),
        (identity.AlreadySuspended(), {}),
        (identity.NotSuspended(), {}),
        (identity.BadLink(), {"field": "token"}),
        (identity.BadEmail(), {"field": "email"}),
        (
            identity.WeakPassword("it is too short", reason="length", shortest=10),
            {"field": "password", "reason": "length", "shortest": 10},
        ),
        (invoicing.NotYourBooks(), {}),
        (invoicing.NothingToBill(), {"field": "lines"}),
        (invoicing.NobodyToWriteTo(), {}),
        (invoicing.QuoteStateRefused("sent", "expired"), {"state": "expired"}),
        (invoicing.InvoiceStateRefused("issued", "partly_paid"), {"state": "partly_paid"}),
        (invoicing.MoreThanIsOwed(TWELVE, TEN), {"given": 1200, "left": 1000, "currency": "EUR"}),
        (invoicing.NotReceivedByHand(TWELVE, TEN), {"taken": 1200, "by_hand": 1000, "currency": "EUR"}),
        (
            invoicing.MoreThanIsLeft(1900, TWELVE, TEN),
            {"tax_basis_points": 1900, "asked": 1200, "left": 1000, "currency": "EUR"},
        ),
        (invoicing.PaymentUnderWay(TEN), {"amount": 1000, "currency": "EUR"}),
        (invoicing.BookingNotBillable("cancelled"), {"state": "cancelled"}),
        (invoicing.AlreadyInvoiced(), {}),
        (jobs.JobStateRefused("published", jobs.JobState.ARCHIVED), {"state": "archived"}),
        (messaging.NotTheSender(), {}),
        (messaging.AlreadyTalking(), {}),
        (messaging.EditWindowClosed(WHEN), {"until": ISO}),
        (messaging.WithYourself(), {"field": "recipient_id"}),
        (notifications.MailNotFailed(notifications.MailState.SENT), {"state": "sent"}),
        (organizations.MayNotManage(MemberRole.OWNER), {"needed": "owner"}),
        (organizations.NotAMemberYet(), {}),
        (organizations.LastOwner(), {}),
        (organizations.AlreadyMember(), {}),
        (organizations.AlreadyEquipped("tutor"), {"profession": "tutor"}),
        (organizations.AlreadyInvited(), {}),
        (organizations.OnboardingUnfinished(["place", "hours"]), {"missing": ["place", "hours"]}),
        (organizations.OnboardingOver(), {}),
        (organizations.TooManyInvitations(50), {"most": 50}),
        (organizations.BadInvitation(), {"field": "token"}),
        (organizations.InvitedSomebodyElse(), {}),
        (organizations.NoAccountYet(), {}),
        (payments.RefundTooLarge(TWELVE, TEN), {"asked": 1200, "left": 1000, "currency": "EUR"}),
        (payments.GatewayDisagrees("amount", TEN, TWELVE), {"ours": "10.00 EUR", "theirs": "12.00 EUR"}),
        (payments.NotPayable("captured"), {"state": "captured"}),
        (payments.NotAuthorised("open"), {"state": "open"}),
        (payments.CaptureTooLarge(TWELVE, TEN), {"asked": 1200, "most": 1000, "currency": "EUR"}),
        (payments.CaptureUnderWay(TEN), {"taking": 1000, "currency": "EUR"}),
        (payments.PaymentDisputed(), {}),
        (payments.DisputeOver("won"), {"state": "won"}),
        (payments.EvidenceTooLate(WHEN), {"due_at": ISO}),
        (profiles.BadLocale(), {"field": "locale"}),
        (profiles.BadPhone(), {"field": "phone"}),
        (profiles.BadAvatar(), {"field": "avatar_url"}),
        (reviews.NotTheReviewed(), {}),
        (reviews.NotCompleted(), {}),
        (reviews.AlreadyReviewed(), {}),
        (reviews.AlreadyAnswered(WHEN), {"responded_at": ISO}),
        (reviews.ReviewTakenDown(), {}),
        (reviews.NotHidden(), {}),
        (availability.TooManyExceptions("days", 400), {"most": 400}),
        (
            availability.DayIsOver(date(2026, 3, 1), date(2026, 3, 2), "day"),
            {"field": "day", "day": "2026-03-01", "today": "2026-03-02"},
        ),
        (hours.BadWindow("9" * 30, "monday"), {"field": "monday", "window": "9" * 20}),
        (hours.TooManyWindows(25, "monday"), {"field": "monday", "count": 25, "most": hours.MOST_WINDOWS}),
        (NotFound.of("job", 7), {"what": "job", "id": "7"}),
    )


def test_a_refusal_says_a_sentence_and_carries_its_numbers() -> None:
    for refusal, details in told():
        assert (type(refusal), refusal.details) == (type(refusal), details)
        assert refusal.message == str(refusal)
        assert len(refusal.message.split()) >= 3, refusal
        assert "None" not in refusal.message, refusal


def test_no_refusal_with_words_of_its_own_is_left_out() -> None:
    worded = {kind for kind in kinds(Refusal) if "__init__" in vars(kind)}
    assert worded == {type(refusal) for refusal, _ in told()} - {NotFound}


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in kinds(Refusal)]
    assert len(set(codes)) == len(codes)


def test_states_are_told_in_plain_words() -> None:
    assert bookings.BookingStateRefused("paid", BookingState.NO_SHOW).message == (
        "a booking that is no show cannot be paid"
    )
    assert bookings.HoldLapsed(WHEN).message == "this was held until 02 Mar 09:30 UTC"
    assert hours.BadWindow("9" * 30, "monday").message.startswith("'" + "9" * 20 + "' is not")


def kinds(of: type[Refusal]) -> Iterator[type[Refusal]]:
    """Every kind of refusal the domain has."""
    for kind in of.__subclasses__():
        if kind.__module__.startswith("domain."):
            yield from {kind, *kinds(kind)}
