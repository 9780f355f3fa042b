"""The gateway itself: opens, captures by test card, closes and refunds, and tells of each change."""

import hmac
import json
from collections.abc import Callable
from hashlib import sha256
from sqlite3 import Connection, Row
from typing import Any, Protocol, TypeVar
from uuid import UUID

from adapters.simulated_gateway.books import Books, note
from adapters.simulated_gateway.cards import CARDS, SecondStep
from adapters.simulated_gateway.delivery import announce
from adapters.simulated_gateway.sharing import agree, part_with, take_back
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import CardDesk, Declined, OpenOrder, PaymentGateway, RefundOrder
from domain.payments import GatewayPayment, GatewayRefund, PaymentState, RefundState, SourceKind
from domain.shared.errors import Conflict, Invalid, NotFound
from domain.shared.ids import PaymentId, RefundId
from domain.shared.money import Money

T = TypeVar("T")

NAME = "simulated"
OPENED, MADE = "opened", "refund_made"
CAPTURED, REFUNDED = SourceKind.CAPTURE.value, SourceKind.REFUND.value
_PAYABLE = (PaymentState.OPEN, PaymentState.FAILED, PaymentState.REQUIRES_ACTION)


class Wakes(Protocol):
    """Whoever delivers what the books owe."""

    def wake(self) -> None:
        """Something is owed."""
        ...


class SimulatedGateway(PaymentGateway, CardDesk):
    """Behaves like a gateway to us (`PaymentGateway`) and to the customer's browser (`CardDesk`)."""

    def __init__(self, books: Books, deliveries: Wakes, *, clock: Clock, ids: Ids, secret: str) -> None:
        self._books = books
        self._deliveries = deliveries
        self._clock = clock
        self._ids = ids
        self._secret = secret.encode()

    @property
    def name(self) -> str:
        return NAME

    async def open(self, order: OpenOrder) -> GatewayPayment:
        key = f"payment:{order.payment_id}:v{order.attempt}"

        def work(books: Connection) -> GatewayPayment:
            def act() -> str:
                ref = f"sp_{self._ids.new().hex}"
                books.execute(
                    "insert into payments (ref, payment_id, attempt, state, amount, currency, client_secret)"
                    " values (?, ?, ?, 'open', ?, ?, ?)",
                    (
                        ref,
                        str(order.payment_id),
                        order.attempt,
                        order.amount.amount_minor,
                        order.amount.currency,
                        self._client_secret(ref),
                    ),
                )
                if order.share is not None:
                    agree(books, ref, order.share)
                self._note(books, OPENED, ref, order.amount)
                return json.dumps(dict(_row(books, "payments", ref)))

            return payment_of(books, _once(books, key, repr(order), act))

        return await self._books.do(work)

    async def find(self, ref: str) -> GatewayPayment:
        return await self._books.do(lambda books: payment_of(books, _row(books, "payments", ref)))

    async def cancel(self, ref: str) -> GatewayPayment:
        def work(books: Connection) -> GatewayPayment:
            if _state(books, ref) in _PAYABLE:
                self._move(books, ref, PaymentState.CANCELLED)
            return payment_of(books, _row(books, "payments", ref))

        return await self._tell(work)

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        def work(books: Connection) -> GatewayRefund:
            answer = _once(books, f"refund:{order.refund_id}", repr(order), lambda: self._send_back(books, order))
            return refund_of(answer)

        return await self._tell(work)

    async def find_refund(self, ref: str) -> GatewayRefund:
        return await self._books.do(lambda books: refund_of(_row(books, "refunds", ref)))

    async def look(self, ref: str, client_secret: str) -> GatewayPayment:
        return await self._books.do(lambda books: payment_of(books, self._shown(books, ref, client_secret)))

    async def confirm(self, ref: str, client_secret: str, card: str) -> GatewayPayment:
        shown = CARDS.get(card)
        if shown is None:
            raise Invalid(f"there is no test card {card!r}", field="card", cards=sorted(CARDS))

        def work(books: Connection) -> GatewayPayment:
            self._shown(books, ref, client_secret)
            _must_be(books, ref, *_PAYABLE)
            self._move(books, ref, shown.state, failure=shown.failure, card=card)
            return payment_of(books, _row(books, "payments", ref))

        return await self._tell(work)

    async def authenticate_3ds(self, ref: str, client_secret: str, approved: bool) -> GatewayPayment:
        def work(books: Connection) -> GatewayPayment:
            row = self._shown(books, ref, client_secret)
            _must_be(books, ref, PaymentState.REQUIRES_ACTION)
            if approved and CARDS[row["card"]].second_step is SecondStep.APPROVES:
                self._move(books, ref, PaymentState.CAPTURED, card=row["card"])
            else:
                self._move(books, ref, PaymentState.FAILED, failure="authentication_failed", card=row["card"])
            return payment_of(books, _row(books, "payments", ref))

        return await self._tell(work)

    async def _tell(self, work: Callable[[Connection], T]) -> T:
        """Do it, and wake the deliveries of what it announced."""
        answer = await self._books.do(work)
        self._deliveries.wake()
        return answer

    def _move(self, books: Connection, ref: str, state: PaymentState, *, failure: str = "", card: str = "") -> None:
        books.execute(
            "update payments set state = :state, failure = :failure, card = :card,"
            " captured = case when :state = 'captured' then amount else captured end where ref = :ref",
            {"state": state.value, "failure": failure, "card": card, "ref": ref},
        )
        if state is PaymentState.CAPTURED:
            self._note(books, CAPTURED, ref, payment_of(books, _row(books, "payments", ref)).captured)
            part_with(books, ref, ids=self._ids, clock=self._clock)
        announce(books, f"payment.{state.value}", payment=ref, refund=None, ids=self._ids, clock=self._clock)

    def _send_back(self, books: Connection, order: RefundOrder) -> str:
        paid = _row(books, "payments", order.payment_ref)
        if paid["state"] != "captured":
            raise Declined("not_captured", "nothing was captured that could be refunded")
        if order.amount.currency != paid["currency"]:
            raise Declined("currency_mismatch", "a refund is in the currency of its payment")
        if not 0 < order.amount.amount_minor <= paid["captured"] - paid["refunded"]:
            raise Declined("amount_too_large", "more than is left of the payment")
        arrives = CARDS[paid["card"]].refundable
        state, failure = (RefundState.SUCCEEDED, "") if arrives else (RefundState.FAILED, "lost_or_stolen_card")
        ref = f"sr_{self._ids.new().hex}"
        books.execute(
            "insert into refunds (ref, refund_id, payment_ref, state, amount, currency, failure)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (ref, str(order.refund_id), paid["ref"], state.value, order.amount.amount_minor, paid["currency"], failure),
        )
        self._note(books, MADE, ref, order.amount)
        if arrives:
            self._note(books, REFUNDED, ref, order.amount)
            books.execute(
                "update payments set refunded = refunded + ? where ref = ?", (order.amount.amount_minor, paid["ref"])
            )
        if order.shared:
            take_back(books, paid["ref"], order.amount, fee_back=order.fee_back, ids=self._ids, clock=self._clock)
        kind = f"refund.{state.value}"
        announce(books, kind, payment=paid["ref"], refund=ref, ids=self._ids, clock=self._clock)
        return json.dumps(dict(_row(books, "refunds", ref)))

    def _note(self, books: Connection, what: str, ref: str, amount: Money) -> None:
        note(books, what, ref, amount.amount_minor, amount.currency, at=self._clock.now().timestamp())

    def _shown(self, books: Connection, ref: str, client_secret: str) -> Row:
        # A wrong secret must look like a payment that does not exist, to the same work.
        if not (ref.isascii() and client_secret.isascii()):
            raise NotFound.of("payment", ascii(ref))
        if not hmac.compare_digest(self._client_secret(ref), client_secret):
            raise NotFound.of("payment", ref)
        return _row(books, "payments", ref)

    def _client_secret(self, ref: str) -> str:
        return f"{ref}_secret_{hmac.new(self._secret, ref.encode(), sha256).hexdigest()[:32]}"


