"""Answering banks: evidence is written down, submitted once and in time, and handed to the gateway; a warning is heeded
by giving the money back."""

from dataclasses import dataclass
from typing import ClassVar

from application.inputs import submitted
from application.parties import manages
from application.payments.disputing import move_dispute
from application.ports.clock import Clock
from application.ports.disputes import (
    DOCUMENT_TYPES,
    MOST_DOCUMENT_BYTES,
    DisputeDesk,
    Document,
    EvidenceOrder,
)
from application.ports.files import ObjectMissing, Objects
from application.ports.ids import Ids
from application.ports.payments import Declined, GatewaySilent, GatewayUnavailable
from application.ports.unit_of_work import Begin, Work
from domain.files import FileNotStored, FileTooLarge, StoredFile, TypeNotAllowed
from domain.payments import (
    Dispute,
    DisputeOver,
    Evidence,
    EvidenceSubmitted,
    EvidenceTooLate,
    GatewayDispute,
    NothingToSay,
    PaymentDisputed,
    Refund,
    RefundTooLarge,
    WarningHeeded,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import DisputeId, FileId, FraudWarningId, RefundId


@submitted
class EvidenceDraft:
    """What we have to say in a dispute. What is left out is not said."""

    explanation: str = ""
    """What happened, in your own words; up to 20,000 characters, like the other two long texts."""
    service: str = ""
    """What was sold, and that it was delivered."""
    service_date: str = ""
    """When it was done, as you would write it."""
    customer_name: str = ""
    """Who the customer is."""
    customer_email: str = ""
    """Where the customer is written to."""
    cancellation_policy: str = ""
    """What the customer had agreed to."""
    file_id: FileId | None = None
    """A file of yours that shows it: a PDF, JPEG or PNG of up to 4.5 MB."""
    expected_version: int | None = None
    """The version of the dispute you saw; refused when it has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareEvidence:
    """Write down what is to be said in a dispute. It can be rewritten until it is submitted."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        DisputeOver,
        EvidenceTooLate,
        FileNotStored,
        TypeNotAllowed,
        FileTooLarge,
        Outdated,
        Invalid,
    )
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, dispute_id: DisputeId, draft: EvidenceDraft) -> Dispute:
        async with self.begin(actor) as work:
            dispute = await _theirs(work, actor, dispute_id)
            dispute.must_be(draft.expected_version)
            if draft.file_id is not None and draft.file_id != dispute.evidence_file_id:
                _must_be_document(await _own_file(work, actor, draft.file_id))
            evidence = Evidence(
                explanation=draft.explanation,
                service=draft.service,
                service_date=draft.service_date,
                customer_name=draft.customer_name,
                customer_email=draft.customer_email,
                cancellation_policy=draft.cancellation_policy,
            )
            dispute.prepare(evidence, draft.file_id, now=self.clock.now())
            return work.answer(dispute)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitEvidence:
    """Give the customer's bank what is written down, before the deadline. It is the last word: there is no second."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        DisputeOver,
        EvidenceTooLate,
        NothingToSay,
    )
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, dispute_id: DisputeId) -> Dispute:
        async with self.begin(actor) as work:
            dispute = await _theirs(work, actor, dispute_id)
            dispute.submit(now=self.clock.now())
            return work.answer(dispute)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEvidence:
    """Evidence that was submitted is handed to the gateway, with its document, under the dispute's own id. What the
    gateway will not have can be mended while there is time."""

    begin: Begin
    clock: Clock
    ids: Ids
    dispute_desk: DisputeDesk
    objects: Objects

    async def __call__(self, actor: Actor, event: EvidenceSubmitted) -> None:
        async with self.begin(actor) as work:
            dispute = await work.disputes.get(event.dispute_id)
            file_id = dispute.evidence_file_id
            file = await work.files.first(id=file_id) if file_id else None
        if not dispute.submitting:
            return
        answer = await self._hand_in(dispute, file, wanted=file_id is not None)
        async with self.begin(actor) as work:
            payment = await work.payments.get(dispute.payment_id)
            dispute = await work.disputes.get(event.dispute_id)
            if isinstance(answer, str):
                dispute.refuse_evidence(answer)
                return
            now = self.clock.now()
            dispute.taken_note_of(now=now)
            move_dispute(work, dispute, payment, answer, ids=self.ids, now=now)

    async def _hand_in(self, dispute: Dispute, file: StoredFile | None, *, wanted: bool) -> GatewayDispute | str:
        """How the dispute stands once the evidence is in, or why it is not."""
        document = None
        if wanted:
            if file is None or not file.is_stored:
                return "the document is gone"
            try:
                document = await self._document(file)
            except ObjectMissing:
                return "the document is gone"
        order = EvidenceOrder(
            dispute_id=DisputeId(dispute.id),
            dispute_ref=dispute.gateway_ref,
            evidence=dispute.evidence,
            document=document,
        )
        try:
            return await self.dispute_desk.answer(order)
        except Declined as refusal:
            return refusal.reason
        except GatewaySilent as silence:
            raise GatewayUnavailable("the evidence was not acknowledged; it is handed in again") from silence

    async def _document(self, file: StoredFile) -> Document:
        content = b"".join([piece async for piece in self.objects.read(file.key())])
        return Document(name=file.name, content_type=file.content_type, content=content)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeedWarning:
    """Give back at once all that is left of a payment a bank warned of, before it becomes a dispute; admins only."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        NotFound,
        WarningHeeded,
        PaymentDisputed,
        RefundTooLarge,
    )
    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, warning_id: FraudWarningId) -> Refund:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            warning = await work.fraud_warnings.get(warning_id)
            payment = await work.payments.get(warning.payment_id)
            refund_id = RefundId(self.ids.new())
            warning.heed(refund_id)
            refund = Refund.request(
                id=refund_id,
                payment=payment,
                amount=payment.refundable,
                reason="the bank warned that the card may be stolen",
                now=self.clock.now(),
            )
            work.refunds.add(refund)
            return work.answer(refund)


async def _theirs(work: Work, actor: Actor, dispute_id: DisputeId) -> Dispute:
    """The dispute, for who performed what is disputed and for who may see the organization's money; to others it does
    not exist."""
    dispute = await work.disputes.get(dispute_id)
    if actor.is_user(dispute.provider_id) or await manages(work, actor, dispute.organization_id):
        return dispute
    raise NotFound.of("dispute", dispute_id)


async def _own_file(work: Work, actor: Actor, file_id: FileId) -> StoredFile:
    file = await work.files.get(file_id)
    if not actor.is_user(file.owner_id) or file.is_deleted:
        raise NotFound.of("file", file_id)
    return file


def _must_be_document(file: StoredFile) -> None:
    if not file.is_stored:
        raise FileNotStored
    if file.content_type not in DOCUMENT_TYPES:
        raise TypeNotAllowed(file.content_type, DOCUMENT_TYPES)
    if file.size is not None and file.size > MOST_DOCUMENT_BYTES:
        raise FileTooLarge(file.size, MOST_DOCUMENT_BYTES)
