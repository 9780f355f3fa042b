"""The gateway itself: opens, captures by test card, closes and refunds, and tells of each change."""

import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from sqlite3 import Connection, Row
from typing import Any, Protocol, TypeVar
from uuid import UUID

from adapters.simulated_gateway.banks import bank_acts, contested, is_contested
from adapters.simulated_gateway.books import Books, note
from adapters.simulated_gateway.cards import CARDS, SecondStep
from adapters.simulated_gateway.delivery import announce
from adapters.simulated_gateway.sharing import agree, part_with, take_back
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import CaptureOrder, CardDesk, Declined, OpenOrder, PaymentGateway, RefundOrder
from domain.payments import GatewayPayment, GatewayRefund, PaymentState, RefundState, SourceKind
from domain.shared.errors import Conflict, Invalid, NotFound
from domain.shared.ids import PaymentId, RefundId
from domain.shared.money import Money

T = TypeVar("T")

NAME = "simulated"
OPENED, MADE = "opened", "refund_made"
CAPTURED, REFUNDED = SourceKind.CAPTURE.value, SourceKind.REFUND.value
AUTHORISED_FOR = timedelta(days=7)
PAYABLE = (PaymentState.OPEN, PaymentState.FAILED, PaymentState.REQUIRES_ACTION)
_CLOSABLE = (*PAYABLE, PaymentState.AUTHORISED)


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
                    "insert into payments"
                    " (ref, payment_id, attempt, state, amount, currency, client_secret, capture_later)"
                    " values (?, ?, ?, 'open', ?, ?, ?, ?)",
                    (
                        ref,
                        str(order.payment_id),
                        order.attempt,
                        order.amount.amount_minor,
                        order.amount.currency,
                        self._client_secret(ref),
                        order.capture_later,
                    ),
                )
                if order.share is not None:
                    agree(books, ref, order.share)
                self._note(books, OPENED, ref, order.amount)
                return json.dumps(dict(row_of(books, "payments", ref)))

            return payment_of(books, once(books, key, repr(order), act))

        return await self._books.do(work)

    async def find(self, ref: str) -> GatewayPayment:
        found = await self._books.do(lambda books: payment_of(books, self._now(books, ref)))
        if found.state is PaymentState.CANCELLED:
            self._deliveries.wake()  # it may have lapsed just now
        return found

    async def capture(self, order: CaptureOrder) -> GatewayPayment:
        def work(books: Connection) -> GatewayPayment:
            row = self._now(books, order.payment_ref)
            amount = order.amount.amount_minor
            if row["state"] == PaymentState.CAPTURED and row["captured"] == amount:
                return payment_of(books, row)
            if row["state"] != PaymentState.AUTHORISED:
                raise Declined("not_authorised", "nothing is set aside that could be taken")
            if order.amount.currency != row["currency"] or not 0 < amount <= row["amount"]:
                raise Declined("amount_too_large", "more than is set aside")
            books.execute("update payments set captured = ? where ref = ?", (amount, row["ref"]))
            return self._show(books, row["ref"], row["card"], PaymentState.CAPTURED)

        return await self._tell(work)

    async def cancel(self, ref: str) -> GatewayPayment:
        def work(books: Connection) -> GatewayPayment:
            if PaymentState(self._now(books, ref)["state"]) in _CLOSABLE:
                move(books, ref, PaymentState.CANCELLED, ids=self._ids, clock=self._clock)
            return payment_of(books, row_of(books, "payments", ref))

        return await self._tell(work)

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        def work(books: Connection) -> GatewayRefund:
            answer = once(books, f"refund:{order.refund_id}", repr(order), lambda: self._send_back(books, order))
            return refund_of(answer)

        return await self._tell(work)

    async def find_refund(self, ref: str) -> GatewayRefund:
        return await self._books.do(lambda books: refund_of(row_of(books, "refunds", ref)))

    async def look(self, ref: str, client_secret: str) -> GatewayPayment:
        return await self._books.do(lambda books: payment_of(books, self._shown(books, ref, client_secret)))

    async def confirm(self, ref: str, client_secret: str, card: str) -> GatewayPayment:
        shown = CARDS.get(card)
        if shown is None:
            raise Invalid(f"there is no test card {card!r}", field="card", cards=sorted(CARDS))

        def work(books: Connection) -> GatewayPayment:
            self._shown(books, ref, client_secret)
            must_be(books, ref, *PAYABLE)
            return self._show(books, ref, card, shown.state, failure=shown.failure)

        return await self._tell(work)

    async def authenticate_3ds(self, ref: str, client_secret: str, approved: bool) -> GatewayPayment:
        def work(books: Connection) -> GatewayPayment:
            row = self._shown(books, ref, client_secret)
            must_be(books, ref, PaymentState.REQUIRES_ACTION)
            if approved and CARDS[row["card"]].second_step is SecondStep.APPROVES:
                return self._show(books, ref, row["card"], PaymentState.CAPTURED)
            return self._show(books, ref, row["card"], PaymentState.FAILED, failure="authentication_failed")

        return await self._tell(work)

    async def _tell(self, work: Callable[[Connection], T]) -> T:
        """Do it, and wake the deliveries of what it announced."""
        answer = await self._books.do(work)
        self._deliveries.wake()
        return answer

    def _now(self, books: Connection, ref: str) -> Row:
        """The payment as it stands; what was set aside too long ago is the customer's again."""
        row = row_of(books, "payments", ref)
        lapsed = row["state"] == PaymentState.AUTHORISED and row["authorised_until"] <= self._clock.now().timestamp()
        if lapsed:
            move(books, ref, PaymentState.CANCELLED, ids=self._ids, clock=self._clock)
        return row_of(books, "payments", ref)

    def _show(
        self, books: Connection, ref: str, card: str, state: PaymentState, *, failure: str = ""
    ) -> GatewayPayment:
        show(books, ref, card, state, failure=failure, ids=self._ids, clock=self._clock)
        return payment_of(books, row_of(books, "payments", ref))

    def _send_back(self, books: Connection, order: RefundOrder) -> str:
        paid = row_of(books, "payments", order.payment_ref)
        if paid["state"] != "captured":
            raise Declined("not_captured", "nothing was captured that could be refunded")
        if order.amount.currency != paid["currency"]:
            raise Declined("currency_mismatch", "a refund is in the currency of its payment")
        if is_contested(books, paid["ref"]):
            raise Declined("charge_disputed", "the customer's bank decides about this payment")
        if not 0 < order.amount.amount_minor <= paid["captured"] - paid["refunded"] - contested(books, paid["ref"]):
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
        return json.dumps(dict(row_of(books, "refunds", ref)))

    def _note(self, books: Connection, what: str, ref: str, amount: Money) -> None:
        note(books, what, ref, amount.amount_minor, amount.currency, at=self._clock.now().timestamp())

    def _shown(self, books: Connection, ref: str, client_secret: str) -> Row:
        # A wrong secret must look like a payment that does not exist, to the same work.
        if not (ref.isascii() and client_secret.isascii()):
            raise NotFound.of("payment", ascii(ref))
        if not hmac.compare_digest(self._client_secret(ref), client_secret):
            raise NotFound.of("payment", ref)
        return row_of(books, "payments", ref)

    def _client_secret(self, ref: str) -> str:
        return f"{ref}_secret_{hmac.new(self._secret, ref.encode(), sha256).hexdigest()[:32]}"


