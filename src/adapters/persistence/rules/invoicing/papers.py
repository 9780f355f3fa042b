"""Papers: their numbers have no gaps (I1), what they say stays (I2), and an accepted quote becomes one invoice (I5)."""

from collections.abc import Hashable, Iterable
from uuid import UUID

from adapters.persistence.rules.rule import Change, Found, Group, Rule, Step, posted
from adapters.persistence.schema.tables import Row

_NUMBERS = "the numbers of invoices are for the tax office: find the missing paper in a backup, or set the tally right"
_REWRITTEN = "compare the invoice with its paper (`guildhall invoice papers`); what left the house is the paper"
_SAYS = ("bill", "total_minor", "total_currency", "organization_id", "issued_on", "due_on")


def _of_paper(row: Row) -> Iterable[Hashable]:
    return (f"{row['kind']}s:{row['organization_id']}:{row['year']}",)


def _of_tally(row: Row) -> Iterable[Hashable]:
    kind, *rest = row["name"].split(":")
    if kind not in ("invoices", "credit_notes") or len(rest) != 2 or not rest[1].isdigit():
        return ()
    try:
        return (f"{kind}:{UUID(rest[0])}:{rest[1]}",)
    except ValueError:
        return ()


def _gaps(group: Group) -> Found:
    numbers = {row["sequence"] for row in group["papers"]}
    count, counted = len(group["papers"]), sum(row["value"] for row in group["tallies"])
    whole = len(numbers) == count and (count == 0 or (min(numbers) == 1 and max(numbers) == count))
    if not whole or count != counted:
        yield group.key, f"{count} are numbered up to {max(numbers, default=0)}, {counted} are counted"


def _unlike_paper(group: Group) -> Found:
    for invoice in group["invoices"]:
        paper = next(iter(group["papers"]), None)
        if (
            paper is None
            or paper["kind"] != "invoice"
            or paper["invoice_id"] != invoice["id"]
            or any(paper[column] != invoice[column] for column in _SAYS)
        ):
            yield invoice["id"], "its paper says something else, or is not there"


def _not_one_invoice(group: Group) -> Found:
    invoices = [row["id"] for row in group["invoices"]]
    for quote in group["quotes"]:
        wanted = [quote["invoice_id"]] if quote["state"] == "accepted" else []
        if invoices != wanted and not (wanted and not invoices and group["outbox"]):
            yield quote["id"], f"it is {quote['state']}, and has become {len(invoices)} invoices, or another one"


RULES = (
    Rule(
        code="I1",
        name="papers_are_numbered_without_gaps",
        says="Invoices of an organization and year are numbered from one without gaps, and so are its credit notes.",
        means="the tax office asks for an invoice that nobody has",
        mend=_NUMBERS,
        by={"papers": _of_paper, "tallies": _of_tally},
        broken=_gaps,
        sql="""
            select coalesce(p.series, t.name) as subject, coalesce(p.count, 0) || ' are numbered up to '
              || coalesce(p.latest, 0) || ', ' || coalesce(t.value, 0) || ' are counted' as said
            from (select kind || 's:' || organization_id || ':' || year as series, count(*) as count,
                    max(sequence) as latest,
                    count(distinct sequence) = count(*) and min(sequence) = 1 and max(sequence) = count(*) as whole
                  from papers group by kind, organization_id, year) as p
            full join (
              select name, value from tallies
              where name ~ '^(invoices|credit_notes):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]+$'
            ) as t on t.name = p.series
            where not coalesce(p.whole, true) or coalesce(p.count, 0) <> coalesce(t.value, 0)
        """,
    ),
    Rule(
        code="I2",
        name="what_is_asked_for_is_on_the_paper",
        says="An issued invoice asks for what its paper says: the same lines, total, parties and dates.",
        means="a buyer pays something else than their invoice says",
        mend=_REWRITTEN,
        by={"invoices": "paper_id", "papers": "id"},
        broken=_unlike_paper,
        sql="""
            select i.id::text as subject, 'its paper says something else, or is not there' as said
            from invoices i left join papers p on p.id = i.paper_id
            where i.paper_id is not null and (p.kind, p.invoice_id, p.bill, p.total_minor, p.total_currency,
                p.organization_id, p.issued_on, p.due_on)
              is distinct from ('invoice'::text, i.id, i.bill, i.total_minor, i.total_currency,
                i.organization_id, i.issued_on, i.due_on)
        """,
    ),
    Rule(
        code="I5",
        name="an_accepted_quote_becomes_one_invoice",
        says="An accepted quote becomes the one invoice it names, and no other quote becomes any.",
        means="work that was agreed on is never asked for, or asked for twice",
        mend="see the quote's history; draft the invoice by hand with `guildhall invoice draft`, or void one too many",
        by={"quotes": "id", "invoices": "quote_id", "outbox": posted("quote_id", "quote.accepted")},
        broken=_not_one_invoice,
        sql="""
            with became as (
              select quote_id, array_agg(id) as invoices from invoices where quote_id is not null group by quote_id
            )
            select q.id::text as subject, 'it is ' || q.state || ', and has become '
              || coalesce(cardinality(b.invoices), 0) || ' invoices, or another one' as said
            from quotes q left join became b on b.quote_id = q.id
            where coalesce(b.invoices, '{}') is distinct from
                case when q.state = 'accepted' then array[q.invoice_id] else '{}'::uuid[] end
              and not (q.state = 'accepted' and b.invoices is null and exists (
                select from outbox o where o.finished_at is null and o.name = 'quote.accepted'
                  and o.payload ->> 'quote_id' = q.id::text))
        """,
    ),
)


def _keeps_what_it_asks(change: Change) -> bool:
    was = change.before
    if was is None or was["paper_id"] is None:
        return True
    return change.keeps("paper_id", "credited_currency", "booking_id", "quote_id", *_SAYS)


STEPS = (
    Step(
        code="I2",
        name="a_paper_never_changes",
        says="A paper that left the house is never changed and never removed.",
        means="an invoice is not what the buyer holds in their hands",
        mend="restore the trigger `papers_append_only`; compare the rows with a backup",
        table="papers",
        holds=lambda change: change.before is None,
        sql="""
            select 'papers' as subject, 'no trigger keeps its rows from being changed and removed' as said
            where not exists (
              select from pg_trigger t join pg_proc f on f.oid = t.tgfoid
              where t.tgrelid = 'public.papers'::regclass and f.proname = 'refuse_rewriting'
                and t.tgenabled in ('O', 'A') and t.tgtype & 27 = 27)
        """,
    ),
    Step(
        code="I2",
        name="an_issued_invoice_keeps_what_it_asks",
        says="An invoice that was issued keeps its lines, total, parties and dates, and is never removed.",
        means="an invoice is not what the buyer holds in their hands",
        mend=_REWRITTEN,
        table="invoices",
        holds=_keeps_what_it_asks,
        instead="what_is_asked_for_is_on_the_paper",
    ),
)
