"""Quotes and invoices from the command line."""

import json
from pathlib import Path

from tests.cli.conftest import Office

LINE = json.dumps({"description": "Tuning", "unit_price_minor": 10000, "tax_basis_points": 2300})
BUYER = json.dumps({"name": "Ana", "email": "ana@town.example"})
ROSA = "rosa@town.example"


def organization(town: Office) -> str:
    """The organization that Rosa manages."""
    job = town.one("job", "list", "--as", ROSA)
    return str(job["organization_id"])


def test_a_quote_becomes_an_invoice_that_is_issued_recorded_credited_and_printed(town: Office, tmp_path: Path) -> None:
    of = organization(town)
    signed = town.json("invoice", "sign", of, "--as", ROSA, "--name", "Rosa Lda.", "--zone", "Europe/Lisbon")
    assert signed["seller"]["name"] == "Rosa Lda."
    said = ("--organization-id", of, "--currency", "EUR", "--buyer", BUYER, "--lines", LINE)
    quote = town.json("quote", "draft", "--as", ROSA, *said)
    assert town.json("quote", "send", quote["id"], "--as", ROSA)["state"] == "sent"
    assert town.json("quote", "accept", quote["id"], "--as", "ana@town.example")["state"] == "accepted"
    town.settle()
    assert town.one("quote", "list", "--as", ROSA)["reference"] == "Q2026-0001"
    invoice = town.one("invoice", "list", "--as", ROSA, "--state", "draft")
    paper = town.json("invoice", "issue", invoice["id"], "--as", ROSA)
    assert paper["total"] == {"amount_minor": 12300, "currency": "EUR"}
    cash = ("--amount-minor", "2300", "--reason", "cash")
    assert town.json("invoice", "record", invoice["id"], "--as", ROSA, *cash)["state"] == "partly_paid"
    assert "/invoices/" in town.json("invoice", "pay-link", invoice["id"], "--as", ROSA)["url"]
    town.json("invoice", "credit", invoice["id"], "--as", ROSA, "--reason", "broken", "--lines", LINE)
    assert town.one("invoice", "papers", "--as", ROSA)["number"] == "C2026-0001"
    printed = town.json("invoice", "print", paper["id"], "--as", ROSA, "--to", str(tmp_path))
    assert Path(printed["file"]).name == "2026-0001.pdf"
    assert Path(printed["file"]).read_bytes().startswith(b"%PDF-")
    listed = town("invoice", "list", "--as", ROSA)
    assert "2026-0001" in listed.out


def test_whoever_does_not_keep_the_books_is_refused(town: Office) -> None:
    said = ("--organization-id", organization(town), "--currency", "EUR", "--buyer", BUYER, "--lines", LINE)
    refused = town("invoice", "draft", "--as", "ana@town.example", *said, "--json")
    assert (refused.code, refused.refusal["code"]) == (1, "invoicing.not_yours")
