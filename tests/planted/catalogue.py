"""Every planted mistake by name: how it is planted, which harness must find it, and within what."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from application.audit import SealAudit
from application.billing import ProcessBilling
from application.bookings import (
    AcceptBooking,
    BookSlot,
    CancelBooking,
    ExpireHold,
    RescheduleBooking,
    SettleBooking,
    SweepHolds,
)
from application.identity import ConsumeMagicLink, RefreshSession, ResetPassword
from application.invoicing import SettleInvoice
from application.messaging import MarkRead, SendMessage
from application.payments import (
    AskRefund,
    FollowShare,
    ProcessPayees,
    ProcessWebhook,
    ReceiveWebhook,
    ReconcileDays,
    RefreshPayment,
    ResolveUnknown,
)
from application.reviews import MoveRating, PostReview
from entrypoints.simulation.campaign import Options
from tests.planted import bookings, events, identity, messaging, money, payments, plans, records, simulated

Replace = Mapping[Any, Callable[..., Any]]
SEEDS = 200
SILENT = Options(faults="gateway_reply_lost,gateway_timeout,gateway_error")
"""Days on which the gateway often does not answer."""
LATE = Options(faults="webhook_late,webhook_reordered,webhook_twice,webhook_renamed")
"""Days on which its messages come late, out of turn, and again."""

LOST = Options(faults="webhook_lost")
"""Days on which some of its messages never come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A mistake the simulation must find. `replace` goes to the stage, `block` holds while it is played (for policies
    and plain functions of the domain); `told` are the beginnings of the rules and checks that may tell."""

    replace: Callable[[], Replace] = dict
    block: Callable[[], AbstractContextManager[Any]] = nullcontext
    told: tuple[str, ...]
    seeds: int = SEEDS
    options: Options = field(default_factory=Options)


def _one(key: Any, made: Callable[..., Any]) -> Callable[[], Replace]:
    return lambda: {key: made}


SIMULATED: dict[str, Simulated] = {
    # whose time it is
    "overlaps are not excluded": Simulated(replace=simulated.without_exclusion, told=("rule B1",)),
    "buffers are not blocked": Simulated(block=bookings.without_buffers, told=("rule B",)),
    "seats are counted without a ceiling": Simulated(
        replace=_one("memory", bookings.SeatsWithoutCeiling), told=("rule B2",)
    ),
    "reads are not guarded": Simulated(replace=_one("memory", bookings.ReadsWithoutGuards), told=("rule B",)),
    "a request is accepted past the gate": Simulated(
        replace=lambda: {**simulated.without_exclusion(), AcceptBooking: bookings.AcceptsUnseen},
        told=("rule B1", "rule B2", "rule B6"),
    ),
    "late money takes the slot past the gate": Simulated(
        replace=lambda: {**simulated.without_exclusion(), SettleBooking: bookings.TakesBackUnseen}, told=("rule B",)
    ),
    "a cancelled booking keeps its seats": Simulated(
        replace=_one(CancelBooking, bookings.KeepsSeats), told=("rule B2",)
    ),
    "a moved booking keeps its old slot": Simulated(
        replace=_one(RescheduleBooking, bookings.KeepsOldSlot), told=("rule B2",)
    ),
    "hours are added on the wall clock": Simulated(block=bookings.wall_clock_arithmetic, told=("rule B6",)),
    # holds
    "holds never expire": Simulated(
        replace=lambda: {ExpireHold: bookings.NeverExpires, SweepHolds: bookings.NeverSweeps}, told=("liveness B4",)
    ),
    "an expired hold still blocks": Simulated(
        replace=_one(BookSlot, bookings.LapsedHoldsBlock),
        told=("B4",),
        options=Options(days=1.0, faults="worker_dead_for_hours,sweeper_dead"),
    ),
    "the sweeper is off by an hour": Simulated(
        replace=_one(SweepHolds, bookings.SweepsAnHourEarly), told=("rule B4", "B4")
    ),
    "the timer does not look": Simulated(
        replace=_one(ExpireHold, bookings.ExpiresWithoutLooking), told=("rule B5", "rule B", "rule M6")
    ),
    # what was agreed on
    "a refund by today's price and policy": Simulated(
        replace=_one(CancelBooking, bookings.RefundsByTodaysPolicy), told=("rule B7", "B7")
    ),
    "a move at today's price": Simulated(
        replace=_one(RescheduleBooking, bookings.MovesAtTodaysPrice), told=("rule B9", "rule B3", "B9")
    ),
    # money
    "the full charge goes back": Simulated(replace=simulated.refund_the_full_charge, told=("rule M", "rule B7", "B7")),
    "a refund is posted cumulatively": Simulated(
        replace=_one(ProcessWebhook, payments.PostingTotals), told=("rule M", "M5")
    ),
    "the fee is kept on a full refund": Simulated(
        replace=_one(AskRefund, payments.KeepsTheFee), told=("rule M6", "M5 shares")
    ),
    "a transfer is reversed twice": Simulated(
        replace=_one(FollowShare, payments.ReversesTwice), told=("rule M3", "rule M6", "M5 shares")
    ),
    "a payout is booked twice": Simulated(replace=_one(ProcessPayees, payments.PaysOutTwice), told=("rule M4",)),
    "every try at the gateway has a key of its own": Simulated(
        replace=simulated.random_keys, told=("M4", "M5", "rule M", "B7", "rule B7"), options=SILENT
    ),
    "a refund's key is its payment's": Simulated(
        replace=_one("gateway", money.OneKeyPerPayment), told=("M5", "rule M", "liveness", "log")
    ),
    "late money is forgotten": Simulated(replace=_one(SettleBooking, bookings.ForgetsLateMoney), told=("rule M6",)),
    "the return page settles without the books": Simulated(
        replace=_one(RefreshPayment, money.BelievesTheReturnPage), told=("rule M",)
    ),
    "silence is taken for no": Simulated(
        replace=_one(AskRefund, money.TakesSilenceForNo), told=("M4", "M5", "rule M"), options=SILENT
    ),
    "silence is taken for yes": Simulated(
        replace=_one(AskRefund, money.TakesSilenceForYes), told=("M5", "rule M", "log"), options=SILENT
    ),
    "what is unknown is not asked about": Simulated(
        replace=_one(ResolveUnknown, money.NeverAsksAgain), told=("rule M8", "liveness M8")
    ),
    # messages of the gateway
    "processed is marked first": Simulated(
        replace=_one(ProcessWebhook, payments.MarkedFirst), told=("M5", "rule", "liveness")
    ),
    "a subscription is not followed": Simulated(replace=_one(ProcessBilling, plans.FollowsNothing), told=("P2",)),
    "a payment counts twice on its invoice": Simulated(
        replace=_one(SettleInvoice, plans.CountsTwice), told=("rule I3", "I3", "rule M6", "log")
    ),
    "lost messages stay lost": Simulated(
        replace=_one(ReconcileDays, plans.NeverReconciles), told=("M", "P", "liveness"), options=LOST
    ),
    "processed is never marked": Simulated(replace=_one(ProcessWebhook, money.NeverMarks), told=("rule E",)),
    "messages are told apart by their kind": Simulated(
        replace=_one(ReceiveWebhook, money.OneMessageOfAKind), told=("M5", "rule", "liveness")
    ),
    "the last word of the gateway wins": Simulated(
        replace=_one(ProcessWebhook, payments.LastWordWins), told=("rule M", "M4", "M5", "log"), options=LATE
    ),
    # commits, events, commands
    "no transaction": Simulated(replace=_one("store", events.OneByOne), told=("rule",)),
    "nobody asks for versions": Simulated(
        replace=_one("memory", events.LastOneWins), told=("rule", "wire.undocumented")
    ),
    "an outbox read like a log": Simulated(replace=_one("memory", events.CursorOutbox), told=("liveness",)),
    "events in any order": Simulated(replace=_one("memory", events.ClaimsInAnyOrder), told=("rule E5",)),
    "what failed steps aside": Simulated(replace=_one("memory", events.PoisonStepsAside), told=("rule E5",)),
    "an event is settled before its reaction": Simulated(
        replace=_one("outbox", events.on_the_rows_of(events.SettlesFirst)), told=("rule", "liveness")
    ),
    "what fails is not tried again": Simulated(
        replace=_one("outbox", events.on_the_rows_of(events.TriesOnce)), told=("rule", "liveness")
    ),
    "reactions leave no receipt": Simulated(
        replace=_one("perform", events.instead_of(events.WithoutReceipts)), told=("rule", "log")
    ),
    "the receipt has a commit of its own": Simulated(
        replace=_one("begin", events.instead_of(events.ReceiptsApart)), told=("history", "E1", "rule")
    ),
    "the event has a commit of its own": Simulated(
        replace=_one("begin", events.instead_of(events.EventsApart)), told=("rule E", "rule M", "liveness")
    ),
    "an unknown commit is repeated unasked": Simulated(
        replace=_one("perform", events.instead_of(events.AsksNobody)), told=("history", "E1")
    ),
    "a key takes any request": Simulated(
        replace=_one("perform", events.instead_of(events.AnyRequestUnderAKey)), told=("E1", "history")
    ),
    # who is who
    "old refresh tokens are good for a month": Simulated(
        replace=_one("identity_rules", identity.a_months_grace), told=("A3",)
    ),
    "a stolen token does not end the family": Simulated(
        replace=_one(RefreshSession, identity.LeavesTheFamily), told=("A3",)
    ),
    "an exchange asked for twice forks": Simulated(
        replace=_one(RefreshSession, identity.Forks), told=("rule A1", "wire.undocumented")
    ),
    "a link works for ever": Simulated(replace=_one(ConsumeMagicLink, identity.LinksForEver), told=("A4", "rule A4")),
    "a new password leaves old sessions": Simulated(
        replace=_one(ResetPassword, identity.SessionsStay), told=("rule A5", "A5")
    ),
    "accounts are cached": Simulated(replace=_one("accounts", identity.CachedAccounts), told=("A5", "A7")),
    "signatures are not looked at": Simulated(
        replace=_one("access_tokens", identity.BelievesClaims), told=("forged token",)
    ),
    "tokens are stored as they are": Simulated(
        replace=_one("refresh_secrets", identity.TokensAsTheyAre), told=("rule A6",)
    ),
    "everybody's bookings are shown": Simulated(replace=_one("views", identity.ShowsEverything), told=("T1",)),
    # words and records
    "messages are counted beforehand": Simulated(
        replace=_one(SendMessage, messaging.CountsBeforehand), told=("rule C2", "wire", "log", "history")
    ),
    "read marks go back": Simulated(replace=_one(MarkRead, messaging.MarksGoBack), told=("rule C4",)),
    "strangers write": Simulated(
        replace=_one(SendMessage, messaging.AnybodyWrites), told=("rule C1", "C1", "wire.undocumented")
    ),
    "a side reviews twice": Simulated(replace=_one("memory", records.several_reviews), told=("rule R1",)),
    "a stranger reviews": Simulated(replace=_one(PostReview, records.StrangersReview), told=("rule R2", "R2")),
    "hidden reviews count": Simulated(replace=_one(MoveRating, records.HiddenOnesCount), told=("rule R3",)),
    "a table is not audited": Simulated(replace=_one("store", records.Untold), told=("rule A8",)),
    "the chain begins anew": Simulated(replace=_one(SealAudit, records.ChainsAnew), told=("A8",)),
}
"""Each by what is wrong with it."""
