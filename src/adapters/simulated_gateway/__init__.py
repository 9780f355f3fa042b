"""A payment gateway that moves no money and behaves like one that does: it keeps its own books in SQLite, asks for
second steps, declines, honours idempotency keys and tells us by signed webhooks, late and more than once if it must."""

from adapters.simulated_gateway.billing import SimulatedBilling
from adapters.simulated_gateway.books import Books, note
from adapters.simulated_gateway.cards import CARDS
from adapters.simulated_gateway.carrier import Carrier
from adapters.simulated_gateway.delivery import Deliveries
from adapters.simulated_gateway.disputes import SimulatedDisputes
from adapters.simulated_gateway.gateway import SimulatedGateway
from adapters.simulated_gateway.payees import SimulatedPayees
from adapters.simulated_gateway.records import SimulatedRecords
from adapters.simulated_gateway.signature import HEADER, SimulatedVerifier, signed
from adapters.simulated_gateway.wallet import SimulatedWallet

__all__ = [
    "CARDS",
    "HEADER",
    "Books",
    "Carrier",
    "Deliveries",
    "SimulatedBilling",
    "SimulatedDisputes",
    "SimulatedGateway",
    "SimulatedPayees",
    "SimulatedRecords",
    "SimulatedVerifier",
    "SimulatedWallet",
    "note",
    "signed",
]
