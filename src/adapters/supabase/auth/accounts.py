"""Accounts kept by Auth, for whoever stands at the door."""

from contextlib import suppress

from adapters.supabase.auth.api import AuthApi
from adapters.supabase.auth.reading import granted_of, metadata_of
from application.ports.identity_provider import Applicant, ForeignAccounts, Granted
from domain.identity import AccountSuspended, BadLink, EmailTaken, HalfConfirmed, NotOffered, Purpose, WeakPassword
from domain.shared.errors import Forbidden, Invalid, NotFound

LONGEST_PASSWORD = 72
"""Bytes: Auth hashes with bcrypt, and turns longer ones away."""
KINDS = {
    Purpose.VERIFY_EMAIL: ("signup", "email_change"),
    Purpose.MAGIC_LINK: ("magiclink",),
    Purpose.RESET_PASSWORD: ("recovery", "invite"),
}
"""What each kind of link may be redeemed as: an address is also confirmed by a change of it, and who was invited
chooses a password."""


class SupabaseAccounts(ForeignAccounts):
    """One project's accounts. Where Auth would tell whether an address is known, nothing is passed on."""

    def __init__(self, api: AuthApi) -> None:
        self._api = api

    async def sign_up(self, applicant: Applicant) -> None:
        _must_fit(applicant.password)
        body = {"email": applicant.email, "password": applicant.password, "data": metadata_of(applicant)}
        # A project that confirms nothing says that an address is taken; one that does answers with a user who is not.
        with suppress(EmailTaken):
            answer = await self._api.call("POST", "/signup", body)
            if isinstance(token := answer.get("access_token"), str):
                await self._api.call("POST", "/logout", token=token, scope="local")

    async def send_link(self, email: str, purpose: Purpose) -> None:
        match purpose:
            case Purpose.VERIFY_EMAIL:
                await self._api.call("POST", "/resend", {"type": "signup", "email": email})
            case Purpose.RESET_PASSWORD:
                await self._api.call("POST", "/recover", {"email": email})
            case Purpose.MAGIC_LINK:
                # An unknown address is refused as if links were switched off.
                with suppress(NotOffered):
                    await self._api.call("POST", "/otp", {"email": email, "create_user": False})

    async def redeem(self, secret: str, purpose: Purpose) -> Granted:
        for kind in KINDS[purpose]:
            try:
                answer = await self._api.call("POST", "/verify", {"type": kind, "token_hash": secret})
            except AccountSuspended:
                raise
            except (NotFound, Invalid, Forbidden):
                continue
            if "access_token" not in answer and isinstance(answer.get("msg"), str):
                raise HalfConfirmed
            return granted_of(answer, self._api.project.auth)
        raise BadLink

    async def set_password(self, proof: str, password: str) -> None:
        _must_fit(password)
        await self._api.call("PUT", "/user", {"password": password}, token=proof)

    async def set_address(self, proof: str, email: str) -> None:
        await self._api.call("PUT", "/user", {"email": email}, token=proof)


def _must_fit(password: str) -> None:
    if len(password.encode("utf-8", "surrogatepass")) > LONGEST_PASSWORD:
        raise WeakPassword(
            f"a password has {LONGEST_PASSWORD} bytes at most", reason="length", longest=LONGEST_PASSWORD
        )
