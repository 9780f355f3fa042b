"""Accounts: signing up, confirming the address, and seeing who one is."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.identity.administration import UserView
from application.identity.enrolment import enrol
from application.identity.letters import Address, Link, OffersLinks, spend, watched
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.identity import OneTimeSecrets, PasswordHasher, SecurityLog
from application.ports.readers import Readers
from application.ports.unit_of_work import Begin
from domain.identity import (
    BadEmail,
    BadLink,
    Client,
    EmailTaken,
    Purpose,
    RoleNotOpen,
    User,
    WeakPassword,
    email_address,
)
from domain.profiles import BadLocale, Particulars
from domain.shared.actors import Actor, Role
from domain.shared.errors import Invalid, NotFound, Refusal, Unauthenticated, Unavailable
from domain.shared.ids import SessionId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class NameView:
    """What a user is called."""

    source: ClassVar[str] = "profiles"
    id: UserId
    name: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The one who asks, as the house knows them."""

    id: UserId
    email: str | None
    role: Role
    email_verified: bool
    name: str
    zone: str
    session_id: SessionId | None
    created_at: datetime


@submitted
class SignUpForm:
    """Who you are and what you come for."""

    email: str
    """Your e-mail address; a link to confirm it is sent there."""
    password: str
    """At least 10 characters; not your address, and not what everybody tries first."""
    name: str
    """What others call you."""
    role: Role = Role.CUSTOMER
    """Whether you come to book (`customer`) or also to offer work (`provider`)."""
    locale: str = "en"
    """The language you read, such as "en" or "pt-BR"."""
    zone: str = "UTC"
    """Your IANA time zone, such as "Europe/Lisbon"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp(OffersLinks):
    """Ask for an account of your own. The answer is the same whether or not the address has one already: a new account
    is sent a link to confirm it, an existing one is told that somebody tried. A provider gets an organization too."""

    passwords: PasswordHasher
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadEmail,
        WeakPassword,
        RoleNotOpen,
        BadLocale,
        Invalid,
        Unavailable,
    )

    async def __call__(self, actor: Actor, form: SignUpForm) -> None:
        user = User.sign_up(id=UserId(self.ids.new()), email=form.email, role=form.role, now=self.clock.now())
        particulars = Particulars(name=form.name, locale=form.locale, zone=form.zone)
        self.identity_rules.passwords.judge(form.password, email=user.email)
        password_hash = await self.passwords.hash(form.password)
        try:
            await self._admit(actor, user, password_hash, particulars)
        except EmailTaken:
            # Two signed up with one address at once: the second run finds the account of the first.
            await self._admit(actor, user, password_hash, particulars)

    async def _admit(self, actor: Actor, user: User, password_hash: str, particulars: Particulars) -> None:
        now = user.created_at
        async with self.begin(actor) as work:
            present = await work.users.first(email=user.email)
            if present is None:
                enrol(work, user, password_hash=password_hash, particulars=particulars, ids=self.ids, now=now)
                self._issue(work, user, Purpose.VERIFY_EMAIL, now=now)
            elif present.verified:
                await self._warn(work, present, now=now)
            else:
                await self._offer(work, present.must_be_reachable(), present, Purpose.VERIFY_EMAIL, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmail:
    """Confirm an address with the link that was sent there: the one that was signed up with, or another one that was
    asked for. It works once, and only when it is submitted: opening it changes nothing."""

    begin: Begin
    clock: Clock
    one_time_secrets: OneTimeSecrets
    security_log: SecurityLog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadLink, EmailTaken)

    async def __call__(self, actor: Actor, link: Link, client: Client = Client()) -> User:
        now, purposes = self.clock.now(), (Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        async with watched(self.security_log, actor, client, purpose=Purpose.VERIFY_EMAIL), self.begin(actor) as work:
            spent = await spend(work, self.one_time_secrets, link, *purposes, now=now)
            if spent.address is None:
                spent.user.verify_email(now=now)
            else:
                spent.user.take_address(spent.address, now=now)
            return work.answer(spent.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendVerification(OffersLinks):
    """Send the link to confirm an address again. The answer is the same whether or not there is anything to confirm."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadEmail,)

    async def __call__(self, actor: Actor, address: Address) -> None:
        await self._ask(actor, email_address(address.email), Purpose.VERIFY_EMAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAmI:
    """The account that asks: address, role, whether the address is confirmed, name and session."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor) -> Account:
        user = await self.readers.one(actor, UserView, actor.signed_in())
        profile = await self.readers.one(actor, NameView, user.id)
        return Account(
            id=user.id,
            email=user.email,
            role=user.role,
            email_verified=user.email_verified_at is not None,
            name=profile.name,
            zone=profile.zone,
            session_id=actor.session_id,
            created_at=user.created_at,
        )
