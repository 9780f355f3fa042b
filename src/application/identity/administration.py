"""Looking after users: finding, making, suspending and restoring them, and what they are to the marketplace."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from application.identity.closing import close_all
from application.identity.enrolment import enrol, set_up_alone
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.criteria import Order, Position, Present
from application.ports.identity import PasswordHasher
from application.ports.ids import Ids
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.identity import (
    AlreadySuspended,
    BadEmail,
    EmailTaken,
    EndReason,
    IdentityRules,
    NotSuspended,
    OwnAccount,
    User,
    WeakPassword,
    email_address,
)
from domain.profiles import BadLocale, Particulars
from domain.shared.actors import Actor, Kind, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Outdated, Refusal, Unauthenticated, Unavailable
from domain.shared.ids import UserId


class OperatorsOnly(Forbidden):
    """This is done at the machine's own command line."""

    code = "identity.operators_only"

    def __init__(self) -> None:
        super().__init__("only an operator at the command line may do this")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A user, as they and admins see them."""

    source: ClassVar[str] = "users"
    id: UserId
    version: int
    email: str | None
    role: Role
    email_verified_at: datetime | None
    suspended_at: datetime | None
    created_at: datetime


@submitted
class UserFilter:
    """Which users."""

    role: Role | None = None
    """Only those of that role."""
    suspended: bool | None = None
    """Only those suspended, or only those not."""
    email: str | None = None
    """Only the one of exactly that address."""


@submitted
class NewAdmin:
    """The admin to be."""

    email: str
    """Their e-mail address; it counts as confirmed."""
    name: str
    """What others call them."""
    password: str
    """Their first password."""


@submitted
class NewUser:
    """The user to be."""

    email: str
    """Their e-mail address; it counts as confirmed."""
    name: str
    """What others call them."""
    password: str
    """Their first password."""
    role: Role = Role.CUSTOMER
    """What they are to the marketplace."""
    locale: str = "en"
    """The language they read."""
    zone: str = "UTC"
    """Their IANA time zone."""


@submitted
class Suspension:
    """Why the account is closed."""

    reason: str
    """For the record; not shown to the user."""
    expected_version: int | None = None
    """The version of the user you decided on."""


@submitted
class NewRole:
    """What the user shall be."""

    role: Role
    """The new role; it binds at their next request."""
    expected_version: int | None = None
    """The version of the user you decided on."""


class Creates(Protocol):
    """Whoever makes accounts, here or elsewhere."""

    async def _create(self, actor: Actor, new: NewUser) -> User: ...


class ForSomebody:
    """An account made by an admin, for somebody whose address is known to be theirs."""

    __slots__ = ()
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        BadEmail,
        WeakPassword,
        BadLocale,
        Invalid,
        EmailTaken,
        Unavailable,
    )

    async def __call__(self: Creates, actor: Actor, new: NewUser) -> User:
        actor.must_be_admin()
        return await self._create(actor, new)


class ForAnAdmin:
    """An admin's account, made at the machine's own command line, where the first one comes from."""

    __slots__ = ()
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        OperatorsOnly,
        BadEmail,
        WeakPassword,
        Invalid,
        EmailTaken,
        Unavailable,
    )

    async def __call__(self: Creates, actor: Actor, new: NewAdmin) -> User:
        if actor.kind not in (Kind.OPERATOR, Kind.SYSTEM):
            raise OperatorsOnly
        admin = NewUser(email=new.email, name=new.name, password=new.password, role=Role.ADMIN)
        return await self._create(actor, admin)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatesUsers:
    """What use cases share that make accounts of the house's own."""

    begin: Begin
    clock: Clock
    ids: Ids
    passwords: PasswordHasher
    identity_rules: IdentityRules

    async def _create(self, actor: Actor, new: NewUser) -> User:
        now = self.clock.now()
        user = User.create(id=UserId(self.ids.new()), email=new.email, role=new.role, now=now)
        particulars = Particulars(name=new.name, locale=new.locale, zone=new.zone)
        self.identity_rules.passwords.judge(new.password, email=user.email)
        password_hash = await self.passwords.hash(new.password)
        async with self.begin(actor) as work:
            enrol(work, user, password_hash=password_hash, particulars=particulars, ids=self.ids, now=now)
            return work.answer(user)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser(CreatesUsers, ForSomebody):
    """Make an account for somebody whose address is known to be theirs. A provider gets an organization too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAdmin(CreatesUsers, ForAnAdmin):
    """Make an admin at the machine's own command line, where the first one comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsers:
    """Users, the newest first."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, BadEmail)

    async def __call__(
        self, actor: Actor, wanted: UserFilter, *, after: Position | None = None, limit: int = 50
    ) -> Page[UserView]:
        actor.must_be_admin()
        where: dict[str, object] = {}
        if wanted.role is not None:
            where["role"] = wanted.role
        if wanted.suspended is not None:
            where["suspended_at"] = Present() if wanted.suspended else None
        if wanted.email is not None:
            where["email"] = email_address(wanted.email)
        newest = Order("created_at", descending=True)
        return await self.readers.page(actor, UserView, where, order=newest, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetUser:
    """One user."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, NotFound)

    async def __call__(self, actor: Actor, user_id: UserId) -> UserView:
        actor.must_be_admin()
        return await self.readers.one(actor, UserView, user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendUser:
    """Close an account: its sessions end, its links become worthless, and it cannot sign in."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        OwnAccount,
        NotFound,
        AlreadySuspended,
        Outdated,
        Invalid,
    )

    async def __call__(self, actor: Actor, user_id: UserId, suspension: Suspension) -> User:
        actor.must_be_admin()
        now = self.clock.now()
        async with self.begin(actor) as work:
            user = await work.users.get(user_id)
            user.must_be(suspension.expected_version)
            user.suspend(by=actor, reason=suspension.reason, now=now)
            await close_all(work, user, EndReason.SUSPENDED, now=now)
            return work.answer(user)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreUser:
    """Open a suspended account again; its user signs in anew."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, OwnAccount, NotFound, NotSuspended)

    async def __call__(self, actor: Actor, user_id: UserId) -> User:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            user = await work.users.get(user_id)
            user.restore(by=actor)
            return work.answer(user)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRole:
    """Make a user something else to the marketplace; it binds at their next request. Who becomes a provider and belongs
    to no organization gets one."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        OwnAccount,
        NotFound,
        Outdated,
    )

    async def __call__(self, actor: Actor, user_id: UserId, new: NewRole) -> User:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            user = await work.users.get(user_id)
            user.must_be(new.expected_version)
            user.change_role(new.role, by=actor)
            if new.role is Role.PROVIDER and not await work.memberships.first(user_id=user_id):
                profile = await work.profiles.get(user_id)
                set_up_alone(work, user_id, name=profile.name, ids=self.ids, now=self.clock.now())
            return work.answer(user)
