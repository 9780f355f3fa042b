"""What our adapters ask of Supabase's Auth, asked of the stand-in in both shapes of its refusals; and, where a project
is named for the tests (see `tests/support/postgrest.py`), of that project, unchanged.

A link is not read from a mail but made by the project itself for whoever has its secret key. Every account made here is
deleted again."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.supabase.auth import AuthApi, SupabaseAccounts, SupabaseSessions, SupabaseUsers
from adapters.supabase.project import Project
from adapters.system.clock import SystemClock
from application.ports.identity_provider import Applicant, Granted
from domain.identity import (
    AccountSuspended,
    BadLink,
    BadRefreshToken,
    EmailTaken,
    HalfConfirmed,
    InvalidCredentials,
    Purpose,
    RefreshTokenReused,
    Stranger,
    WeakPassword,
)
from domain.profiles import Particulars
from domain.shared.actors import Role
from domain.shared.errors import Refusal
from tests.support.gotrue import PUBLISHABLE, SECRET, URL, GoTrue
from tests.support.postgrest import live_project

PASSWORD, OTHER = "correct horse battery 7", "another good password 8"
PROJECTS = ("stand-in", "stand-in of old", *(("live",) if live_project() else ()))


@dataclass(frozen=True, slots=True)
class Auth:
    """One project's Auth, by all three ways we ask it; and a way to its links."""

    accounts: SupabaseAccounts
    sessions: SupabaseSessions
    users: SupabaseUsers
    api: AuthApi
    made: list[str]

    async def somebody(self, email: str = "", *, role: Role = Role.CUSTOMER) -> Stranger:
        """An account whose address is confirmed."""
        said = Particulars(name="Ann Able", locale="pt-PT", zone="Europe/Lisbon")
        applicant = Applicant(email=email or address(), password=PASSWORD, particulars=said, role=role)
        stranger = await self.users.create(applicant)
        self.made.append(stranger.subject)
        return stranger

    async def signed_in(self, password: str = PASSWORD) -> tuple[Stranger, Granted]:
        """Somebody, and a session of theirs."""
        stranger = await self.somebody()
        return stranger, await self.sessions.sign_in(str(stranger.email), password)

    async def link(self, kind: str, email: str, **more: str) -> str:
        """The secret of a link of this kind, as it would be mailed."""
        told = await self.api.call(
            "POST", "/admin/generate_link", {"type": kind, "email": email, **more}, as_house=True
        )
        if (id := told.get("id")) and id not in self.made:
            self.made.append(id)
        return str(told["hashed_token"])


def address() -> str:
    """One that nobody has."""
    return f"guildhall-{uuid4().hex[:12]}@example.com"


@pytest.fixture(params=PROJECTS)
async def auth(request: pytest.FixtureRequest) -> AsyncIterator[Auth]:
    """Each project."""
    if request.param == "live":
        named = live_project()
        project = Project(
            url=named["SUPABASE_URL"],
            publishable_key=named["SUPABASE_PUBLISHABLE_KEY"],
            secret_key=named["SUPABASE_SECRET_KEY"],
        )
        transport: httpx.AsyncBaseTransport | None = None
    else:
        stand_in = GoTrue(SystemClock(), worded=request.param == "stand-in")
        project = Project(url=URL, publishable_key=PUBLISHABLE, secret_key=SECRET)
        transport = httpx.MockTransport(stand_in.handle)
    async with httpx.AsyncClient(transport=transport, timeout=20) as http:
        api = AuthApi(project, http)
        here = Auth(SupabaseAccounts(api), SupabaseSessions(api), SupabaseUsers(api), api, [])
        try:
            yield here
        finally:
            for subject in here.made:
                await here.users.delete(subject)


async def refused(kind: type[Refusal] | tuple[type[Refusal], ...], ask: Callable[[], Any]) -> None:
    with pytest.raises(kind):
        await ask()


async def test_an_account_made_for_somebody_is_as_it_was_said(auth: Auth) -> None:
    email = address()
    made = await auth.somebody(email.upper(), role=Role.PROVIDER)
    granted = await auth.sessions.sign_in(email, PASSWORD)
    for stranger in (made, granted.stranger):
        assert (stranger.subject, stranger.issuer, stranger.email) == (made.subject, auth.users.issuer, email)
        assert (stranger.email_verified, stranger.name, stranger.wish) == (True, "Ann Able", Role.PROVIDER)
        assert (stranger.locale, stranger.zone) == ("pt-PT", "Europe/Lisbon")
    await refused(EmailTaken, lambda: auth.somebody(email))
    await refused(InvalidCredentials, lambda: auth.sessions.sign_in(email, OTHER))
    await refused(InvalidCredentials, lambda: auth.sessions.sign_in(address(), PASSWORD))


