"""Shared payments: no more comes back from an organization's account than went there (M3), what was captured is shared
as agreed (M6), and what is paid out is booked once (M4)."""

from collections import defaultdict
from collections.abc import Iterable

from adapters.persistence.rules.rule import Found, Group, Rule, posted, together
from adapters.persistence.schema.tables import Row

_COMPARE = "compare with the payment's transfer and fee at the gateway and with `guildhall payment ledger`"
_BY_HAND = "made at the gateway"
"""The reason of refunds that somebody made in the gateway's own dashboard, where they may leave the account alone."""


def moved(entries: Iterable[Row]) -> dict[str, int]:
    """What each kind of movement brought an organization's account, or took from it, always above zero."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in entries:
        if row["account"].endswith(":account"):
            sums[row["source_kind"]] += abs(row["amount_minor"])
    return sums


def _outgrown(group: Group) -> Found:
    told = moved(group["ledger"])
    for row in group["payments"]:
        went, fee = told["transfer"], told["fee"]
        back, returned = told["transfer_reversed"], told["fee_returned"]
        if not (back <= went <= row["captured_minor"] and returned <= fee <= went):
            yield row["id"], f"{back} of {went} came back, {returned} of {fee} of the fee"


def _unlike_agreed(group: Group) -> Found:
    for row in group["payments"]:
        if row["share"] is None or row["state"] != "captured" or row["captured_minor"] <= 0 or group["outbox"]:
            continue
        if any(each["state"] != "succeeded" or each["reason"] == _BY_HAND for each in group["refunds"]):
            continue  # somebody is at it, or was at the gateway
        told = moved(group["ledger"])
        fee, whole, gone = row["share"]["fee"]["amount_minor"], row["captured_minor"], row["refunded_minor"]
        returned = 0 if row["share"]["back"] == "kept" else (2 * fee * gone + whole) // (2 * whole)
        # Gateways round a part of a fee as they like; all of it is all of it.
        off = abs(told["fee_returned"] - returned)
        fits = (told["transfer"], told["fee"], told["transfer_reversed"]) == (whole, fee, gone)
        if not fits or off > (0 < gone < whole and returned > 0):
            yield (
                row["id"],
                f"{told['transfer_reversed']} of {told['transfer']}, {told['fee_returned']} of the fee back",
            )


def _payout_of(row: Row) -> Iterable[tuple[str, str]]:
    if row["source_kind"] in ("payout", "payout_returned") and row["account"].endswith(":bank"):
        gateway, _, ref = row["source_id"].partition(":")
        yield gateway, ref


def _unbooked(group: Group) -> Found:
    booked = sum(row["amount_minor"] for row in group["ledger"])
    for row in group["payouts"]:
        if booked != (row["amount_minor"] if row["state"] == "paid" else 0):
            yield row["id"], f"it is {row['state']}, and the ledger has {booked} of it"


RULES = (
    Rule(
        code="M3",
        name="no_more_comes_back_than_was_shared",
        says="Of a shared payment at most what was captured goes to the account, and at most that comes back.",
        means="an organization pays for a refund, or gets its fee back, twice",
        mend=_COMPARE,
        by={"payments": "id", "ledger": "payment_id"},
        broken=_outgrown,
        sql="""
            with told as (
              select payment_id,
                coalesce(sum(abs(amount_minor)) filter (where source_kind = 'transfer'), 0) as went,
                coalesce(sum(abs(amount_minor)) filter (where source_kind = 'transfer_reversed'), 0) as back,
                coalesce(sum(abs(amount_minor)) filter (where source_kind = 'fee'), 0) as fee,
                coalesce(sum(abs(amount_minor)) filter (where source_kind = 'fee_returned'), 0) as returned
              from ledger where account like '%:account' group by payment_id)
            select p.id::text as subject, t.back || ' of ' || t.went || ' came back, ' || t.returned || ' of '
              || t.fee || ' of the fee' as said
            from told t join payments p on p.id = t.payment_id
            where not (t.back <= t.went and t.went <= p.captured_minor and t.returned <= t.fee and t.fee <= t.went)
        """,
    ),
    Rule(
        code="M6",
        name="captured_money_is_shared_as_agreed",
        says="A shared payment goes to its account less the agreed fee, and comes back with the agreed part of it.",
        means="an organization gets less than it earned, or the platform keeps a fee for nothing",
        mend=_COMPARE,
        by={
            "payments": "id",
            "refunds": "payment_id",
            "ledger": "payment_id",
            "outbox": posted("payment_id", "payment.captured", "refund.succeeded", "refund.failed"),
        },
        broken=_unlike_agreed,
        sql="""
            with told as (
              select payment_id,
                coalesce(sum(abs(amount_minor)) filter (where source_kind = 'transfer'), 0) as went,
                coalesce(sum(abs(amount_minor)) filter (where source_kind = 'transfer_reversed'), 0) as back,
                coalesce(sum(abs(amount_minor)) filter (where source_kind = 'fee'), 0) as fee,
                coalesce(sum(abs(amount_minor)) filter (where source_kind = 'fee_returned'), 0) as returned
              from ledger where account like '%:account' group by payment_id
            ), shared as (
              select p.id, p.captured_minor as whole, p.refunded_minor as gone,
                (p.share -> 'fee' ->> 'amount_minor')::bigint as agreed, p.share ->> 'back' as policy
              from payments p
              where p.share is not null and p.state = 'captured'
                and not exists (select from refunds r where r.payment_id = p.id
                  and (r.state <> 'succeeded' or r.reason = 'made at the gateway'))
                and not exists (select from outbox o where o.finished_at is null
                  and o.name in ('payment.captured', 'refund.succeeded', 'refund.failed')
                  and o.payload ->> 'payment_id' = p.id::text)
            ), wanted as (
              select s.*, case when policy = 'kept' then 0 else (2 * agreed * gone + whole) / (2 * whole) end as due
              from shared s where whole > 0)
            select w.id::text as subject, coalesce(t.back, 0) || ' of ' || coalesce(t.went, 0) || ', '
              || coalesce(t.returned, 0) || ' of the fee back' as said
            from wanted w left join told t on t.payment_id = w.id
            where (coalesce(t.went, 0), coalesce(t.fee, 0), coalesce(t.back, 0)) <> (whole, agreed, gone)
              or abs(coalesce(t.returned, 0) - due) > case when 0 < gone and gone < whole and due > 0 then 1 else 0 end
        """,
    ),
    Rule(
        code="M4",
        name="a_payout_is_booked_as_it_stands",
        says="A payout is in the ledger once while it is paid, and not at all, or there and back, when it is not.",
        means="an organization is said to have been paid twice, or what its bank returned is lost",
        mend="compare with the payout at the gateway; see `guildhall payee payouts` and `guildhall payment ledger`",
        by={"payouts": together("gateway", "gateway_ref"), "ledger": _payout_of},
        broken=_unbooked,
        sql="""
            with booked as (
              select source_id, sum(amount_minor) as amount from ledger
              where source_kind in ('payout', 'payout_returned') and account like '%:bank' group by source_id)
            select p.id::text as subject, 'it is ' || p.state || ', and the ledger has ' || coalesce(b.amount, 0)
              || ' of it' as said
            from payouts p left join booked b on b.source_id = p.gateway || ':' || p.gateway_ref
            where coalesce(b.amount, 0) <> case when p.state = 'paid' then p.amount_minor else 0 end
        """,
    ),
)
