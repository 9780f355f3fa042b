"""What the business says when the database refuses: constraint names and tally series mapped to typed refusals."""

from collections.abc import Callable

from application.commands import AlreadyCommitted
from domain.bookings import SlotTaken, SoldOut
from domain.files import QuotaExceeded
from domain.identity import EmailTaken, IdentityTaken
from domain.invoicing import AlreadyInvoiced
from domain.messaging import AlreadyTalking
from domain.notifications import MailAlreadyQueued
from domain.organizations import AlreadyInvited, AlreadyMember
from domain.payments import AlreadyReconciling, DuplicateWebhook
from domain.reviews import AlreadyReviewed
from domain.shared.errors import Conflict, Invalid, Refusal, StaleVersion


def _again() -> Refusal:
    return StaleVersion("somebody was faster; try again")


REFUSALS: dict[str, Callable[[], Refusal]] = {
    "receipts_pkey": lambda: AlreadyCommitted("this was done already"),
    "receipts_key": lambda: AlreadyCommitted("this was done already"),
    "bookings_no_overlap": SlotTaken,
    "users_email": EmailTaken,
    "external_identities_subject": IdentityTaken,
    "webhooks_told_once": lambda: DuplicateWebhook("this was received before"),
    "reconciliations_one_under_way": lambda: AlreadyReconciling("somebody else has just begun with this"),
    "discrepancies_filed_once": _again,
    "memberships_pair": AlreadyMember,
    "invitations_one_pending": AlreadyInvited,
    "mails_once": lambda: MailAlreadyQueued("this person has been written to about this"),
    "reviews_once": AlreadyReviewed,
    "conversations_one_per_booking": AlreadyTalking,
    "conversations_one_per_pair": AlreadyTalking,
    "invoices_one_per_booking": AlreadyInvoiced,
    "bookings_reference": _again,
    "letterheads_pkey": _again,
    "invoices_one_per_quote": _again,
    "papers_one_per_invoice": _again,
    "settlements_once": _again,
    "payments_one_live_per_invoice": _again,
    "organizations_pkey": _again,
    "external_organizations_subject": _again,
    "onboardings_pkey": _again,
    "products_gateway_ref": _again,
    "prices_gateway_ref": _again,
    "customers_one_per_user": _again,
    "customers_gateway_ref": _again,
    "subscriptions_gateway_ref": _again,
    "purchases_gateway_ref": _again,
    "payees_one_per_organization": _again,
    "payouts_gateway_ref": _again,
    "ledger_one_effect": _again,
    "disputes_gateway_ref": _again,
    "fraud_warnings_gateway_ref": _again,
    "payment_methods_gateway_ref": _again,
    # Seats are given back before versions are compared: who gives back too many read what another has ended since.
    "tallies_floor": _again,
}
"""The refusal of each constraint that two honest requests can run into. Where another run finds its way (a reference
drawn twice, a provider's own organization founded twice at once), the command is run again."""

SERIES: dict[str, Callable[[], Refusal]] = {"seats": SoldOut, "files": QuotaExceeded}
"""The refusal when a tally would pass its ceiling, by the first word of its name."""


class Duplicate(Conflict):
    """It exists already."""

    code = "duplicate"


class Violation(Invalid):
    """The stored state would break a rule of the business; a rule that should have been judged before."""

    code = "violation"


def stale(table: str) -> Refusal:
    """Somebody else changed a row of that table since it was read."""
    return StaleVersion("this was changed meanwhile; try again", table=table)


def duplicate(constraint: str) -> Refusal:
    """The refusal for a uniqueness or exclusion constraint."""
    known = REFUSALS.get(constraint)
    return known() if known else Duplicate("this exists already", constraint=constraint)


def violation(constraint: str) -> Refusal:
    """The refusal for a check or reference constraint."""
    known = REFUSALS.get(constraint)
    return known() if known else Violation("this would break a rule of the business", constraint=constraint)


def unstorable() -> Refusal:
    """The refusal for a value that no store can hold: a NUL in a text, a number of more than 64 bits, a moment without
    an offset."""
    return Invalid("a value cannot be stored as it is")


def exhausted(series: str) -> Refusal:
    """The refusal for a tally that is at its ceiling."""
    known = SERIES.get(series.split(":", 1)[0])
    return known() if known else Conflict("there is no more of this", series=series)


def stopped(what: str) -> Refusal:
    """A step of the commit ("raise:seats:...", "update:bookings") did not find what it expected: a tally at its
    ceiling, or a row somebody changed."""
    kind, _, about = what.partition(":")
    return exhausted(about) if kind == "raise" else stale(about or "tallies")