async def test_a_session_goes_on_by_tokens_that_change_and_ends(auth: Auth) -> None:
    stranger, first = await auth.signed_in()
    second = await auth.sessions.renew(first.refresh_token)
    assert (second.session_id, second.stranger.subject) == (first.session_id, stranger.subject)
    assert second.refresh_token != first.refresh_token
    again = await auth.sessions.renew(first.refresh_token)
    assert again.session_id == first.session_id, "an answer that was lost is given again"
    await auth.sessions.end(second.access_token)
    await auth.sessions.end(second.access_token)
    await refused((BadRefreshToken, RefreshTokenReused), lambda: auth.sessions.renew(second.refresh_token))
    await refused(BadRefreshToken, lambda: auth.sessions.renew("no such token"))


async def test_ending_every_session_ends_every_one(auth: Auth) -> None:
    stranger, first = await auth.signed_in()
    other = await auth.sessions.sign_in(str(stranger.email), PASSWORD)
    await auth.sessions.end(first.access_token, everywhere=True)
    for token in (first.refresh_token, other.refresh_token):
        await refused((BadRefreshToken, RefreshTokenReused), lambda token=token: auth.sessions.renew(token))


async def test_a_link_confirms_who_signed_up_and_works_once(auth: Auth) -> None:
    email = address()
    link = await auth.link("signup", email, password=PASSWORD)
    await refused(InvalidCredentials, lambda: auth.sessions.sign_in(email, PASSWORD))
    granted = await auth.accounts.redeem(link, Purpose.VERIFY_EMAIL)
    assert (granted.stranger.email, granted.stranger.email_verified) == (email, True)
    await refused(BadLink, lambda: auth.accounts.redeem(link, Purpose.VERIFY_EMAIL))
    await auth.sessions.sign_in(email, PASSWORD)


async def test_links_sign_in_and_recover_and_open_nothing_else(auth: Auth) -> None:
    stranger = await auth.somebody()
    email = str(stranger.email)
    granted = await auth.accounts.redeem(await auth.link("magiclink", email), Purpose.MAGIC_LINK)
    assert granted.stranger.subject == stranger.subject
    recovered = await auth.accounts.redeem(await auth.link("recovery", email), Purpose.RESET_PASSWORD)
    await auth.accounts.set_password(recovered.access_token, OTHER)
    await auth.sessions.sign_in(email, OTHER)
    await refused(InvalidCredentials, lambda: auth.sessions.sign_in(email, PASSWORD))
    await refused(BadLink, lambda: auth.accounts.redeem("0" * 56, Purpose.MAGIC_LINK))


async def test_a_password_is_changed_to_another_and_no_weak_one(auth: Auth) -> None:
    _, granted = await auth.signed_in()
    await refused(WeakPassword, lambda: auth.accounts.set_password(granted.access_token, PASSWORD))
    await refused(WeakPassword, lambda: auth.accounts.set_password(granted.access_token, "12345"))
    await refused(WeakPassword, lambda: auth.accounts.set_password(granted.access_token, "x" * 73))
    await auth.accounts.set_password(granted.access_token, OTHER)


async def test_an_address_changes_once_it_is_confirmed(auth: Auth) -> None:
    """At one address or at both: that is the project's choice."""
    stranger, granted = await auth.signed_in()
    before, after = str(stranger.email), address()
    taken = await auth.somebody()
    await refused(EmailTaken, lambda: auth.accounts.set_address(granted.access_token, str(taken.email)))
    await auth.accounts.set_address(granted.access_token, after)
    await auth.sessions.sign_in(before, PASSWORD)
    for kind in ("email_change_current", "email_change_new"):
        try:
            link = await auth.link(kind, before, new_email=after)
            changed = await auth.accounts.redeem(link, Purpose.VERIFY_EMAIL)
        except HalfConfirmed:
            continue
        assert (changed.stranger.subject, changed.stranger.email) == (stranger.subject, after)
        break
    await auth.sessions.sign_in(after, PASSWORD)
    await refused(InvalidCredentials, lambda: auth.sessions.sign_in(before, PASSWORD))


async def test_who_is_banned_is_out_until_they_are_restored_and_who_is_deleted_for_good(auth: Auth) -> None:
    stranger, granted = await auth.signed_in()
    email = str(stranger.email)
    await auth.users.ban(stranger.subject)
    await refused((AccountSuspended, InvalidCredentials), lambda: auth.sessions.sign_in(email, PASSWORD))
    await refused((AccountSuspended, BadRefreshToken), lambda: auth.sessions.renew(granted.refresh_token))
    await auth.users.restore(stranger.subject)
    await auth.sessions.sign_in(email, PASSWORD)
    await auth.users.delete(stranger.subject)
    await auth.users.delete(stranger.subject)
    await refused(InvalidCredentials, lambda: auth.sessions.sign_in(email, PASSWORD))
    await auth.users.ban(stranger.subject)


async def test_accounts_are_listed_the_newest_first(auth: Auth) -> None:
    older, newer = await auth.somebody(), await auth.somebody()
    listed = [one.subject for one in await auth.users.page(1)]
    assert listed.index(newer.subject) < listed.index(older.subject)
    assert await auth.users.page(10_000) == []
