"""Sums: what was paid is what settlements say (I3), what was credited what credit notes say (I4), and the gateway's
money has its place on the invoice, or goes back (M6)."""

from adapters.persistence.rules.rule import Found, Group, Rule, Step, posted
from adapters.persistence.schema.tables import Row

_COMPARE = "compare with `guildhall invoice settlements` and `guildhall payment ledger`; find who moved the figures"


def _unlike_settlements(group: Group) -> Found:
    paid = sum(row["amount_minor"] for row in group["settlements"])
    by_hand = sum(row["amount_minor"] for row in group["settlements"] if row["kind"] == "by_hand")
    for row in group["invoices"]:
        if (row["paid_minor"], row["paid_by_hand_minor"]) != (paid, by_hand):
            says = f"{row['paid_minor']} paid, {row['paid_by_hand_minor']} by hand"
            yield row["id"], f"it says {says}; its settlements say {paid} and {by_hand}"


def _unlike_credit_notes(group: Group) -> Found:
    credited = sum(row["total_minor"] for row in group["papers"] if row["kind"] == "credit_note")
    for row in group["invoices"]:
        if row["credited_minor"] != credited or credited > row["total_minor"]:
            said = f"{row['credited_minor']} of {row['total_minor']} credited; its credit notes say {credited}"
            yield row["id"], said


def _uncounted(group: Group) -> Found:
    counted = {row["payment_id"] for row in group["settlements"] if row["kind"] == "gateway"}
    for row in group["payments"]:
        if row["state"] == "captured" and row["id"] not in counted and not group["outbox"]:
            yield row["id"], "it was captured, and its invoice does not count it"


def _kept(group: Group) -> Found:
    contested = any(row["open_disputes"] for row in group["payments"])
    if group["outbox"] or contested or any(row["state"] == "failed" for row in group["refunds"]):
        return  # somebody is at it
    captured = [row for row in group["payments"] if row["state"] == "captured"]
    held = sum(_held(row) for row in captured)
    elsewhere = sum(row["amount_minor"] for row in group["settlements"] if row["kind"] in ("by_hand", "booking"))
    for row in group["invoices"]:
        excess = held + elsewhere - (row["total_minor"] - row["credited_minor"])
        if min(excess, held) > 0:
            yield row["id"], f"{min(excess, held)} more is kept than is owed"


def _held(row: Row) -> int:
    return int(row["captured_minor"] - row["refunded_minor"] - row["refunding_minor"] - row["disputed_minor"])


def _rivals(group: Group) -> Found:
    live = [row for row in group["payments"] if row["state"] not in ("captured", "cancelled")]
    return ((row["id"], "its invoice has another payment under way") for row in live) if len(live) > 1 else ()


