"""A payment's figures: within one another (M3), in one currency (M7), of one payment (M9); and where its money went
(M6), or may have gone (M8)."""

from collections.abc import Hashable, Iterable
from datetime import timedelta

from adapters.persistence.rules.payments.books import posted_sums
from adapters.persistence.rules.rule import Change, Found, Group, Liveness, Rule, Step, each, on_its_way, posted
from adapters.persistence.schema.tables import Row

_UNDER_WAY = ("requested", "unknown", "pending")
_LIVE = ("requested", "unknown", "open", "requires_action", "processing", "authorised", "captured")
_COMPARE = "compare with the payment at the gateway and with `guildhall payment ledger`; find who moved the figures"


def _outgrown(row: Row) -> str | None:
    refunding, refunded, captured = row["refunding_minor"], row["refunded_minor"], row["captured_minor"]
    sound = min(refunding, refunded) >= 0 and refunded + refunding <= captured <= row["amount_minor"]
    return None if sound else f"{refunded} + {refunding} back of {captured} captured of {row['amount_minor']} asked"


def _unlike_refunds(group: Group) -> Found:
    gone = sum(row["amount_minor"] for row in group["refunds"] if row["state"] == "succeeded")
    going = sum(row["amount_minor"] for row in group["refunds"] if row["state"] in _UNDER_WAY)
    for row in group["payments"]:
        if (row["refunded_minor"], row["refunding_minor"]) != (gone, going):
            says = f"{row['refunded_minor']} + {row['refunding_minor']}"
            yield row["id"], f"it says that {says} went back, its refunds say {gone} + {going}"


def _unlike_ledger(group: Group) -> Found:
    captured, refunded = posted_sums(group["ledger"])
    for row in group["payments"]:
        if (row["captured_minor"], row["refunded_minor"]) != (captured, refunded):
            says = f"{row['captured_minor']} in and {row['refunded_minor']} back"
            yield row["id"], f"it says {says}, the ledger {captured} and {refunded}"


def _homeless(group: Group) -> Found:
    bookings = {row["id"]: row for row in group["bookings"]}
    for payment in group["payments"]:
        if payment["state"] == "captured" and (said := _lost(payment, bookings.get(payment["booking_id"]), group)):
            yield payment["id"], said


def _lost(payment: Row, booking: Row | None, group: Group) -> str | None:
    fulfils = booking is not None and booking["paid"] and booking["payment_id"] == payment["id"]
    returns = booking is not None and booking["unplaced_payment_id"] == payment["id"]
    if fulfils and returns:
        return "it pays for its booking and goes back as well"
    if (
        group["outbox"]
        or payment["open_disputes"]
        or any(r["state"] == "failed" and r["payment_id"] == payment["id"] for r in group["refunds"])
    ):
        return None  # somebody is at it
    if booking is None or not (fulfils or returns):
        return "it was captured, and neither pays for a booking nor goes back"
    owed = payment["captured_minor"] if returns else min(booking["refund_minor"] or 0, payment["captured_minor"])
    # What a bank took back is the customer's again, and what it decides about now waits for that.
    back = payment["refunded_minor"] + payment["refunding_minor"] + payment["disputed_minor"]
    return None if back >= owed else f"{owed} is to go back, {back} does"


def _by_the_house(row: Row) -> Iterable[Hashable]:
    """The trail of a refund that nobody asked for by hand, by its payment."""
    ours = row["subject_table"] == "refunds" and row["action"] == "refund.requested" and row["actor"] == "system"
    return (row["details"].get("payment_id"),) if ours and "payment_id" in row["details"] else ()


def _paying(row: Row) -> Iterable[Hashable]:
    return (str(row["payment_id"]),) if row["paid"] and row["payment_id"] != row["unplaced_payment_id"] else ()


def _generous(group: Group) -> Found:
    asked = {row["subject_id"] for row in group["audit"]}
    given = sum(row["amount_minor"] for row in group["refunds"] if row["id"] in asked and row["state"] != "failed")
    for row in group["bookings"]:
        if given > (row["refund_minor"] or 0):
            yield row["id"], f"{given} was given back for it, {row['refund_minor'] or 0} was decided"


def _mixed(group: Group) -> Found:
    for row in group["payments"]:
        told = {row[f"{figure}_currency"] for figure in ("captured", "refunding", "refunded")}
        told |= {other["amount_currency"] for other in (*group["refunds"], *group["ledger"])}
        if told != {row["amount_currency"]}:
            yield row["id"], f"it is in {row['amount_currency']}, and something of it is not"


def _rivals(group: Group) -> Found:
    live = [row for row in group["payments"] if row["state"] in _LIVE]
    return ((row["id"], "its booking has another payment that can be paid") for row in live) if len(live) > 1 else ()


