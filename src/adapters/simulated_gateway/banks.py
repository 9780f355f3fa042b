"""Customers' banks at the simulated gateway: they dispute what was paid, take the money, decide, and warn of fraud. Of
some test cards they do so by themselves."""

from sqlite3 import Connection, Row

from adapters.simulated_gateway.cards import Card
from adapters.simulated_gateway.delivery import announce
from application.ports.clock import Clock
from application.ports.ids import Ids
from domain.payments import DisputeState
from domain.shared.errors import NotFound
from domain.shared.money import EXPONENTS

EVIDENCE_SECONDS = 14 * 86_400.0
"""How long a bank waits for evidence."""
FEE = 15
"""What a dispute costs, in major units of its currency."""
_OPEN = "('needs_response', 'under_review')"


def bank_acts(books: Connection, payment_ref: str, card: Card, *, ids: Ids, clock: Clock) -> None:
    """What the bank of that card does once it has paid."""
    if card.warned:
        warn(books, payment_ref, ids=ids, clock=clock)
    if card.disputed:
        open_dispute(books, payment_ref, reason="fraudulent", ids=ids, clock=clock)


def open_dispute(
    books: Connection, payment_ref: str, *, reason: str, amount: int | None = None, ids: Ids, clock: Clock
) -> str:
    """Ask for the money of a payment back, all of it if nothing is said, and take it at once, with a fee."""
    paid = books.execute("select * from payments where ref = ?", (payment_ref,)).fetchone()
    amount = paid["captured"] if amount is None else amount
    ref, now = f"sd_{ids.new().hex}", clock.now().timestamp()
    books.execute(
        "insert into disputes (ref, payment_ref, state, reason, amount, currency, taken, fee, due_at, opened_at)"
        " values (?, ?, 'needs_response', ?, ?, ?, ?, ?, ?, ?)",
        (
            ref,
            payment_ref,
            reason,
            amount,
            paid["currency"],
            amount,
            FEE * 10 ** EXPONENTS[paid["currency"]],
            now + EVIDENCE_SECONDS,
            now,
        ),
    )
    tell(books, "created", payment_ref, ref, ids=ids, clock=clock)
    tell(books, "funds_withdrawn", payment_ref, ref, ids=ids, clock=clock)
    return ref


def decide(books: Connection, ref: str, *, won: bool, ids: Ids, clock: Clock) -> None:
    """The bank decides; what it had taken comes back when it is won. The fee is gone either way."""
    row = dispute_row(books, ref)
    if row["state"] in (DisputeState.WON, DisputeState.LOST):
        return
    returned = row["taken"] if won else 0
    state = DisputeState.WON if won else DisputeState.LOST
    books.execute("update disputes set state = ?, returned = ? where ref = ?", (state.value, returned, ref))
    tell(books, "closed", row["payment_ref"], ref, ids=ids, clock=clock)
    if won:
        tell(books, "funds_reinstated", row["payment_ref"], ref, ids=ids, clock=clock)


def warn(books: Connection, payment_ref: str, *, ids: Ids, clock: Clock) -> str:
    """Tell that the card's owner knows nothing of a payment."""
    ref = f"sw_{ids.new().hex}"
    books.execute(
        "insert into warnings (ref, payment_ref, reason, warned_at) values (?, ?, 'made_with_stolen_card', ?)",
        (ref, payment_ref, clock.now().timestamp()),
    )
    announce(books, "warning.created", payment=payment_ref, thing=("warning", ref), ids=ids, clock=clock)
    return ref


def dispute_row(books: Connection, ref: str) -> Row:
    """A dispute of these books."""
    found: Row | None = books.execute("select * from disputes where ref = ?", (ref,)).fetchone()
    if found is None:
        raise NotFound.of("dispute", ref)
    return found


def is_contested(books: Connection, payment_ref: str) -> bool:
    """Whether a bank decides about the payment now."""
    question = f"select count(*) from disputes where payment_ref = ? and state in {_OPEN}"  # noqa: S608 - ours
    return bool(books.execute(question, (payment_ref,)).fetchone()[0])


def contested(books: Connection, payment_ref: str) -> int:
    """What banks have taken of the payment and not returned."""
    question = "select coalesce(sum(taken - returned), 0) from disputes where payment_ref = ?"
    return int(books.execute(question, (payment_ref,)).fetchone()[0])


def tell(books: Connection, what: str, payment_ref: str, ref: str, *, ids: Ids, clock: Clock) -> None:
    """Owe a message about a dispute."""
    announce(books, f"dispute.{what}", payment=payment_ref, thing=("dispute", ref), ids=ids, clock=clock)
