"""Disputes and warnings, in our own words: what customers' banks ask of a gateway, and what we answer through it."""

from dataclasses import dataclass
from typing import Protocol

from domain.payments import Evidence, GatewayDispute, GatewayWarning
from domain.shared.ids import DisputeId

MOST_DOCUMENT_BYTES = 4_500_000
"""What a gateway takes of a document, all in all."""

DOCUMENT_TYPES = frozenset({"application/pdf", "image/jpeg", "image/png"})
"""What kinds of documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that goes with evidence."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceOrder:
    """Give the bank this evidence, as our last word. A dispute is answered once, however often this is ordered."""

    dispute_id: DisputeId
    dispute_ref: str
    evidence: Evidence
    document: Document | None


class DisputeDesk(Protocol):
    """Where a gateway tells of disputes and takes our side of them."""

    async def find_dispute(self, ref: str) -> GatewayDispute:
        """How it stands now; `NotFound` or `GatewayUnavailable`."""
        ...

    async def find_warning(self, ref: str) -> GatewayWarning:
        """How a warning of fraud stands now; `NotFound` or `GatewayUnavailable`."""
        ...

    async def answer(self, order: EvidenceOrder) -> GatewayDispute:
        """Hand the evidence in; `Declined` when the gateway will not have it, such as after its deadline;
        `GatewayUnavailable` or `GatewaySilent`."""
        ...
