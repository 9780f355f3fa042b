"""Papers as PDF documents: every letter is there, tables go on over pages, and the same sheet is the same bytes."""

import re
import zlib
from dataclasses import replace
from datetime import date
from typing import Any

from adapters.pdf import PdfPrinter
from application.ports.invoicing import Sheet, SheetKind
from domain.invoicing import Bill, Buyer, Line, Seller

SELLER = Seller(name="Söhne & Größe GmbH", address="Straße 1\n10115 Berlin", tax_id="DE 1", payment="IBAN DE02 1203")
BUYER = Buyer(name="Άννα Иванова", address="Rua da Rosa 12", tax_id="PT 2")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3


def line(description: str = "Work", **said: Any) -> Line:
    return Line(**{"description": description, "unit_price_minor": 123_456, "tax_basis_points": 1900, **said})


def sheet(*lines: Line, kind: SheetKind = SheetKind.INVOICE, currency: str = "EUR", **said: Any) -> Sheet:
    bill = Bill(buyer=BUYER, currency=currency, lines=lines or (line(),), note="Thank you!")
    usual = {"number": "2026-0001", "issued_on": date(2026, 3, 2), "until": date(2026, 3, 16)}
    return Sheet(
        **{**usual, "kind": kind, "seller": SELLER, "bill": bill, "shares": bill.shares, "total": bill.total, **said}
    )


async def pages(asked: Sheet) -> list[str]:
    """The text of each page, in the order in which it was set."""
    return contents(await PdfPrinter().print(asked))


async def test_every_letter_of_every_script_is_there() -> None:
    (page,) = await pages(sheet(line("Κιθάρα, рояль, Übung, ñandú, żółw")))
    for said in ("Söhne & Größe GmbH", "Άννα Иванова", "Κιθάρα, рояль, Übung, ñandú, żółw", "IBAN DE02 1203"):
        assert said in page
    for fact in ("Invoice", "2026-0001", "2 March 2026", "16 March 2026", "Thank you!", "1,469.13", "234.57", "19 %"):
        assert fact in page
    assert "\N{REPLACEMENT CHARACTER}" not in page


async def test_the_same_sheet_is_the_same_document() -> None:
    asked = sheet(*(line(f"Hour {number}") for number in range(60)))
    assert await PdfPrinter().print(asked) == await PdfPrinter().print(replace(asked))
    assert await PdfPrinter().print(asked) != await PdfPrinter().print(replace(asked, number="2026-0002"))


async def test_a_long_table_goes_on_under_the_same_head_and_its_totals_stay_together() -> None:
    found = await pages(sheet(*(line(f"Hour {number}\nwith a second line") for number in range(60))))
    assert len(found) >= 3
    for number, page in enumerate(found, 1):
        assert "Description" in page
        assert f"page {number} of" in page
    assert [page.count("To pay") for page in found] == [0] * (len(found) - 1) + [1]
    assert sum(page.count("with a second line") for page in found) == 60
    assert [f"Hour {number}" in "\n".join(found) for number in range(60)] == [True] * 60


async def test_words_and_descriptions_too_long_are_broken_and_lose_nothing() -> None:
    (page,) = await pages(sheet(line(LONG)))
    assert LONG in page.replace("\n", "")
    tall = await pages(sheet(line("\n".join(f"n{number}" for number in range(70)))))
    assert len(tall) == 2
    assert "n69" in tall[-1]


async def test_discounts_quantities_and_currencies_are_said_as_people_read_them() -> None:
    cheaper = line("Cheaper", quantity_thousandths=1500, unit="h", discount_basis_points=1000, unit_price_minor=1000)
    (page,) = await pages(sheet(cheaper, currency="JPY"))
    for said in ("1.5 h", "1,000", "1,500 less 10 %, 150 discount", "1,350", "To pay (JPY)", "1,606"):
        assert said in page
    (fils,) = await pages(sheet(line(unit_price_minor=1234, tax_basis_points=0), currency="KWD"))
    assert "1.234" in fils
    assert "Tax 0 %" not in fils


async def test_a_credit_note_says_what_it_corrects_and_a_quote_until_when_it_is_good() -> None:
    told = {"corrects": "2026-0001", "reason": "It still leaks.", "until": None, "number": "C2026-0001"}
    (note,) = await pages(sheet(kind=SheetKind.CREDIT_NOTE, **told))
    for said in ("Credit note", "C2026-0001", "Corrects", "It still leaks.", "Credited (EUR)"):
        assert said in note
    assert "IBAN" not in note, "nobody pays a credit note"
    (quote,) = await pages(sheet(kind=SheetKind.QUOTE, number="Q2026-0001"))
    assert "Good until" in quote
    assert "Due" not in quote


# --- Reading a document back: just what fpdf2 writes ------------------------------------------------------------------

_OBJECT = re.compile(rb"(\d+) 0 obj\s*(.*?)\s*endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"/F(\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def contents(document: bytes) -> list[str]:
    """The text of each page, a line for each piece that was set, its letters looked up in the fonts' own tables."""
    objects = {int(number): body for number, body in _OBJECT.findall(document)}
    fonts = {
        int(name): _letters(_stream(objects[int(re.findall(rb"/ToUnicode (\d+)", objects[int(font)])[0])]))
        for name, font in re.findall(rb"/F(\d+) (\d+) 0 R", document)
    }
    pages = [body for body in objects.values() if b"/Type /Page\n" in body]
    return [_text(_stream(objects[int(re.findall(rb"/Contents (\d+)", page)[0])]), fonts) for page in pages]


def _stream(body: bytes) -> bytes:
    found = _STREAM.search(body)
    assert found
    return zlib.decompress(found[1]) if b"/FlateDecode" in body else found[1]


def _letters(table: bytes) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>\n", table)
    return {int(glyph, 16): bytes.fromhex(letter.decode()).decode("utf-16-be") for glyph, letter in pairs}


def _text(stream: bytes, fonts: dict[int, dict[int, str]]) -> str:
    said, font = [], 1
    for chosen, shown in _SHOWN.findall(stream):
        if chosen:
            font = int(chosen)
            continue
        glyphs = _ESCAPED.sub(lambda escape: _PLAIN.get(escape[1], escape[1]), shown)
        pairs = (int.from_bytes(glyphs[place : place + 2], "big") for place in range(0, len(glyphs), 2))
        said.append("".join(fonts[font].get(pair, "\N{REPLACEMENT CHARACTER}") for pair in pairs))
    return "\n".join(said)
