"""The layout: A4 in points of a millimetre grid, a table whose head is repeated, and totals that stay together."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos

from adapters.pdf.wording import TITLES, facts, row, totals
from application.ports.invoicing import Sheet, SheetKind
from domain.invoicing import Seller

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu"
LEFT, RIGHT, TOP, BOTTOM = 20.0, 190.0, 18.0, 272.0
"""Where text begins and ends on a page of 210 by 297 millimetres."""
WIDTH = RIGHT - LEFT
BODY, SMALL, LEADING = 9.0, 7.5, 4.6
INK, FAINT, RULE = (24, 28, 34), (110, 117, 126), (205, 210, 216)
_FIGURES = {"Quantity": 24.0, "Price": 26.0, "Tax": 16.0, "Amount": 28.0}
_GAP = 4.0


def document(sheet: Sheet) -> bytes:
    """The whole document."""
    pages = _Pages(sheet)
    pages.add_page()
    pages.head()
    pages.rows()
    pages.sums()
    pages.closing()
    return bytes(pages.output())


class _Pages(FPDF):
    """One sheet on as many pages as it needs."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.sheet = sheet
        self.taxed = any(share.tax_basis_points for share in sheet.shares)
        for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            self.add_font(FAMILY, style, FONTS / file)
        self.set_margins(LEFT, TOP, 210 - RIGHT)
        self.set_auto_page_break(False)
        self.c_margin = 0
        self.set_creation_date(datetime.combine(sheet.issued_on, time(), tzinfo=UTC))
        self.set_title(f"{TITLES[sheet.kind]} {sheet.number}")
        self.set_author(sheet.seller.name)
        self.set_lang("en")

    def footer(self) -> None:
        """Who it is from, and which page."""
        self._font(SMALL, color=FAINT)
        self._rule(280)
        number = f"{TITLES[self.sheet.kind]} {self.sheet.number} · page {self.page_no()} of {{nb}}"
        self.set_xy(LEFT, 281.5)
        self.cell(WIDTH, 4, number, align=Align.C)
        self.set_xy(LEFT, 285.5)
        self.cell(WIDTH, 4, self._fitting(self.sheet.seller.footer, WIDTH), align=Align.C)

    def head(self) -> None:
        """Seller, title, buyer and facts."""
        self._font(15, bold=True)
        seller = self._lines(self.sheet.seller.name, 100, 6.5)
        self._write(seller, LEFT, TOP, 100, 6.5)
        self._font(17, bold=True)
        self.set_xy(120, TOP)
        self.cell(RIGHT - 120, 7, TITLES[self.sheet.kind], align=Align.R)
        below = TOP + 6.5 * len(seller) + 1.5
        self._font(SMALL + 0.5, color=FAINT)
        below = self._block(_particulars(self.sheet.seller), LEFT, below, 100, 4)
        top = max(below, TOP + 20) + 8
        buyer = self.sheet.bill.buyer
        self._font(BODY, bold=True)
        after = self._block([buyer.name], LEFT, top, 90, LEADING)
        self._font(BODY)
        said = [*buyer.address.split("\n"), f"Tax number {buyer.tax_id}" if buyer.tax_id else "", buyer.email]
        after = self._block(said, LEFT, after, 90, LEADING)
        y = top
        for name, value in facts(self.sheet):
            self._font(BODY, color=FAINT)
            self.set_xy(125, y)
            self.cell(25, LEADING, name)
            self._font(BODY, bold=name == "Number")
            self.set_xy(150, y)
            self.cell(RIGHT - 150, LEADING, value, align=Align.R)
            y += LEADING
        self.set_y(max(after, y) + 8)
        if self.sheet.reason:
            self._font(BODY)
            self.set_y(self._block(self.sheet.reason.split("\n"), LEFT, self.get_y(), WIDTH, LEADING) + 4)

    def rows(self) -> None:
        """Every line; one too long for its page goes on under the same head on the next."""
        self._table_head()
        for line in self.sheet.bill.lines:
            said, figures, taken_off = row(line, self.sheet.bill.currency, taxed=self.taxed)
            self._font(BODY)
            lines = self._lines(said, self._wide, LEADING)
            self._room(LEADING * min(len(lines), 3) + 3, again=True)
            self._font(BODY)
            self._figures(figures, self.get_y())
            self._go_down(lines, BODY, LEADING, INK)
            if taken_off:
                self._font(SMALL)
                self._go_down(self._lines(taken_off, self._wide, 3.8), SMALL, 3.8, FAINT)
            self.set_y(self.get_y() + 1.4)
            self._rule(self.get_y())
            self.set_y(self.get_y() + 1.6)

    def sums(self) -> None:
        """The tax rates and the total, together on one page."""
        shares, (name, value) = totals(self.sheet)
        while len(shares) > 40:  # more rates than a page holds: begin them on this one
            self._room(LEADING)
            self._sum(*shares.pop(0))
        self._room(LEADING * len(shares) + 14)
        self.set_y(self.get_y() + 2)
        for share in shares:
            self._sum(*share)
        y = self.get_y() + 1.5
        self._rule(y, from_x=115, color=INK)
        self._font(11, bold=True)
        self._pair(name, value, y + 2, 6)
        if self.sheet.bill.tax_included and self.taxed:
            self._font(SMALL, color=FAINT)
            self.set_xy(115, y + 8.5)
            self.cell(RIGHT - 115, 4, "All prices include tax.", align=Align.R)
        self.set_y(y + 15)

    def closing(self) -> None:
        """The note, and how it may be paid."""
        payment = "" if self.sheet.kind is SheetKind.CREDIT_NOTE else self.sheet.seller.payment
        for title, said in (("", self.sheet.bill.note), ("Payment", payment)):
            if not said:
                continue
            self._font(BODY)
            lines = self._lines(said, WIDTH, LEADING)
            self._room(LEADING * min(len(lines) + 1, 4))
            if title:
                self._font(BODY, bold=True)
                self._go_down([title], BODY, LEADING, INK, bold=True, again=False)
            self._go_down(lines, BODY, LEADING, INK, again=False)
            self.set_y(self.get_y() + 4)

    @property
    def _columns(self) -> list[tuple[str, float]]:
        return [(name, wide) for name, wide in _FIGURES.items() if self.taxed or name != "Tax"]

    @property
    def _wide(self) -> float:
        """How wide descriptions are set."""
        return WIDTH - sum(wide for _, wide in self._columns) - _GAP

    def _table_head(self) -> None:
        y = self.get_y()
        self._font(SMALL, bold=True, color=FAINT)
        self.set_xy(LEFT, y)
        self.cell(self._wide, 5, "Description")
        self._figures([name for name, _ in self._columns], y, high=5)
        self._rule(y + 5.6, color=INK)
        self.set_y(y + 7.4)

    def _figures(self, figures: Sequence[str], y: float, *, high: float = LEADING) -> None:
        """Figures under one another, to the right of their columns; one too long for its column is set smaller."""
        x = RIGHT - sum(wide for _, wide in self._columns)
        size = self.font_size_pt
        for (_, wide), figure in zip(self._columns, figures, strict=True):
            self.set_font_size(size)
            if (needs := self.get_string_width(figure)) > wide - 1:
                self.set_font_size(max(4.5, size * (wide - 1) / needs))
            self.set_xy(x, y)
            self.cell(wide, high, figure, align=Align.R)
            x += wide
        self.set_font_size(size)

    def _go_down(
        self,
        lines: Sequence[str],
        size: float,
        leading: float,
        color: tuple[int, int, int],
        *,
        bold: bool = False,
        again: bool = True,
    ) -> None:
        """Line after line, over as many pages as it takes."""
        for line in lines:
            self._room(leading, again=again)
            self._font(size, bold=bold, color=color)
            self.set_x(LEFT)
            self.cell(WIDTH, leading, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _sum(self, name: str, value: str) -> None:
        self._font(BODY, color=INK)
        self._pair(name, value, self.get_y(), LEADING)
        self.set_y(self.get_y() + LEADING)

    def _pair(self, name: str, value: str, y: float, high: float) -> None:
        self.set_xy(115, y)
        self.cell(40, high, name)
        self.set_xy(150, y)
        self.cell(RIGHT - 150, high, value, align=Align.R)
        self.set_y(y)

    def _room(self, high: float, *, again: bool = False) -> None:
        """Go on on a new page where this one has no room for that; under the table's head `again`."""
        if self.get_y() + high <= BOTTOM:
            return
        self.add_page()
        self.set_y(TOP)
        if again:
            self._table_head()

    def _block(self, lines: Sequence[str], x: float, y: float, wide: float, leading: float) -> float:
        """These lines, wrapped, without the empty ones; answers where they end."""
        for line in filter(None, lines):
            wrapped = self._lines(line, wide, leading)
            self._write(wrapped, x, y, wide, leading)
            y += leading * len(wrapped)
        return y

    def _write(self, lines: Sequence[str], x: float, y: float, wide: float, leading: float) -> None:
        for number, line in enumerate(lines):
            self.set_xy(x, y + number * leading)
            self.cell(wide, leading, line)

    def _lines(self, text: str, wide: float, leading: float) -> list[str]:
        """The text as it is broken into lines of that width, in the present font; a word too long is broken as well."""
        broken: list[str] = self.multi_cell(  # type: ignore[assignment]
            wide, leading, text, align=Align.L, dry_run=True, output=MethodReturnValue.LINES
        )
        return broken

    def _fitting(self, text: str, wide: float) -> str:
        while text and self.get_string_width(text) > wide:
            text = text[:-2].rstrip() + "…"
        return text

    def _font(self, size: float, *, bold: bool = False, color: tuple[int, int, int] = INK) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*color)

    def _rule(self, y: float, *, from_x: float = LEFT, color: tuple[int, int, int] = RULE) -> None:
        self.set_draw_color(*color)
        self.set_line_width(0.2)
        self.line(from_x, y, RIGHT, y)


def _particulars(seller: Seller) -> list[str]:
    return [*seller.address.split("\n"), f"Tax number {seller.tax_id}" if seller.tax_id else "", seller.email]
