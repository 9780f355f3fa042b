"""The dispute desk of the simulated gateway. As at Stripe's test mode, evidence that says "winning_evidence" or
"losing_evidence" is decided on at once."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from sqlite3 import Connection, Row
from typing import TypeVar

from adapters.simulated_gateway.banks import contested, decide, dispute_row, open_dispute, tell, warn
from adapters.simulated_gateway.books import Books
from adapters.simulated_gateway.gateway import NAME, Wakes
from application.ports.clock import Clock
from application.ports.disputes import DisputeDesk, EvidenceOrder
from application.ports.ids import Ids
from application.ports.payments import Declined
from domain.payments import DisputeState, GatewayDispute, GatewayWarning
from domain.shared.errors import NotFound
from domain.shared.money import Money

T = TypeVar("T")
_WORDS = {"winning_evidence": True, "losing_evidence": False}


class SimulatedDisputes(DisputeDesk):
    """Behaves like a gateway's dispute desk to us, and lends its banks a hand: `dispute`, `decide`, `warn`."""

    def __init__(self, books: Books, deliveries: Wakes, *, clock: Clock, ids: Ids) -> None:
        self._books, self._deliveries, self._clock, self._ids = books, deliveries, clock, ids

    async def find_dispute(self, ref: str) -> GatewayDispute:
        return await self._tell(lambda books: _dispute(self._now(books, ref)))

    async def find_warning(self, ref: str) -> GatewayWarning:
        def work(books: Connection) -> GatewayWarning:
            row = books.execute(
                "select w.*, p.refunded, p.captured from warnings w join payments p on p.ref = w.payment_ref"
                " where w.ref = ?",
                (ref,),
            ).fetchone()
            if row is None:
                raise NotFound.of("warning", ref)
            left = row["captured"] - row["refunded"] - contested(books, row["payment_ref"])
            return GatewayWarning(
                gateway=NAME,
                ref=ref,
                payment_ref=row["payment_ref"],
                reason=row["reason"],
                actionable=left > 0,
                warned_at=datetime.fromtimestamp(row["warned_at"], UTC),
            )

        return await self._books.do(work)

    async def answer(self, order: EvidenceOrder) -> GatewayDispute:
        def work(books: Connection) -> GatewayDispute:
            row = self._now(books, order.dispute_ref)
            said = json.dumps({"by": str(order.dispute_id), "explanation": order.evidence.explanation})
            if row["answer"] == said:
                return _dispute(row)
            if row["state"] != DisputeState.NEEDS_RESPONSE:
                raise Declined("dispute_not_open", "nobody waits for evidence any more")
            books.execute("update disputes set state = 'under_review', answer = ? where ref = ?", (said, row["ref"]))
            tell(books, "updated", row["payment_ref"], row["ref"], ids=self._ids, clock=self._clock)
            for word, won in _WORDS.items():
                if word in order.evidence.explanation:
                    decide(books, row["ref"], won=won, ids=self._ids, clock=self._clock)
            return _dispute(dispute_row(books, row["ref"]))

        await self.find_dispute(order.dispute_ref)  # one that is lost meanwhile stays so, whatever is refused now
        return await self._tell(work)

    async def dispute(self, payment_ref: str, *, reason: str = "fraudulent", amount: int | None = None) -> str:
        """A customer's bank disputes this payment."""
        return await self._tell(
            lambda books: open_dispute(
                books, payment_ref, reason=reason, amount=amount, ids=self._ids, clock=self._clock
            )
        )

    async def decide(self, ref: str, *, won: bool) -> None:
        """The bank decides."""
        await self._tell(lambda books: decide(books, ref, won=won, ids=self._ids, clock=self._clock))

    async def warn(self, payment_ref: str) -> str:
        """A bank warns of this payment."""
        return await self._tell(lambda books: warn(books, payment_ref, ids=self._ids, clock=self._clock))

    def _now(self, books: Connection, ref: str) -> Row:
        """The dispute as it stands; one that nobody answered in time is lost."""
        row = dispute_row(books, ref)
        if row["state"] == DisputeState.NEEDS_RESPONSE and row["due_at"] <= self._clock.now().timestamp():
            decide(books, ref, won=False, ids=self._ids, clock=self._clock)
        return dispute_row(books, ref)

    async def _tell(self, work: Callable[[Connection], T]) -> T:
        answer = await self._books.do(work)
        self._deliveries.wake()
        return answer


def _dispute(row: Row) -> GatewayDispute:
    currency = row["currency"]
    return GatewayDispute(
        gateway=NAME,
        ref=row["ref"],
        payment_ref=row["payment_ref"],
        state=DisputeState(row["state"]),
        reason=row["reason"],
        amount=Money(row["amount"], currency),
        taken=Money(row["taken"], currency),
        returned=Money(row["returned"], currency),
        fee=Money(row["fee"], currency),
        fee_returned=Money.zero(currency),
        due_at=datetime.fromtimestamp(row["due_at"], UTC),
        opened_at=datetime.fromtimestamp(row["opened_at"], UTC),
    )
