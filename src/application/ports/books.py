"""The ledger below its readers: the chain of its entries, and what they come to."""

from collections.abc import Sequence
from typing import Protocol

from application.ports.chains import Chain
from domain.payments import Balance, LedgerEntry


class LedgerChain(Chain[LedgerEntry], Protocol):
    """The chain of all movements of money. Whatever is sealed is counted into the balance of its account in the same
    commit."""

    async def balances(self) -> Sequence[Balance]:
        """What the sealed entries of each account come to."""
        ...