def _once(books: Connection, key: str, request: str, act: Callable[[], str]) -> dict[str, Any]:
    """The answer under this key: the first one again for the same request, a refusal for another."""
    fingerprint = sha256(request.encode()).hexdigest()
    known = books.execute("select fingerprint, answer from answers where key = ?", (key,)).fetchone()
    if known is None:
        answer = act()
        books.execute("insert into answers values (?, ?, ?)", (key, fingerprint, answer))
    elif known["fingerprint"] != fingerprint:
        raise Declined("idempotency_mismatch", "this key was used for another request")
    else:
        answer = known["answer"]
    loaded: dict[str, Any] = json.loads(answer)
    return loaded


def _row(books: Connection, table: str, ref: str) -> Row:
    statement = {"payments": "select * from payments where ref = ?", "refunds": "select * from refunds where ref = ?"}
    found: Row | None = books.execute(statement[table], (ref,)).fetchone()
    if found is None:
        raise NotFound.of(table.removesuffix("s"), ref)
    return found


def _state(books: Connection, ref: str) -> PaymentState:
    return PaymentState(_row(books, "payments", ref)["state"])


def _must_be(books: Connection, ref: str, *states: PaymentState) -> None:
    state = _state(books, ref)
    if state not in states:
        raise Conflict(f"a payment that is {state.value} cannot be paid", state=state.value)


def payment_of(books: Connection, row: Row | dict[str, Any]) -> GatewayPayment:
    """How a row of the books says that a payment stands."""
    shared = books.execute("select payee_ref, fee from shared where payment_ref = ?", (row["ref"],)).fetchone()
    return GatewayPayment(
        gateway=NAME,
        ref=row["ref"],
        payment_id=PaymentId(UUID(row["payment_id"])),
        attempt=row["attempt"],
        state=PaymentState(row["state"]),
        amount=Money(row["amount"], row["currency"]),
        captured=Money(row["captured"], row["currency"]),
        client_secret=row["client_secret"],
        failure=row["failure"],
        payee_ref=shared["payee_ref"] if shared else None,
        fee=Money(shared["fee"], row["currency"]) if shared else None,
    )


def refund_of(row: Row | dict[str, Any]) -> GatewayRefund:
    """The same of a refund."""
    return GatewayRefund(
        gateway=NAME,
        ref=row["ref"],
        refund_id=RefundId(UUID(row["refund_id"])),
        payment_ref=row["payment_ref"],
        state=RefundState(row["state"]),
        amount=Money(row["amount"], row["currency"]),
        failure=row["failure"],
    )
