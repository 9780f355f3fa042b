"""Looking after a project's accounts, with the key that may do everything."""

from contextlib import suppress

from adapters.supabase.auth.api import AuthApi
from adapters.supabase.auth.reading import metadata_of, stranger_of
from application.ports.identity_provider import Applicant, ForeignUsers
from domain.identity import Stranger
from domain.shared.errors import NotFound

FOR_EVER = "876000h"
"""A ban has a length; a hundred years is long enough."""
PAGE = 200


class SupabaseUsers(ForeignUsers):
    """One project's users."""

    def __init__(self, api: AuthApi) -> None:
        self._api = api

    @property
    def issuer(self) -> str:
        return self._api.project.auth

    async def create(self, applicant: Applicant) -> Stranger:
        body = {
            "email": applicant.email,
            "password": applicant.password,
            "email_confirm": True,
            "user_metadata": metadata_of(applicant),
        }
        return stranger_of(await self._api.call("POST", "/admin/users", body, as_house=True), self.issuer)

    async def ban(self, subject: str) -> None:
        await self._change(subject, ban_duration=FOR_EVER)

    async def restore(self, subject: str) -> None:
        await self._change(subject, ban_duration="none")

    async def delete(self, subject: str) -> None:
        with suppress(NotFound):
            await self._api.call("DELETE", f"/admin/users/{subject}", as_house=True)

    async def page(self, number: int) -> list[Stranger]:
        answer = await self._api.call("GET", "/admin/users", as_house=True, page=number, per_page=PAGE)
        users = answer.get("users")
        return [stranger_of(user, self.issuer) for user in users] if isinstance(users, list) else []

    async def _change(self, subject: str, **said: str) -> None:
        with suppress(NotFound):
            await self._api.call("PUT", f"/admin/users/{subject}", dict(said), as_house=True)
