"""The books: they balance (M1), stay and are sealed (M2), count each object of the gateway once (M4), and equal the
gateway's (M5)."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from adapters.persistence.rules.rule import (
    ASIDE,
    Broken,
    Change,
    Found,
    Group,
    Liveness,
    Rule,
    Step,
    Tables,
    alone,
    together,
)
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row

_PAST_US = "the ledger is append-only: find who wrote past it, and post a correcting transaction by hand"
_COMPARE = "compare with the payment at the gateway and with `guildhall payment ledger`; find who moved the figures"


def _unbalanced(group: Group) -> Found:
    sums: defaultdict[str, int] = defaultdict(int)
    for row in group["ledger"]:
        sums[row["amount_currency"]] += row["amount_minor"]
    left = sorted(f"{amount} {currency}" for currency, amount in sums.items() if amount)
    if left:
        yield group.key, f"its entries leave {', '.join(left)}"


def _captured_again(group: Group) -> Found:
    captures = {row["source_id"] for row in group["ledger"] if row["source_kind"] == "capture"}
    if len(captures) > 1:
        yield group.key, "the ledger has it captured more than once"


_GAVE_BACK = ("refund", "refund_returned")


def posted_sums(rows: Iterable[Row]) -> tuple[int, int]:
    """What the gateway took in and gave back, as the ledger has it."""
    captured = refunded = 0
    for row in rows:
        if row["account"].startswith("gateway:"):
            if row["source_kind"] == "capture":
                captured += row["amount_minor"]
            elif row["source_kind"] in _GAVE_BACK:
                refunded -= row["amount_minor"]
    return captured, refunded


def posted_disputes(rows: Iterable[Row]) -> int:
    """What banks took back of it and kept, as the ledger has it; the gateway's fees aside."""
    kept = 0
    for row in rows:
        if row["account"].startswith("gateway:") and row["source_kind"] in ("dispute", "dispute_returned"):
            kept -= row["amount_minor"]
    return kept


def _places(row: Row) -> Iterable[Hashable]:
    """A sealed entry's own place, and the next: the pair is judged together."""
    return () if row["position"] is None else (row["position"], row["position"] + 1)


def _unlinked(group: Group) -> Found:
    here = [row for row in group["ledger"] if row["position"] == group.key]
    if group.key != 1 and len(here) == len(group["ledger"]):
        yield from ((row["id"], f"it is sealed at {row['position']}, and nothing before it") for row in here)


