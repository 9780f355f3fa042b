"""The simulated gateway's records: what it could not deliver, and its journal read back, the newest first."""

from collections.abc import Callable
from datetime import UTC, datetime
from sqlite3 import Connection, Row
from typing import TypeVar

from adapters.simulated_gateway.books import Books
from adapters.simulated_gateway.gateway import MADE, NAME, OPENED, payment_of, refund_of
from adapters.simulated_gateway.payees import SENT, payout_of
from adapters.simulated_gateway.signature import notice_of
from application.ports.reconciling import GatewayRecords, Movement, Sheet, Unheard
from domain.payments import GatewayPayment, GatewayPayout, GatewayRefund, SourceKind
from domain.shared.money import Money
from domain.shared.time import Span

T = TypeVar("T")
PAGE = 100


class SimulatedRecords(GatewayRecords):
    """Reads the books that the gateway writes."""

    def __init__(self, books: Books, *, page: int = PAGE) -> None:
        self._books, self._page = books, page

    @property
    def name(self) -> str:
        return NAME

    async def unheard(self, span: Span, after: str | None) -> Sheet[Unheard]:
        return await self._sheet(
            "select rowid as number, created_at as at, body from deliveries where delivered_at is null"
            " and created_at >= :since and created_at < :until and rowid < :before order by rowid desc limit :most",
            span,
            after,
            lambda _, row: Unheard(notice=notice_of(row["body"].encode()), payload=row["body"]),
        )

    async def payments(self, span: Span, after: str | None) -> Sheet[GatewayPayment]:
        return await self._sheet(
            "select journal.number, journal.at, payments.* from journal join payments using (ref)"
            " where what = :what and at >= :since and at < :until and number < :before"
            " order by number desc limit :most",
            span,
            after,
            payment_of,
            what=OPENED,
        )

    async def refunds(self, span: Span, after: str | None) -> Sheet[GatewayRefund]:
        return await self._sheet(
            "select journal.number, journal.at, refunds.* from journal join refunds using (ref)"
            " where what = :what and at >= :since and at < :until and number < :before"
            " order by number desc limit :most",
            span,
            after,
            lambda _, row: refund_of(row),
            what=MADE,
        )

    async def movements(self, span: Span, after: str | None) -> Sheet[Movement]:
        return await self._sheet(
            "select journal.*, coalesce(refunds.payment_ref, journal.ref) as payment_ref from journal"
            " left join refunds using (ref) where what in ('capture', 'refund', 'refund_returned')"
            " and at >= :since and at < :until and number < :before order by number desc limit :most",
            span,
            after,
            lambda _, row: _movement(row),
        )

    async def payouts(self, payee_ref: str, span: Span, after: str | None) -> Sheet[GatewayPayout]:
        return await self._sheet(
            "select journal.number, journal.at, payouts.* from journal join payouts using (ref)"
            " where what = :what and payee_ref = :payee and at >= :since and at < :until and number < :before"
            " order by number desc limit :most",
            span,
            after,
            lambda _, row: payout_of(row),
            what=SENT,
            payee=payee_ref,
        )

    async def _sheet(
        self, question: str, span: Span, after: str | None, read: Callable[[Connection, Row], T], **told: object
    ) -> Sheet[T]:
        def work(books: Connection) -> Sheet[T]:
            asked = {
                "since": span.starts_at.timestamp(),
                "until": span.ends_at.timestamp(),
                "before": int(after) if after else 1 << 62,
                "most": self._page + 1,
                **told,
            }
            rows = books.execute(question, asked).fetchall()
            shown = rows[: self._page]
            reached = datetime.fromtimestamp(shown[-1]["at"], UTC) if shown else None
            following = str(shown[-1]["number"]) if len(rows) > self._page else None
            return Sheet([read(books, row) for row in shown], following, reached)

        return await self._books.do(work)


def _movement(row: Row) -> Movement:
    return Movement(
        kind=SourceKind(row["what"]),
        ref=row["ref"],
        payment_ref=row["payment_ref"],
        amount=Money(row["amount"], row["currency"]),
    )
