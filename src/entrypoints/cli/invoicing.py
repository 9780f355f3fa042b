"""`guildhall invoice`: what is asked for, how it is paid, and what is taken back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.invoicing import (
    CreditInvoice,
    DraftInvoice,
    GetInvoice,
    GetInvoiceLink,
    GetLetterhead,
    InvoiceBooking,
    IssueInvoice,
    ListInvoices,
    ListPapers,
    ListSettlements,
    PaperView,
    PrintPaper,
    RecordReceipt,
    ReviseInvoice,
    SendInvoice,
    VoidInvoice,
    WordLetterhead,
)
from domain.shared.actors import Actor
from domain.shared.ids import PaperId
from entrypoints.cli.commands import Group, with_examples
from entrypoints.cli.desk import As, Json, an_id, desk_of

if TYPE_CHECKING:
    from entrypoints.container import OpenHouse

group = Group("Invoices: what is asked for, how it is paid, and what is taken back.")
app = group.app
_LINE = """'{"description": "Lesson", "unit_price_minor": 4500, "tax_basis_points": 2300}'"""
_BUYER = """'{"name": "Ana", "email": "ana@town.example"}'"""

group.lists(
    "list",
    ListInvoices,
    "number",
    "id",
    "total",
    "paid",
    "left",
    "state",
    "overdue",
    "due_on",
    examples=("guildhall invoice list --state issued", "guildhall invoice list --overdue --as rosa@town.example"),
)
group.asks("show", GetInvoice)
group.does(
    "draft",
    DraftInvoice,
    examples=(f"guildhall invoice draft --organization-id ID --buyer {_BUYER} --currency EUR --lines {_LINE}",),
)
group.does("of-booking", InvoiceBooking, examples=("guildhall invoice of-booking ID --tax-basis-points 2300",))
group.does("revise", ReviseInvoice)
group.does("void", VoidInvoice)
group.does("issue", IssueInvoice, PaperView)
group.does("send", SendInvoice)
group.asks("pay-link", GetInvoiceLink, show=lambda desk, url: desk.show({"url": url}))
group.does(
    "record",
    RecordReceipt,
    examples=('guildhall invoice record ID --amount-minor 4500 --reason "bank transfer of 3 March"',),
)
group.does("credit", CreditInvoice, PaperView, examples=('guildhall invoice credit ID --reason "did not take place"',))
group.lists("settlements", ListSettlements, "received_on", "kind", "amount", "reason", "payment_id")
group.lists("papers", ListPapers, "number", "kind", "id", "total", "issued_on", "corrects")
group.asks("letterhead", GetLetterhead)
group.does(
    "sign", WordLetterhead, examples=('guildhall invoice sign ID --name "Rosa Piano Lda." --zone Europe/Lisbon',)
)


@app.command("print", epilog=with_examples("guildhall invoice print PAPER_ID --to invoices/"))
def print_paper(
    ctx: typer.Context,
    paper_id: Annotated[str, typer.Argument(metavar="ID", help="The paper: see `guildhall invoice papers`.")],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where to put it.")] = Path(),
    as_: As = None,
    json_: Json = False,
) -> None:
    """An invoice or credit note as a PDF file, named by its number."""
    desk = desk_of(ctx, json=json_, acting_as=as_)

    async def printed(house: "OpenHouse", actor: Actor) -> Any:
        return await house.use(PrintPaper)(actor, PaperId(an_id(paper_id)))

    document = desk.ask(printed)
    to.mkdir(parents=True, exist_ok=True)
    path = to / document.name
    path.write_bytes(document.content)
    desk.show({"file": str(path), "bytes": len(document.content)})
