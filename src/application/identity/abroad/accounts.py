"""Accounts kept elsewhere: signing up, confirming the address, and making them for others."""

from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

from application.identity.abroad.coming_in import ComesIn
from application.identity.accounts import SignUpForm
from application.identity.administration import ForAnAdmin, ForSomebody, ListUsers, NewUser, UserFilter, UserView
from application.identity.letters import Link
from application.identity.meeting import meet_abroad
from application.ports.clock import Clock
from application.ports.criteria import AnyOf, Position
from application.ports.identity_provider import Applicant, ForeignAccounts, ForeignUsers
from application.ports.ids import Ids
from application.ports.readers import Page
from application.ports.unit_of_work import Begin
from domain.identity import (
    AccessEnded,
    AccountSuspended,
    BadEmail,
    BadLink,
    Client,
    EmailTaken,
    HalfConfirmed,
    IdentityRules,
    IdentityTaken,
    NotOffered,
    Purpose,
    RoleNotOpen,
    User,
    WeakPassword,
    email_address,
)
from domain.profiles import BadLocale, Particulars
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import Invalid, Refusal, TooMany, Unavailable
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpAbroad:
    """Ask for an account with whoever keeps them. The answer is the same whether or not the address has one already;
    the user comes into being here when they first come in."""

    clock: Clock
    ids: Ids
    foreign_accounts: ForeignAccounts
    identity_rules: IdentityRules
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadEmail,
        WeakPassword,
        RoleNotOpen,
        BadLocale,
        Invalid,
        NotOffered,
        Unavailable,
    )

    async def __call__(self, actor: Actor, form: SignUpForm) -> None:
        # Judged as at the house's own door, by the user it would have been.
        User.sign_up(id=UserId(self.ids.new()), email=form.email, role=form.role, now=self.clock.now())
        email = email_address(form.email)
        said = Particulars(name=form.name, locale=form.locale, zone=form.zone)
        self.identity_rules.passwords.judge(form.password, email=email)
        applicant = Applicant(email=email, password=form.password, particulars=said, role=form.role)
        await self.foreign_accounts.sign_up(applicant)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmailAbroad(ComesIn):
    """Confirm an address with the link that was sent there. It works once. The session that comes with it is not kept:
    confirming signs nobody in."""

    foreign_accounts: ForeignAccounts
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadLink, HalfConfirmed, AccountSuspended, AccessEnded)

    async def __call__(self, actor: Actor, link: Link, client: Client = Client()) -> User:
        async with self._watched("link.refused", actor, client):
            granted = await self.foreign_accounts.redeem(link.token, Purpose.VERIFY_EMAIL)
            user = await self._meet(actor, granted)
            await self.foreign_sessions.end(granted.access_token)
            return user


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatesUsersAbroad:
    """What use cases share that make accounts for others. The account is made first: one that is not met here is met
    when its user first comes in, or when the same account is asked for again."""

    begin: Begin
    clock: Clock
    ids: Ids
    foreign_users: ForeignUsers
    identity_rules: IdentityRules

    async def _create(self, actor: Actor, new: NewUser) -> User:
        email = email_address(new.email)
        said = Particulars(name=new.name, locale=new.locale, zone=new.zone)
        self.identity_rules.passwords.judge(new.password, email=email)
        async with self.begin(actor) as work:
            if await work.users.first(email=email):
                raise EmailTaken
        applicant = Applicant(email=email, password=new.password, particulars=said, role=new.role)
        stranger = await self.foreign_users.create(applicant)
        async with self.begin(actor) as work:
            user = await meet_abroad(
                work, stranger, rules=self.identity_rules, ids=self.ids, now=self.clock.now(), role=new.role
            )
            return work.answer(user)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserAbroad(CreatesUsersAbroad, ForSomebody):
    """Make an account for somebody whose address is known to be theirs, with whoever keeps accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAdminAbroad(CreatesUsersAbroad, ForAnAdmin):
    """Make an admin at the machine's own command line, with an account elsewhere; what they are is known only here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsersAbroad(ListUsers):
    """Users, the newest first. Who has confirmed an account with whoever keeps them and was never here is met first, so
    that everybody is there; if nobody answers, those who were here are."""

    begin: Begin
    clock: Clock
    ids: Ids
    foreign_users: ForeignUsers
    identity_rules: IdentityRules

    async def __call__(
        self, actor: Actor, wanted: UserFilter, *, after: Position | None = None, limit: int = 50
    ) -> Page[UserView]:
        actor.must_be_admin()
        if after is None:
            with suppress(Unavailable, TooMany):
                await self._meet_the_new(actor)
        return await ListUsers.__call__(self, actor, wanted, after=after, limit=limit)

    async def _meet_the_new(self, actor: Actor) -> None:
        """From the newest on, up to a page of which everybody is known."""
        for number in count(1):
            page = [one for one in await self.foreign_users.page(number) if one.email_verified]
            async with self.begin(actor) as work:
                subjects = AnyOf(tuple(one.subject for one in page))
                issuer = self.foreign_users.issuer
                known = {one.subject for one in await work.external_identities.find(issuer=issuer, subject=subjects)}
            new = [one for one in page if one.subject not in known]
            for stranger in new:
                with suppress(AccountSuspended, EmailTaken, IdentityTaken):
                    async with self.begin(SYSTEM) as work:
                        rules, now = self.identity_rules, self.clock.now()
                        await meet_abroad(work, stranger, rules=rules, ids=self.ids, now=now)
            if not new:
                return