RULES = (
    Rule(
        code="I3",
        name="paid_is_what_settlements_add_up_to",
        says="What an invoice says was paid, altogether and by hand, is what its settlements add up to.",
        means="buyers are asked again for what they paid, or not for what they owe",
        mend=_COMPARE,
        by={"invoices": "id", "settlements": "invoice_id"},
        broken=_unlike_settlements,
        sql="""
            select i.id::text as subject, 'it says ' || i.paid_minor || ' paid, ' || i.paid_by_hand_minor
              || ' by hand; its settlements say ' || coalesce(s.paid, 0) || ' and ' || coalesce(s.by_hand, 0) as said
            from invoices i left join (
              select invoice_id, sum(amount_minor) as paid,
                sum(amount_minor) filter (where kind = 'by_hand') as by_hand
              from settlements group by invoice_id) as s on s.invoice_id = i.id
            where (i.paid_minor, i.paid_by_hand_minor) <> (coalesce(s.paid, 0), coalesce(s.by_hand, 0))
        """,
    ),
    Rule(
        code="I4",
        name="credited_is_what_credit_notes_add_up_to",
        says="What an invoice says was credited is what its credit notes add up to, and never more than its total.",
        means="more is taken back than was ever asked for",
        mend="compare with `guildhall invoice papers`; what left the house are the papers",
        by={"invoices": "id", "papers": "invoice_id"},
        broken=_unlike_credit_notes,
        sql="""
            select i.id::text as subject, i.credited_minor || ' of ' || i.total_minor
              || ' credited; its credit notes say ' || coalesce(p.credited, 0) as said
            from invoices i left join (
              select invoice_id, sum(total_minor) as credited from papers where kind = 'credit_note'
              group by invoice_id) as p on p.invoice_id = i.id
            where i.credited_minor <> coalesce(p.credited, 0) or coalesce(p.credited, 0) > i.total_minor
        """,
    ),
    Rule(
        code="M6",
        name="captured_money_of_an_invoice_is_counted",
        says="Captured money of an invoice is counted on it, or is just about to be.",
        means="buyers are asked for what they have paid",
        mend="find the lost event in the payment's audit trail; record it by hand with `guildhall invoice record`",
        by={
            "payments": "invoice_id",
            "settlements": "invoice_id",
            "outbox": posted("invoice_id", "payment.captured"),
        },
        broken=_uncounted,
        sql="""
            select p.id::text as subject, 'it was captured, and its invoice does not count it' as said
            from payments p
            where p.state = 'captured' and p.invoice_id is not null
              and not exists (
                select from settlements s
                where s.invoice_id = p.invoice_id and s.payment_id = p.id and s.kind = 'gateway')
              and not exists (
                select from outbox o where o.finished_at is null and o.name = 'payment.captured'
                  and o.payload ->> 'invoice_id' = p.invoice_id::text)
        """,
    ),
    Rule(
        code="M6",
        name="what_is_too_much_goes_back",
        says="Of an invoice's money at the gateway no more is kept than is owed, unless somebody is at it.",
        means="we keep a buyer's money for nothing",
        mend="see the invoice's payments; refund by hand with `guildhall payment refund`",
        by={
            "invoices": "id",
            "payments": "invoice_id",
            "settlements": "invoice_id",
            "refunds": "invoice_id",
            "outbox": posted("invoice_id", "payment.captured", "invoice.overpaid", "dispute.closed"),
        },
        broken=_kept,
        sql="""
            with held as (
              select invoice_id, sum(captured_minor - refunded_minor - refunding_minor - disputed_minor) as amount,
                sum(open_disputes) as contested
              from payments where state = 'captured' group by invoice_id
            ), elsewhere as (
              select invoice_id, sum(amount_minor) as amount from settlements
              where kind in ('by_hand', 'booking') group by invoice_id
            ), kept as (
              select i.id, h.contested, least(h.amount,
                h.amount + coalesce(e.amount, 0) - (i.total_minor - i.credited_minor)) as too_much
              from invoices i join held h on h.invoice_id = i.id left join elsewhere e on e.invoice_id = i.id)
            select id::text as subject, too_much || ' more is kept than is owed' as said from kept
            where too_much > 0 and contested = 0
              and not exists (select from refunds r where r.invoice_id = kept.id and r.state = 'failed')
              and not exists (
                select from outbox o
                where o.finished_at is null and o.name in ('payment.captured', 'invoice.overpaid', 'dispute.closed')
                  and o.payload ->> 'invoice_id' = kept.id::text)
        """,
    ),
    Rule(
        code="M9",
        name="one_live_payment_per_invoice",
        says="An invoice has at most one payment under way.",
        means="a buyer can pay twice for one invoice",
        mend="cancel one of them at the gateway",
        by={"payments": "invoice_id"},
        broken=_rivals,
        sql="""
            select unnest(array_agg(id))::text as subject, 'its invoice has another payment under way' as said
            from payments where invoice_id is not null and state not in ('captured', 'cancelled')
            group by invoice_id having count(*) > 1
        """,
    ),
)

STEPS = (
    Step(
        code="I3",
        name="a_settlement_never_changes",
        says="What was counted as paid is never changed and never removed; what went back is a line of its own.",
        means="nobody can say any more how an invoice was paid",
        mend="restore the trigger `settlements_append_only`; compare the rows with a backup",
        table="settlements",
        holds=lambda change: change.before is None,
        sql="""
            select 'settlements' as subject, 'no trigger keeps its rows from being changed and removed' as said
            where not exists (
              select from pg_trigger t join pg_proc f on f.oid = t.tgfoid
              where t.tgrelid = 'public.settlements'::regclass and f.proname = 'refuse_rewriting'
                and t.tgenabled in ('O', 'A') and t.tgtype & 27 = 27)
        """,
    ),
)
