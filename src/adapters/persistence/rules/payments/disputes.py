"""Disputes: what a payment says banks took back is what its disputes and the books say (M3), each counted once (M4)."""

from adapters.persistence.rules.payments.books import posted_disputes
from adapters.persistence.rules.rule import Change, Found, Group, Rule, Step, alone, together, told_of

_COMPARE = "compare with the dispute at the gateway and with `guildhall payment ledger`; find who moved the figures"


def _unlike_disputes(group: Group) -> Found:
    kept = sum(row["taken_minor"] - row["returned_minor"] for row in group["disputes"])
    contested = sum(row["state"] in ("needs_response", "under_review") for row in group["disputes"])
    booked = posted_disputes(group["ledger"])
    for row in group["payments"]:
        if (row["disputed_minor"], row["open_disputes"], booked) != (kept, contested, kept):
            says = f"{row['disputed_minor']} taken, {row['open_disputes']} open"
            yield row["id"], f"it says {says}; its disputes {kept} and {contested}, the ledger {booked}"


def _answered_late(group: Group) -> Found:
    for row in group["disputes"]:
        if row["submitted_at"] is None or row["due_at"] is None:
            continue
        asked = [audit["at"] for audit in group["audit"] if audit["action"] == "dispute.evidence_submitted"]
        if not any(at <= row["due_at"] for at in asked):
            yield row["id"], f"evidence was given, and its deadline {row['due_at']} had passed"


def _only_grows(change: Change) -> bool:
    if change.moved is None:
        return change.after is not None
    was, row = change.moved
    grows = all(row[f"{each}_minor"] >= was[f"{each}_minor"] for each in ("taken", "returned", "fee", "fee_returned"))
    return grows and (was["state"] not in ("won", "lost") or row["state"] in (was["state"], "lost"))


RULES = (
    Rule(
        code="M3",
        name="figures_are_those_of_the_disputes",
        says="What a payment says banks took back, and decide about, is what its disputes and the ledger say.",
        means="money is given back that a bank has taken, or kept that it has returned",
        mend=_COMPARE,
        by={"payments": "id", "disputes": "payment_id", "ledger": "payment_id"},
        broken=_unlike_disputes,
        sql="""
            select p.id::text as subject, 'it says ' || p.disputed_minor || ' taken, ' || p.open_disputes
              || ' open; its disputes ' || coalesce(d.kept, 0) || ' and ' || coalesce(d.contested, 0)
              || ', the ledger ' || coalesce(l.booked, 0) as said
            from payments p left join (
              select payment_id, sum(taken_minor - returned_minor) as kept,
                count(*) filter (where state in ('needs_response', 'under_review')) as contested
              from disputes group by payment_id) as d on d.payment_id = p.id
            left join (
              select payment_id, -sum(amount_minor) as booked from ledger
              where account like 'gateway:%' and source_kind in ('dispute', 'dispute_returned')
              group by payment_id) as l on l.payment_id = p.id
            where (p.disputed_minor, p.open_disputes, coalesce(l.booked, 0))
              <> (coalesce(d.kept, 0), coalesce(d.contested, 0), coalesce(d.kept, 0))
        """,
    ),
    Rule(
        code="M4",
        name="a_gateway_dispute_is_one_of_ours",
        says="A dispute of the gateway is one dispute of ours.",
        means="what a bank takes back once is counted twice",
        mend=_COMPARE,
        by={"disputes": together("gateway", "gateway_ref")},
        broken=alone("disputes", "another dispute is the same at the gateway"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'another dispute is the same at the gateway' as said
            from disputes group by gateway, gateway_ref having count(*) > 1
        """,
    ),
    Rule(
        code="M4",
        name="evidence_keeps_its_deadline",
        says="Evidence that was given was submitted before its deadline.",
        means="a dispute is lost although somebody believes it was answered",
        mend="see who submitted it with `guildhall audit list`, and check the clocks",
        by={"disputes": "id", "audit": told_of("disputes")},
        broken=_answered_late,
        sql="""
            select d.id::text as subject, 'evidence was given, and its deadline ' || d.due_at || ' had passed' as said
            from disputes d
            where d.submitted_at is not null and d.due_at is not null and not exists (
              select from audit a where a.subject_table = 'disputes' and a.subject_id = d.id
                and a.action = 'dispute.evidence_submitted' and a.at <= d.due_at)
        """,
    ),
)

STEPS = (
    Step(
        code="M4",
        name="what_a_bank_moved_stays_moved",
        says="What a bank has taken and returned only grows, and what it decided stays decided.",
        means="money that was moved is forgotten, or moved again",
        mend=_COMPARE,
        table="disputes",
        holds=_only_grows,
        instead="figures_are_those_of_the_disputes",
    ),
)
