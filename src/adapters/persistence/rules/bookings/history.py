"""What a booking means (B3), the states it goes through (B5), what a cancellation (B7) or a move (B8) leaves, and its
price (B9)."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from adapters.persistence.rules.rule import Change, Found, Group, Rule, Step, alone, each, told_of
from adapters.persistence.schema.tables import Row

PATHS = (
    ">requested >held >confirmed requested>held requested>confirmed requested>cancelled requested>expired"
    " held>confirmed held>cancelled held>expired confirmed>completed confirmed>no_show confirmed>cancelled"
    " expired>confirmed"
).split()
"""Every step a booking may take, and the states it may begin in; the domain says the same in words of its own."""
_ARRIVES = {
    "booking.requested": "requested",
    "booking.held": "held",
    "booking.confirmed": "confirmed",
    "booking.completed": "completed",
    "booking.no_show": "no_show",
    "booking.cancelled": "cancelled",
    "booking.declined": "cancelled",
    "booking.expired": "expired",
}
_REBUILD = "compare the booking with its audit trail; restore what was changed past the use cases from a backup"


def _unfounded(group: Group) -> Found:
    payments = {row["id"]: row for row in group["payments"]}
    for row in group["bookings"]:
        if row["state"] != "held" and not row["paid"]:
            continue
        payment = payments.get(row["payment_id"])
        if payment is None:
            yield row["id"], "it waits for, or stands by, a payment that does not exist"
        elif row["paid"] and not _pays(payment, row):
            yield row["id"], f"it counts as paid, and {payment['captured_minor']} of its price was captured"


def _pays(payment: Row, booking: Row) -> bool:
    captured, currency = payment["captured_minor"], payment["captured_currency"]
    part = booking["terms"] == "authorised" and 1 <= captured <= booking["price_minor"]
    return bool(currency == booking["price_currency"] and (part or captured == booking["price_minor"]))


def _price(row: Row) -> tuple[int, str]:
    return row["price_minor"], row["price_currency"]


def _strayed(group: Group) -> Found:
    told = sorted(
        (audit["subject_version"], _ARRIVES[audit["action"]]) for audit in group["audit"] if audit["action"] in _ARRIVES
    )
    states = ["", *(state for _, state in told)]
    wrong = [f"{was}>{is_}" for was, is_ in pairwise(states) if f"{was}>{is_}" not in PATHS]
    for row in group["bookings"]:
        if wrong or states[-1] != row["state"]:
            yield row["id"], f"it is {row['state']}, and its history says {' > '.join(states[1:]) or 'nothing'}"


def _share(row: Row) -> int | None:
    """What its own snapshot gives back, in minor units; None when nothing was ever to be decided."""
    if row["state"] == "no_show":
        percent = row["policy"]["no_show_percent"]
    elif row["cancelled_by"] == "provider":
        percent = 100
    else:
        notice = row["span"].starts_at - row["cancelled_at"]
        tiers = sorted(row["policy"]["tiers"], key=lambda tier: tier["hours_before"], reverse=True)
        kept = (t["refund_percent"] for t in tiers if notice >= timedelta(hours=t["hours_before"]))
        percent = max(row["refund_floor"], min(row["refund_ceiling"], next(kept, 0)))
    if not row["paid"]:
        return 0
    whole, rest = divmod(row["price_minor"] * percent, 100)
    return int(whole + (rest > 50 or (rest == 50 and whole % 2 == 1)))


def _refunded_otherwise(row: Row) -> str | None:
    if row["state"] not in ("cancelled", "no_show"):
        return None if row["refund_minor"] is None else "a refund was decided, and it was never called off"
    if row["state"] == "cancelled" and (row["cancelled_at"] is None or row["cancelled_by"] is None):
        return "it is cancelled, by nobody or never"
    if row["refund_minor"] is None and row["state"] == "cancelled" and not row["paid"]:
        return None
    if (row["refund_minor"], row["refund_currency"]) != (_share(row), row["price_currency"]):
        return f"{row['refund_minor']} goes back, its policy gives {_share(row)}"
    return None


def _moved_untold(group: Group) -> Found:
    moves = sum(audit["action"] == "booking.rescheduled" for audit in group["audit"])
    for row in group["bookings"]:
        if row["sequence"] != moves:
            yield row["id"], f"it says that it was moved {row['sequence']} times, its history says {moves}"


def _mispriced(group: Group) -> Found:
    for booking in group["bookings"]:
        for row in group["payments"]:
            if (row["amount_minor"], row["amount_currency"]) != _price(booking):
                yield booking["id"], f"its price is {booking['price_minor']}, its payment asks {row['amount_minor']}"


def _ended_early(group: Group) -> Found:
    ends = [audit["at"] for audit in group["audit"] if audit["action"] == "booking.expired"]
    for row in group["bookings"]:
        if row["state"] == "expired" and row["expires_at"] is not None and any(at < row["expires_at"] for at in ends):
            yield row["id"], f"it was kept until {row['expires_at']}, and taken away before"


RULES = (
    Rule(
        code="B4",
        name="no_hold_ends_before_its_time",
        says="A hold or request that expired had all the time it was given.",
        means="a customer who was still to pay, or a provider who was still to answer, found the slot gone",
        mend="book it again if it is free; see what ended it with `guildhall audit list`, and check the clocks",
        by={"bookings": "id", "audit": told_of("bookings")},
        broken=_ended_early,
        sql="""
            select distinct b.id::text as subject,
              'it was kept until ' || b.expires_at || ', and taken away before' as said
            from bookings b join audit a on a.subject_id = b.id
            where b.state = 'expired' and a.subject_table = 'bookings' and a.action = 'booking.expired'
              and a.at < b.expires_at
        """,
    ),
    Rule(
        code="B3",
        name="confirmed_means_free_paid_or_later",
        says="A booking that stands is free, paid, or agreed to be paid later.",
        means="work was promised for money that never came",
        mend="ask the customer to pay or cancel it; see what confirmed it with `guildhall audit list`",
        by={"bookings": "id"},
        broken=each(
            "bookings",
            lambda row: (
                "it stands, is to be paid beforehand, and is not paid"
                if row["state"] in ("confirmed", "completed", "no_show")
                and row["terms"] in ("prepaid", "authorised")
                and not row["paid"]
                else None
            ),
        ),
        sql="""
            select id::text as subject, 'it stands, is to be paid beforehand, and is not paid' as said
            from bookings
            where state in ('confirmed', 'completed', 'no_show') and terms in ('prepaid', 'authorised') and not paid
        """,
    ),
    Rule(
        code="B3",
        name="paid_means_captured",
        says="A hold has the payment it waits for, and a paid one its price captured, or part of what was set aside.",
        means="a customer cannot pay, or a booking counts as paid without the money",
        mend="compare with `guildhall payment list` and the gateway; cancel or confirm the booking accordingly",
        by={"bookings": "id", "payments": "booking_id"},
        broken=_unfounded,
        sql="""
            select b.id::text as subject, case when p.id is null
                then 'it waits for, or stands by, a payment that does not exist'
                else 'it counts as paid, and ' || p.captured_minor || ' of its price was captured' end as said
            from bookings b left join payments p on p.id = b.payment_id and p.booking_id = b.id
            where (b.state = 'held' or b.paid) and (p.id is null
              or b.paid and (p.captured_currency <> b.price_currency or p.captured_minor <> b.price_minor
                and not (b.terms = 'authorised' and p.captured_minor between 1 and b.price_minor)))
        """,
    ),
    Rule(
        code="B5",
        name="the_history_is_a_path",
        says="What is told of a booking is a path of the state machine that ends where it stands; ends are final.",
        means="a booking came to its state in a way there is none, or was changed and nothing tells of it",
        mend=_REBUILD,
        by={"bookings": "id", "audit": told_of("bookings")},
        broken=_strayed,
        sql=f"""
            with told as (
              select subject_id, subject_version, case action
                {" ".join(f"when '{action}' then '{state}'" for action, state in _ARRIVES.items())} end as state
              from audit where subject_table = 'bookings'
            ), steps as (
              select subject_id, state, coalesce(lag(state) over w, '') || '>' || state as step,
                lead(state) over w is null as final
              from told where state is not null
              window w as (partition by subject_id order by subject_version, state collate "C")
            ), histories as (
              select subject_id, bool_and(step in ({", ".join(f"'{path}'" for path in PATHS)})) as sound,
                max(state) filter (where final) as state
              from steps group by subject_id)
            select b.id::text as subject,
              'it is ' || b.state || ', and its history ends ' || coalesce(h.state, 'nowhere') as said
            from bookings b left join histories h on h.subject_id = b.id
            where h.state is distinct from b.state or not h.sound
        """,  # noqa: S608 - names of ours
    ),
    Rule(
        code="B7",
        name="the_snapshot_decides_the_refund",
        says="What is given back for a cancelled or missed booking is what the policy it was made under gives.",
        means="a customer gets more or less back than they agreed to",
        mend="give back what is missing with `guildhall payment refund`; find who decided otherwise",
        by={"bookings": "id"},
        broken=each("bookings", _refunded_otherwise),
        sql="""
            with shares as (
              select *, case
                  when state = 'no_show' then (policy ->> 'no_show_percent')::bigint
                  when cancelled_by = 'provider' then 100
                  else greatest(refund_floor, least(refund_ceiling, coalesce((
                    select (tier ->> 'refund_percent')::bigint from jsonb_array_elements(policy -> 'tiers') as tier
                    where lower(span) - cancelled_at >= (tier ->> 'hours_before')::bigint * interval '1 hour'
                    order by (tier ->> 'hours_before')::bigint desc limit 1), 0)))
                end * price_minor as share
              from bookings where refund_minor is not null or state in ('cancelled', 'no_show')
            ), decided as (
              select *, case when paid then share / 100 + (share % 100 > 50
                or share % 100 = 50 and share / 100 % 2 = 1)::int else 0 end as due
              from shares)
            select id::text as subject,
              coalesce(refund_minor::text, 'nothing') || ' goes back, its policy gives ' || due as said
            from decided
            where state not in ('cancelled', 'no_show')
              or state = 'cancelled' and (cancelled_at is null or cancelled_by is null)
              or not (refund_minor is null and state = 'cancelled' and not paid)
                and (refund_minor, refund_currency) is distinct from (due, price_currency)
        """,
    ),
    Rule(
        code="B8",
        name="a_move_is_told",
        says="A booking that was moved is the same booking: it counts its moves, and its history tells of each.",
        means="calendars show an old time, or a booking was moved past the gate",
        mend=_REBUILD,
        by={"bookings": "id", "audit": told_of("bookings")},
        broken=_moved_untold,
        sql="""
            select b.id::text as subject,
              'it says that it was moved ' || b.sequence || ' times, its history says ' || coalesce(a.moves, 0) as said
            from bookings b left join (
              select subject_id, count(*) as moves from audit
              where subject_table = 'bookings' and action = 'booking.rescheduled' group by subject_id
            ) as a on a.subject_id = b.id
            where b.sequence <> coalesce(a.moves, 0)
        """,
    ),
    Rule(
        code="B8",
        name="a_reference_is_one_booking",
        says="A reference names one booking.",
        means="two people hold the same reference",
        mend="give one of them another reference, and tell its parties",
        by={"bookings": "reference"},
        broken=alone("bookings", "another booking has the same reference"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'another booking has the same reference' as said
            from bookings group by reference having count(*) > 1
        """,
    ),
    Rule(
        code="B9",
        name="the_price_is_what_is_asked",
        says="What a booking's payment asks for is the price it was made at.",
        means="somebody is charged another price than they agreed to",
        mend=_REBUILD,
        by={"bookings": "id", "payments": "booking_id"},
        broken=_mispriced,
        sql="""
            select distinct b.id::text as subject,
              'its price is ' || b.price_minor || ', its payment asks ' || p.amount_minor as said
            from bookings b join payments p on p.booking_id = b.id
            where (p.amount_minor, p.amount_currency) <> (b.price_minor, b.price_currency)
        """,
    ),
)


