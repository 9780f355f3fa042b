"""One unit of work: what a use case loads and changes is written on leaving the block, all of it or nothing."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from application.ports.collections import Collection
from domain.bookings import Booking
from domain.files import StoredFile
from domain.identity import Credential, ExternalIdentity, OAuthFlow, OneTimeToken, RefreshToken, Session, User
from domain.jobs import Job, Rating
from domain.messaging import Conversation, Message, Participant
from domain.notifications import Mail, Notification
from domain.organizations import Membership, Organization
from domain.payments import LedgerEntry, Payment, Refund, Webhook
from domain.profiles import Profile
from domain.reviews import Review
from domain.scheduling import Availability
from domain.shared.actors import Actor
from domain.shared.aggregate import Aggregate, Event

T = TypeVar("T", bound=Aggregate)


class Work(Protocol):
    """The collections of the business, and what a commit can promise beyond writing rows."""

    @property
    def users(self) -> Collection[User]: ...
    @property
    def credentials(self) -> Collection[Credential]: ...
    @property
    def external_identities(self) -> Collection[ExternalIdentity]: ...
    @property
    def sessions(self) -> Collection[Session]: ...
    @property
    def refresh_tokens(self) -> Collection[RefreshToken]: ...
    @property
    def one_time_tokens(self) -> Collection[OneTimeToken]: ...
    @property
    def oauth_flows(self) -> Collection[OAuthFlow]: ...
    @property
    def profiles(self) -> Collection[Profile]: ...
    @property
    def organizations(self) -> Collection[Organization]: ...
    @property
    def memberships(self) -> Collection[Membership]: ...
    @property
    def jobs(self) -> Collection[Job]: ...
    @property
    def ratings(self) -> Collection[Rating]: ...
    @property
    def availabilities(self) -> Collection[Availability]: ...
    @property
    def bookings(self) -> Collection[Booking]: ...
    @property
    def payments(self) -> Collection[Payment]: ...
    @property
    def refunds(self) -> Collection[Refund]: ...
    @property
    def ledger(self) -> Collection[LedgerEntry]: ...
    @property
    def webhooks(self) -> Collection[Webhook]: ...
    @property
    def reviews(self) -> Collection[Review]: ...
    @property
    def conversations(self) -> Collection[Conversation]: ...
    @property
    def participants(self) -> Collection[Participant]: ...
    @property
    def messages(self) -> Collection[Message]: ...
    @property
    def notifications(self) -> Collection[Notification]: ...
    @property
    def mails(self) -> Collection[Mail]: ...
    @property
    def files(self) -> Collection[StoredFile]: ...

    def lock(self, resource: str) -> None:
        """Serialise this commit with every other that names the same resource, such as "provider:<id>"."""
        ...

    def guard(self, aggregate: Aggregate) -> None:
        """Refuse the commit (`StaleVersion`) if this aggregate, only read here, has changed by then."""
        ...

    def tally(self, series: str, by: int, *, ceiling: int | None = None) -> None:
        """Move a counter in the commit itself; refused when it would pass `ceiling` (seats, quota)."""
        ...

    def number(self, aggregate: Aggregate, field: str, *, series: str) -> None:
        """Let the commit write the next gapless number of `series` into that field of a new aggregate."""
        ...

    def schedule(self, event: Event, *, about: Aggregate, at: datetime) -> None:
        """Let the worker fire `event` at that instant; its reactions check the state of things then."""
        ...

    def answer(self, aggregate: T) -> T:
        """Keep this aggregate's state as the command's answer, so that a retry finds it; returns it."""
        ...


class Begin(Protocol):
    """Opens a unit of work in the name of an actor. Leaving it cleanly commits; leaving it by an exception drops it."""

    def __call__(self, actor: Actor) -> AbstractAsyncContextManager[Work]: ...