RULES = (
    Rule(
        code="M1",
        name="transactions_sum_to_zero",
        says="Every transaction of the ledger sums to zero in each currency.",
        means="money appeared in, or vanished from, the books",
        mend=_PAST_US,
        by={"ledger": "transaction_id"},
        broken=_unbalanced,
        sql="""
            select transaction_id::text as subject, 'its entries leave '
              || string_agg(left_over || ' ' || amount_currency, ', ' order by amount_currency) as said
            from (select transaction_id, amount_currency, sum(amount_minor) as left_over from ledger
                  group by transaction_id, amount_currency having sum(amount_minor) <> 0) as sums
            group by transaction_id
        """,
    ),
    Rule(
        code="M2",
        name="the_ledger_s_chain_has_no_gap",
        says="The sealed rows of the ledger have every place from one on. (Hashes: `guildhall payment verify-books`.)",
        means="a movement of money was taken from the books",
        mend=_PAST_US,
        by={"ledger": _places},
        minds=True,
        broken=_unlinked,
        sql="""
            select id::text as subject, 'it is sealed at ' || position || ', and nothing before it' as said
            from (select id, position, max(position) over (order by position range between 1 preceding and 1 preceding)
                    as previous from ledger where position is not null) as sealed
            where position <> 1 and previous is null
        """,
    ),
    Rule(
        code="M4",
        name="one_effect_per_gateway_object",
        says="One object of the gateway moves one account once per kind.",
        means="one payment or refund was counted twice",
        mend=_PAST_US,
        by={"ledger": together("source_kind", "source_id", "account")},
        broken=alone("ledger", "the same movement is in the ledger again"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'the same movement is in the ledger again' as said
            from ledger group by source_kind, source_id, account having count(*) > 1
        """,
    ),
    Rule(
        code="M4",
        name="a_payment_is_captured_once",
        says="Whatever is paid at the gateway, a payment is captured in the ledger once.",
        means="a customer was charged twice, and both are counted as theirs",
        mend="refund the second at the gateway; see its webhook with `guildhall webhooks list`",
        by={"ledger": "payment_id"},
        broken=_captured_again,
        sql="""
            select payment_id::text as subject, 'the ledger has it captured more than once' as said
            from ledger where source_kind = 'capture' and payment_id is not null
            group by payment_id having count(distinct source_id) > 1
        """,
    ),
    Rule(
        code="M4",
        name="a_gateway_payment_is_one_of_ours",
        says="An object of the gateway is one payment of ours.",
        means="news of one payment moves another",
        mend=_COMPARE,
        by={"payments": together("gateway", "gateway_ref")},
        broken=alone("payments", "another payment is the same at the gateway"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'another payment is the same at the gateway' as said
            from payments where gateway_ref is not null group by gateway, gateway_ref having count(*) > 1
        """,
    ),
    Rule(
        code="M4",
        name="a_gateway_refund_is_one_of_ours",
        says="A refund of the gateway is one refund of ours.",
        means="one refund is counted as two",
        mend=_COMPARE,
        by={"refunds": together("gateway", "gateway_ref")},
        broken=alone("refunds", "another refund is the same at the gateway"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'another refund is the same at the gateway' as said
            from refunds where gateway_ref is not null group by gateway, gateway_ref having count(*) > 1
        """,
    ),
    Rule(
        code="M4",
        name="a_webhook_is_kept_once",
        says="What a sender tells under one id is kept, and acted on, once.",
        means="one message of the gateway has two effects",
        mend="see both with `guildhall webhooks list`",
        by={"webhooks": together("sender", "external_id")},
        broken=alone("webhooks", "the same message is in the inbox again"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'the same message is in the inbox again' as said
            from webhooks group by sender, external_id having count(*) > 1
        """,
    ),
)


def _filled_once(change: Change) -> bool:
    if change.moved is None:
        return change.before is None
    written = (name for name in TABLES["ledger"].names if name not in ASIDE["ledger"])
    return change.moved[0]["position"] is None and change.keeps(*written)


STEPS = (
    Step(
        code="M2",
        name="the_ledger_is_append_only",
        says="Rows of the ledger are never removed, and changed once: when they are sealed.",
        means="the books were rewritten",
        mend="restore the trigger `ledger_append_only`; compare the rows with a backup",
        table="ledger",
        holds=_filled_once,
        # The guard stands: a trigger before updates (16) and deletes (8) of each row (1), that fires for everybody.
        sql="""
            select 'ledger' as subject, 'no trigger keeps its rows from being changed and removed' as said
            where not exists (
              select from pg_trigger t join pg_proc f on f.oid = t.tgfoid
              where t.tgrelid = 'public.ledger'::regclass and f.proname = 'refuse_rewriting'
                and t.tgenabled in ('O', 'A') and t.tgtype & 27 = 27)
        """,
    ),
)

LIVENESS = (
    Liveness(
        code="M2",
        name="the_ledger_is_sealed",
        says="What moved money is sealed into the chain within moments.",
        means="the latest entries can be rewritten unseen, and balances lag behind",
        mend="a worker seals: `guildhall worker`, or `guildhall serve`",
        table="ledger",
        grace=timedelta(minutes=5),
        since=lambda row: row["created_at"] if row["position"] is None else None,
        sql="""
            select id::text as subject, account || ' at ' || created_at as said from ledger
            where position is null and created_at < $1
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class GatewayTotals:
    """What a gateway says of one payment of its own, in minor units."""

    captured: int
    refunded: int
    disputed: int = 0


def against_gateway(tables: Tables, told: Mapping[str, GatewayTotals]) -> list[Broken]:
    """M5: once all is quiet, the ledger has of each of the gateway's payments (by its reference) what the gateway has.
    Needs the gateway's books, so no query can read it. Those a person has been asked to look at are left out."""
    attended = {row["payment_ref"] for row in tables["webhooks"].values() if row["outcome"] == "attention"}
    ledger: defaultdict[object, list[Row]] = defaultdict(list)
    for row in tables["ledger"].values():
        if row["payment_id"] is not None:  # what was received by hand never was at the gateway
            ledger[row["payment_id"]].append(row)
    ours = {}
    for payment_id, rows in ledger.items():
        captures = {row["source_id"].partition(":")[2] for row in rows if row["source_kind"] == "capture"}
        ref = captures.pop() if len(captures) == 1 else str(tables["payments"][payment_id]["gateway_ref"])
        ours[ref] = GatewayTotals(*posted_sums(rows), posted_disputes(rows))
    nothing = GatewayTotals(0, 0)
    return sorted(
        Broken("M5", "the_ledger_equals_the_gateway", ref, f"the ledger has {mine}, the gateway {theirs}")
        for ref in {*ours, *told} - attended
        if (mine := ours.get(ref, nothing)) != (theirs := told.get(ref, nothing))
    )
