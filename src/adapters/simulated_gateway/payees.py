"""Payees at the simulated gateway: accounts that are opened by answering one page, pay out when told to, and can be
restricted or turned down; and what moved between them and the platform."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection, Row
from typing import TypeVar

from adapters.simulated_gateway.books import Books, note
from adapters.simulated_gateway.delivery import announce
from adapters.simulated_gateway.gateway import NAME, Wakes
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payees import AccountDesk, PayeeDesk, PayeeOrder, Shares
from domain.payments import GatewayPayee, GatewayPayout, GatewayShare, Movement, PayoutState, SourceKind
from domain.shared.errors import Conflict, NotFound
from domain.shared.money import Money

T = TypeVar("T")

AT_FIRST = ("identity", "bank_account")
"""What a new account is asked for."""
SENT = "payout"
"""What the journal says of a payout that was sent on its way."""
TAKES = timedelta(days=2)
"""How long a payout is under way."""


class SimulatedPayees(PayeeDesk, Shares, AccountDesk):
    """Behaves like a gateway to us (`PayeeDesk`, `Shares`), and to whoever stands behind an account (`AccountDesk`).
    `url` is where its own page is shown."""

    def __init__(self, books: Books, deliveries: Wakes, *, clock: Clock, ids: Ids, url: str) -> None:
        self._books, self._deliveries, self._clock, self._ids = books, deliveries, clock, ids
        self._url = url.rstrip("/")

    @property
    def name(self) -> str:
        return NAME

    # --- To us

    async def enrol(self, order: PayeeOrder) -> str:
        ref = f"sa_{order.payee_id.hex}"
        statement = (
            "insert into payees (ref, payee_id, name, email, wanted) values (?, ?, ?, ?, ?) on conflict do nothing"
        )
        told = (ref, str(order.payee_id), order.name, order.email, " ".join(AT_FIRST))
        await self._books.do(lambda books: books.execute(statement, told))
        return ref

    async def link(self, ref: str, *, return_url: str, refresh_url: str) -> str:
        await self._books.do(lambda books: _row(books, "payees", ref))
        return f"{self._url}/onboarding/{ref}"

    async def find(self, ref: str) -> GatewayPayee:
        return _payee(await self._books.do(lambda books: _row(books, "payees", ref)))

    async def share(self, payment_ref: str) -> GatewayShare:
        def work(books: Connection) -> GatewayShare:
            rows = books.execute("select * from moved where payment_ref = ? order by rowid", (payment_ref,)).fetchall()
            moved = tuple(
                Movement(kind=SourceKind(row["kind"]), ref=row["ref"], amount=Money(row["amount"], row["currency"]))
                for row in rows
            )
            return GatewayShare(gateway=NAME, payment_ref=payment_ref, moved=moved)

        return await self._books.do(work)

    async def behind(self, kind: SourceKind, ref: str) -> str:
        question = "select payment_ref from moved where ref = ? and kind = ?"
        row = await self._books.do(lambda books: books.execute(question, (ref, kind.value)).fetchone())
        if row is None:
            raise NotFound.of(kind.value, ref)
        return str(row["payment_ref"])

    async def payout(self, payee_ref: str, ref: str) -> GatewayPayout:
        row = await self._books.do(lambda books: _row(books, "payouts", ref))
        if row["payee_ref"] != payee_ref:
            raise NotFound.of("payout", ref)
        return payout_of(row)

    # --- To whoever stands behind an account

    async def answer(self, ref: str) -> GatewayPayee:
        """All that was asked for is answered; the account takes charges and pays out."""
        return await self._stand(ref, takes_charges=True, pays_out=True, submitted=True, wanted=())

    async def restrict(self, ref: str, *wanted: str, takes_charges: bool = False) -> GatewayPayee:
        """The gateway wants to know more, pays nothing out until it does, and takes no charges either unless told."""
        return await self._stand(ref, takes_charges=takes_charges, pays_out=False, submitted=True, wanted=wanted)

    async def reject(self, ref: str) -> GatewayPayee:
        """The gateway will not have it."""
        return await self._stand(ref, takes_charges=False, pays_out=False, submitted=True, wanted=(), rejected=True)

    async def balance(self, ref: str) -> dict[str, int]:
        """What is on the account, by currency; below zero is what it owes."""
        return await self._books.do(lambda books: _balance(books, ref))

    async def pay_out(self, ref: str) -> GatewayPayout | None:
        """Send all that is on the account to its bank, of one currency at a time; None when nothing is to be sent."""

        def work(books: Connection) -> GatewayPayout | None:
            if not _row(books, "payees", ref)["pays_out"]:
                return None
            there = sorted((currency, amount) for currency, amount in _balance(books, ref).items() if amount > 0)
            if not there:
                return None
            (currency, amount), payout = there[0], f"so_{self._ids.new().hex}"
            arrives_at = (self._clock.now() + TAKES).timestamp()
            books.execute(
                "insert into payouts (ref, payee_ref, state, amount, currency, arrives_at) values (?, ?, ?, ?, ?, ?)",
                (payout, ref, PayoutState.IN_TRANSIT.value, amount, currency, arrives_at),
            )
            note(books, SENT, payout, amount, currency, at=self._clock.now().timestamp())
            self._tell_of(books, "payout.created", ref, payout)
            return payout_of(_row(books, "payouts", payout))

        return await self._tell(work)

    async def arrive(self, ref: str, state: PayoutState, *, failure: str = "") -> GatewayPayout:
        """A payout reached its bank, was cancelled, or failed, even after it was paid."""

        def work(books: Connection) -> GatewayPayout:
            row = _row(books, "payouts", ref)
            if row["state"] in (PayoutState.FAILED.value, PayoutState.CANCELLED.value):
                raise Conflict("this payout is over", state=row["state"])
            books.execute("update payouts set state = ?, failure = ? where ref = ?", (state.value, failure, ref))
            self._tell_of(books, f"payout.{state.value}", row["payee_ref"], ref)
            return payout_of(_row(books, "payouts", ref))

        return await self._tell(work)

    async def _stand(
        self,
        ref: str,
        *,
        takes_charges: bool,
        pays_out: bool,
        submitted: bool,
        wanted: tuple[str, ...],
        rejected: bool = False,
    ) -> GatewayPayee:
        def work(books: Connection) -> GatewayPayee:
            _row(books, "payees", ref)
            books.execute(
                "update payees set takes_charges = ?, pays_out = ?, submitted = ?, wanted = ?, rejected = ?"
                " where ref = ?",
                (takes_charges, pays_out, submitted, " ".join(wanted), rejected, ref),
            )
            announce(books, "payee.updated", thing=("payee", ref), payee=ref, ids=self._ids, clock=self._clock)
            return _payee(_row(books, "payees", ref))

        return await self._tell(work)

    def _tell_of(self, books: Connection, kind: str, payee: str, payout: str) -> None:
        announce(books, kind, thing=("payout", payout), payee=payee, ids=self._ids, clock=self._clock)

    async def _tell(self, work: Callable[[Connection], T]) -> T:
        answer = await self._books.do(work)
        self._deliveries.wake()
        return answer


def _balance(books: Connection, ref: str) -> dict[str, int]:
    """What came and went, less what was sent to the bank and did not come back."""
    found: dict[str, int] = {}
    signs = {"transfer": 1, "fee_returned": 1, "fee": -1, "transfer_reversed": -1}
    for row in books.execute("select kind, amount, currency from moved where payee_ref = ?", (ref,)):
        found[row["currency"]] = found.get(row["currency"], 0) + signs[row["kind"]] * row["amount"]
    sent = "select amount, currency from payouts where payee_ref = ? and state not in ('failed', 'cancelled')"
    for row in books.execute(sent, (ref,)):
        found[row["currency"]] = found.get(row["currency"], 0) - row["amount"]
    return found


def _row(books: Connection, table: str, ref: str) -> Row:
    statement = {"payees": "select * from payees where ref = ?", "payouts": "select * from payouts where ref = ?"}
    found: Row | None = books.execute(statement[table], (ref,)).fetchone()
    if found is None:
        raise NotFound.of(table.removesuffix("s"), ref)
    return found


def _payee(row: Row) -> GatewayPayee:
    return GatewayPayee(
        gateway=NAME,
        ref=row["ref"],
        takes_charges=bool(row["takes_charges"]),
        pays_out=bool(row["pays_out"]),
        submitted=bool(row["submitted"]),
        rejected=bool(row["rejected"]),
        wanted=tuple(row["wanted"].split()),
    )


def payout_of(row: Row) -> GatewayPayout:
    return GatewayPayout(
        gateway=NAME,
        ref=row["ref"],
        state=PayoutState(row["state"]),
        amount=Money(row["amount"], row["currency"]),
        arrives_at=datetime.fromtimestamp(row["arrives_at"], UTC),
        failure=row["failure"],
    )
