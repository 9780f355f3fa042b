"""What moves between the platform and payees at the simulated gateway, in the transaction that captures or refunds: a
captured payment goes to the payee's account whole, and the fee comes back from there."""

from sqlite3 import Connection, Row

from adapters.simulated_gateway.delivery import announce
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import Declined
from domain.payments import Share
from domain.shared.money import Money

TRANSFER, FEE, REVERSED, FEE_RETURNED = "transfer", "fee", "transfer_reversed", "fee_returned"


def agree(books: Connection, ref: str, share: Share) -> None:
    """This payment will go to that account; `Declined` where none takes charges."""
    payee = books.execute("select takes_charges from payees where ref = ?", (share.payee_ref,)).fetchone()
    if payee is None or not payee["takes_charges"]:
        raise Declined("payee_takes_no_charges", "the account this payment goes to takes no charges now")
    books.execute("insert into shared values (?, ?, ?)", (ref, share.payee_ref, share.fee.amount_minor))


def part_with(books: Connection, ref: str, *, ids: Ids, clock: Clock) -> None:
    """A payment was captured: if it is shared, it goes to its payee, less the fee."""
    shared, paid = _shared(books, ref), _paid(books, ref)
    if shared is not None:
        _move(books, TRANSFER, shared, paid["captured"], paid["currency"], ids=ids, clock=clock)
        _move(books, FEE, shared, shared["fee"], paid["currency"], ids=ids, clock=clock)


def take_back(books: Connection, ref: str, amount: Money, *, fee_back: bool, ids: Ids, clock: Clock) -> None:
    """So much of a payment is refunded: it comes from its payee's account, however little is there; of the fee so much
    goes back that it stays in proportion to what is kept of the payment. `Declined` where not so much is left of the
    transfer: a refund that its bank returned has taken its part back for good."""
    shared, paid = _shared(books, ref), _paid(books, ref)
    if shared is None:
        raise Declined("not_shared", "this payment went to no account")
    if amount.amount_minor > moved_sum(books, ref, TRANSFER) - moved_sum(books, ref, REVERSED):
        raise Declined("transfer_reversed", "less is left of the transfer than should come back")
    _move(books, REVERSED, shared, amount.amount_minor, amount.currency, ids=ids, clock=clock)
    if fee_back:
        gone = moved_sum(books, ref, REVERSED)
        in_all = (2 * shared["fee"] * gone + paid["captured"]) // (2 * paid["captured"])
        back = in_all - moved_sum(books, ref, FEE_RETURNED)
        _move(books, FEE_RETURNED, shared, back, amount.currency, ids=ids, clock=clock)


def moved_sum(books: Connection, ref: str, kind: str) -> int:
    """How much movements of that kind come to, of one payment."""
    question = "select coalesce(sum(amount), 0) from moved where payment_ref = ? and kind = ?"
    return int(books.execute(question, (ref, kind)).fetchone()[0])


def _shared(books: Connection, ref: str) -> Row | None:
    found: Row | None = books.execute("select * from shared where payment_ref = ?", (ref,)).fetchone()
    return found


def _paid(books: Connection, ref: str) -> Row:
    paid: Row = books.execute("select * from payments where ref = ?", (ref,)).fetchone()
    return paid


def _move(books: Connection, kind: str, shared: Row, amount: int, currency: str, *, ids: Ids, clock: Clock) -> None:
    if amount <= 0:
        return
    ref = f"sm_{ids.new().hex}"
    books.execute(
        "insert into moved values (?, ?, ?, ?, ?, ?)",
        (ref, shared["payment_ref"], kind, shared["payee_ref"], amount, currency),
    )
    first = books.execute(
        "select ref from moved where payment_ref = ? and kind = ? order by rowid limit 1",
        (shared["payment_ref"], TRANSFER if kind in (TRANSFER, REVERSED) else FEE),
    ).fetchone()
    # Told as it is at the real ones: what moved back is news of what had moved.
    thing = "transfer" if kind in (TRANSFER, REVERSED) else "fee"
    announce(books, f"{thing}.{_VERBS[kind]}", thing=(thing, first["ref"]), ids=ids, clock=clock)


_VERBS = {TRANSFER: "created", FEE: "created", REVERSED: "reversed", FEE_RETURNED: "refunded"}