def _on_the_path(change: Change) -> bool:
    if change.after is None:
        return False
    was = change.before["state"] if change.before else ""
    return was == change.after["state"] or f"{was}>{change.after['state']}" in PATHS


def _keeps_identity(change: Change) -> bool:
    if change.moved is None:
        return change.before is None
    was, row = change.moved
    moved = was["span"] != row["span"]
    kept = change.keeps("reference", "job_id", "organization_id", "provider_id", "customer_id", "seats", "created_at")
    return kept and row["sequence"] - was["sequence"] == moved and was["span"].length == row["span"].length


_FROM_OUTSIDE: dict[str, Any] = {
    "means": "a booking was changed past its own verbs",
    "mend": _REBUILD,
    "table": "bookings",
}

STEPS = (
    Step(
        code="B5",
        name="a_booking_follows_its_paths",
        says="A booking goes from state to state by a path of the state machine, and is never removed.",
        holds=_on_the_path,
        instead="the_history_is_a_path",
        **_FROM_OUTSIDE,
    ),
    Step(
        code="B8",
        name="a_move_keeps_identity",
        says="A booking that is moved keeps its reference, its parties, its job, its seats and its length.",
        holds=_keeps_identity,
        instead="a_move_is_told",
        **_FROM_OUTSIDE,
    ),
    Step(
        code="B9",
        name="the_price_never_changes",
        says="The price and the terms a booking was made under never change.",
        holds=lambda change: change.keeps("price_minor", "price_currency", "policy", "terms", "acceptance"),
        instead="the_price_is_what_is_asked",
        **_FROM_OUTSIDE,
    ),
)