def show(
    books: Connection, ref: str, card: str, state: PaymentState, *, failure: str = "", ids: Ids, clock: Clock
) -> None:
    """What comes of showing that card. Money is set aside instead of taken where that was asked for."""
    row = row_of(books, "payments", ref)
    if state is PaymentState.CAPTURED and row["capture_later"] and row["state"] != PaymentState.AUTHORISED:
        until = (clock.now() + AUTHORISED_FOR).timestamp()
        books.execute("update payments set authorised_until = ? where ref = ?", (until, ref))
        state = PaymentState.AUTHORISED
    move(books, ref, state, failure=failure, card=card, ids=ids, clock=clock)
    if state is PaymentState.CAPTURED:
        bank_acts(books, ref, CARDS[card], ids=ids, clock=clock)


def move(
    books: Connection,
    ref: str,
    state: PaymentState,
    *,
    failure: str = "",
    card: str = "",
    ids: Ids,
    clock: Clock,
) -> None:
    """Let the payment stand so, and tell of it."""
    books.execute(
        "update payments set state = :state, failure = :failure, card = :card, captured = case"
        " when :state = 'captured' and captured = 0 then amount else captured end where ref = :ref",
        {"state": state.value, "failure": failure, "card": card, "ref": ref},
    )
    if state is PaymentState.CAPTURED:
        taken = payment_of(books, row_of(books, "payments", ref)).captured
        note(books, CAPTURED, ref, taken.amount_minor, taken.currency, at=clock.now().timestamp())
        part_with(books, ref, ids=ids, clock=clock)
    announce(books, f"payment.{state.value}", payment=ref, refund=None, ids=ids, clock=clock)


def once(books: Connection, key: str, request: str, act: Callable[[], str]) -> dict[str, Any]:
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


def row_of(books: Connection, table: str, ref: str) -> Row:
    """A payment or refund of these books."""
    statement = {"payments": "select * from payments where ref = ?", "refunds": "select * from refunds where ref = ?"}
    found: Row | None = books.execute(statement[table], (ref,)).fetchone()
    if found is None:
        raise NotFound.of(table.removesuffix("s"), ref)
    return found


def must_be(books: Connection, ref: str, *states: PaymentState) -> None:
    """Refuse to pay what stands otherwise."""
    state = PaymentState(row_of(books, "payments", ref)["state"])
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
        authorised_until=_until(row),
    )


def _until(row: Row | dict[str, Any]) -> datetime | None:
    set_aside = row["state"] == PaymentState.AUTHORISED
    return datetime.fromtimestamp(row["authorised_until"], UTC) if set_aside else None


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