RULES = (
    Rule(
        code="M3",
        name="no_more_goes_back_than_came",
        says="What went and goes back is at most what was captured, and that at most what was asked for.",
        means="more money left than came in",
        mend=_COMPARE,
        by={"payments": "id"},
        broken=each("payments", _outgrown),
        sql="""
            select id::text as subject, refunded_minor || ' + ' || refunding_minor || ' back of ' || captured_minor
              || ' captured of ' || amount_minor || ' asked' as said
            from payments where refunded_minor < 0 or refunding_minor < 0
              or refunded_minor + refunding_minor > captured_minor or captured_minor > amount_minor
        """,
    ),
    Rule(
        code="M3",
        name="figures_are_those_of_the_refunds",
        says="What a payment says went and goes back is what its refunds add up to.",
        means="the next refund is judged by wrong figures",
        mend=_COMPARE,
        by={"payments": "id", "refunds": "payment_id"},
        broken=_unlike_refunds,
        sql="""
            select p.id::text as subject, 'it says that ' || p.refunded_minor || ' + ' || p.refunding_minor
              || ' went back, its refunds say ' || coalesce(r.gone, 0) || ' + ' || coalesce(r.going, 0) as said
            from payments p left join (
              select payment_id, sum(amount_minor) filter (where state = 'succeeded') as gone,
                sum(amount_minor) filter (where state in ('requested', 'unknown', 'pending')) as going
              from refunds group by payment_id) as r on r.payment_id = p.id
            where (p.refunded_minor, p.refunding_minor) <> (coalesce(r.gone, 0), coalesce(r.going, 0))
        """,
    ),
    Rule(
        code="M3",
        name="figures_are_those_of_the_ledger",
        says="What a payment says came in and went back is what the ledger says of it.",
        means="the books and the payments tell two stories",
        mend=_COMPARE,
        by={"payments": "id", "ledger": "payment_id"},
        broken=_unlike_ledger,
        sql="""
            select p.id::text as subject, 'it says ' || p.captured_minor || ' in and ' || p.refunded_minor
              || ' back, the ledger ' || coalesce(l.captured, 0) || ' and ' || coalesce(l.refunded, 0) as said
            from payments p left join (
              select payment_id, sum(amount_minor) filter (where source_kind = 'capture') as captured,
                -sum(amount_minor) filter (where source_kind in ('refund', 'refund_returned')) as refunded
              from ledger where account like 'gateway:%' group by payment_id) as l on l.payment_id = p.id
            where (p.captured_minor, p.refunded_minor) <> (coalesce(l.captured, 0), coalesce(l.refunded, 0))
        """,
    ),
    Rule(
        code="M6",
        name="captured_money_has_a_place",
        says="Captured money of a booking pays for it, or goes back as decided, or somebody is at it.",
        means="we keep a customer's money for nothing, or work for money that went back",
        mend="see the booking's and payment's history; refund by hand with `guildhall payment refund`",
        by={
            "payments": "booking_id",
            "bookings": "id",
            "refunds": "booking_id",
            "outbox": posted(
                "booking_id",
                "payment.captured",
                "booking.unplaceable",
                "booking.cancelled",
                "booking.no_show",
                "dispute.closed",
            ),
        },
        broken=_homeless,
        sql="""
            with busy as (
              select distinct payload ->> 'booking_id' as booking_id from outbox
              where finished_at is null
                and name in ('payment.captured', 'booking.unplaceable', 'booking.cancelled', 'booking.no_show',
                  'dispute.closed')
            ), failed as (
              select distinct payment_id, booking_id from refunds where state = 'failed'
            ), captured as (
              select p.*, coalesce(b.paid and b.payment_id = p.id, false) as fulfils,
                coalesce(b.unplaced_payment_id = p.id, false) as returns, b.refund_minor,
                busy.booking_id is not null or failed.payment_id is not null or p.open_disputes > 0 as attended
              from payments p
              left join bookings b on b.id = p.booking_id
              left join busy on busy.booking_id = p.booking_id::text
              left join failed on failed.payment_id = p.id and failed.booking_id = p.booking_id
              where p.state = 'captured' and p.booking_id is not null)
            select id::text as subject, case
                when fulfils and returns then 'it pays for its booking and goes back as well'
                when fulfils or returns then 'less goes back than is to go back'
                else 'it was captured, and neither pays for a booking nor goes back' end as said
            from captured
            where fulfils and returns or not attended and (
              not fulfils and not returns
              or refunded_minor + refunding_minor + disputed_minor < case when returns then captured_minor
                   else least(coalesce(refund_minor, 0), captured_minor) end)
        """,
    ),
    Rule(
        code="B7",
        name="no_more_goes_back_than_was_decided",
        says="For a booking that was called off, the house gives back no more than its policy decided.",
        means="customers get more than they agreed to, at the provider's cost",
        mend="find out in the booking's and the refund's history who decided on the amount; it went to the customer",
        by={"refunds": lambda row: (str(row["payment_id"]),), "bookings": _paying, "audit": _by_the_house},
        broken=_generous,
        sql="""
            with given as (
              select r.payment_id, sum(r.amount_minor) as amount from refunds r
              where r.state <> 'failed' and exists (
                select from audit a where a.subject_id = r.id and a.subject_table = 'refunds'
                  and a.action = 'refund.requested' and a.actor = 'system'
                  and a.details ->> 'payment_id' = r.payment_id::text)
              group by r.payment_id)
            select b.id::text as subject,
              g.amount || ' was given back for it, ' || coalesce(b.refund_minor, 0) || ' was decided' as said
            from bookings b join given g on g.payment_id = b.payment_id
            where b.paid and b.payment_id is distinct from b.unplaced_payment_id
              and g.amount > coalesce(b.refund_minor, 0)
        """,
    ),
    Rule(
        code="M7",
        name="one_currency_all_the_way",
        says="What goes back and what is booked of a payment is in the currency it was charged in.",
        means="amounts of two currencies are added up",
        mend=_COMPARE,
        by={"payments": "id", "refunds": "payment_id", "ledger": "payment_id"},
        broken=_mixed,
        sql="""
            select distinct p.id::text as subject,
              'it is in ' || p.amount_currency || ', and something of it is not' as said
            from payments p
            join (select id, captured_currency as currency from payments
                  union all select id, refunding_currency from payments
                  union all select id, refunded_currency from payments
                  union all select payment_id, amount_currency from refunds
                  union all select payment_id, amount_currency from ledger) as told on told.id = p.id
            where told.currency <> p.amount_currency
        """,
    ),
    on_its_way(
        "payments",
        "unknown",
        "payment.doubted",
        "payment_id",
        code="M8",
        says="A payment whose outcome is unknown is going to be asked about again.",
        means="nobody will ever know whether the customer paid",
    ),
    on_its_way(
        "refunds",
        "unknown",
        "refund.doubted",
        "refund_id",
        code="M8",
        says="A refund whose outcome is unknown is going to be asked about again.",
        means="nobody will ever know whether the money went back",
    ),
    Rule(
        code="M9",
        name="one_live_payment_per_booking",
        says="A booking has at most one payment that is, or can still be, paid.",
        means="a customer can pay twice for one booking",
        mend="cancel one of them at the gateway",
        by={"payments": "booking_id"},
        broken=_rivals,
        sql="""
            select unnest(array_agg(id))::text as subject, 'its booking has another payment that can be paid' as said
            from payments
            where state in ('requested', 'unknown', 'open', 'requires_action', 'processing', 'authorised',
                'captured')
              and booking_id is not null
            group by booking_id having count(*) > 1
        """,
    ),
)


