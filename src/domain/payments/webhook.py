"""The inbox: what senders told us, kept before it is acted on, so that nothing told is lost or counted twice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict
from domain.shared.ids import WebhookId


class Outcome(StrEnum):
    """What came of a webhook: not looked at yet, acted on, nothing for us, about something we do not know, or in need
    of a person."""

    WAITING = "waiting"
    SETTLED = "settled"
    IGNORED = "ignored"
    UNMATCHED = "unmatched"
    ATTENTION = "attention"


class Topic(StrEnum):
    """What a sender tells us about: money, plans or payees (a gateway), or people (an issuer of identities)."""

    MONEY = "money"
    PLANS = "plans"
    PAYEES = "payees"
    PEOPLE = "people"


class DuplicateWebhook(Conflict):
    """This sender told us this before."""

    code = "webhook.duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceived(Event):
    """A verified webhook waits to be acted on."""

    name: ClassVar[str] = "webhook.received"
    webhook_id: WebhookId


@dataclass(eq=False, slots=True, kw_only=True)
class Webhook(Aggregate):
    """One verified message of a sender, about a payment, a refund or another `thing` (such as "subscription") under its
    reference; `payee_ref` is the account it happened at, where that is not the platform's own. `payload` is the raw
    body; but for people it is a hint only, and the sender is asked anew."""

    id: WebhookId
    topic: Topic
    sender: str
    external_id: str
    kind: str
    payment_ref: str | None = None
    refund_ref: str | None = None
    thing: str | None = None
    thing_ref: str | None = None
    payload: str
    occurred_at: datetime
    received_at: datetime
    processed_at: datetime | None = None
    outcome: Outcome = Outcome.WAITING
    note: str = ""
    payee_ref: str | None = None

    @classmethod
    def receive(
        cls,
        *,
        id: WebhookId,
        topic: Topic,
        sender: str,
        external_id: str,
        kind: str,
        payment_ref: str | None,
        refund_ref: str | None,
        payload: str,
        occurred_at: datetime,
        now: datetime,
        thing: str | None = None,
        thing_ref: str | None = None,
        payee_ref: str | None = None,
    ) -> "Webhook":
        """Keep a message whose signature was verified; the worker acts on it."""
        webhook = cls(
            id=id,
            topic=topic,
            sender=sender,
            external_id=external_id,
            kind=kind,
            payment_ref=payment_ref,
            refund_ref=refund_ref,
            thing=thing,
            thing_ref=thing_ref,
            payee_ref=payee_ref,
            payload=payload,
            occurred_at=occurred_at,
            received_at=now,
        )
        webhook._record(WebhookReceived(webhook_id=id))
        return webhook

    @property
    def is_processed(self) -> bool:
        """Whether it was acted on; that is written in the commit of its effect."""
        return self.processed_at is not None

    def process(self, outcome: Outcome, *, note: str = "", now: datetime) -> None:
        """Say what came of it."""
        self.processed_at = now
        self.outcome = outcome
        self.note = note

    def replay(self) -> None:
        """Act on it again; acting twice has one effect."""
        self.processed_at = None
        self.outcome = Outcome.WAITING
        self.note = ""
        self._record(WebhookReceived(webhook_id=self.id))