def _stays_captured(change: Change) -> bool:
    was, row = change.before, change.after
    if was is None:
        return True
    captured = was["state"] == "captured"
    same = row is not None and row["state"] == "captured" and row["captured_minor"] == was["captured_minor"]
    return row is not None and (same or not captured)


STEPS = (
    Step(
        code="M6",
        name="captured_money_stays_captured",
        says="A payment that was captured stays so, for the same amount; what goes back is said beside it.",
        means="money we have is forgotten",
        mend=_COMPARE,
        table="payments",
        holds=_stays_captured,
        instead="figures_are_those_of_the_ledger",
    ),
    Step(
        code="M8",
        name="a_failed_refund_stays_failed",
        says="A refund that failed stays failed: its money may have gone back another way.",
        means="money goes back twice",
        mend=_COMPARE,
        table="refunds",
        holds=lambda change: (
            change.after is not None
            and (change.before is None or change.before["state"] != "failed" or change.after["state"] == "failed")
        ),
        instead="figures_are_those_of_the_refunds",
    ),
)

_DOUBT = {
    "means": "a customer does not know whether they paid, or were paid back",
    "mend": "see that a worker runs and the gateway answers; `guildhall events dead` tells what was given up",
    "grace": timedelta(days=1),
}

LIVENESS = (
    Liveness(
        code="M8",
        name="no_payment_stays_unknown",
        says="A payment does not wait for the gateway's answer for long.",
        table="payments",
        since=lambda row: row["created_at"] if row["state"] in ("requested", "unknown") else None,
        sql="""
            select id::text as subject, state || ', made ' || created_at as said from payments
            where state in ('requested', 'unknown') and created_at < $1
        """,
        **_DOUBT,  # type: ignore[arg-type]
    ),
    Liveness(
        code="M8",
        name="no_refund_stays_unknown",
        says="A refund does not wait for the gateway's answer for long.",
        table="refunds",
        since=lambda row: row["created_at"] if row["state"] in ("requested", "unknown") else None,
        sql="""
            select id::text as subject, state || ', made ' || created_at as said from refunds
            where state in ('requested', 'unknown') and created_at < $1
        """,
        **_DOUBT,  # type: ignore[arg-type]
    ),
)
