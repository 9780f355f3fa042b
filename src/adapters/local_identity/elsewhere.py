"""What a house answers that keeps its accounts itself: nobody keeps any elsewhere."""

from collections.abc import Mapping

from application.ports.hooks import AskedLetters, LetterHook
from application.ports.identity_provider import Applicant, ForeignAccounts, ForeignSessions, ForeignUsers, Granted
from application.ports.payments import BadSignature
from domain.identity import NotOffered, Provider, Purpose, Stranger


class NoAccounts(ForeignAccounts):
    """There are none."""

    async def sign_up(self, applicant: Applicant) -> None:
        raise NotOffered

    async def send_link(self, email: str, purpose: Purpose) -> None:
        raise NotOffered

    async def redeem(self, secret: str, purpose: Purpose) -> Granted:
        raise NotOffered

    async def set_password(self, proof: str, password: str) -> None:
        raise NotOffered

    async def set_address(self, proof: str, email: str) -> None:
        raise NotOffered


class NoSessions(ForeignSessions):
    """There are none."""

    async def sign_in(self, email: str, password: str) -> Granted:
        raise NotOffered

    async def renew(self, refresh_token: str) -> Granted:
        raise NotOffered

    async def end(self, proof: str, *, everywhere: bool = False) -> None:
        raise NotOffered

    def departure(self, provider: Provider, *, return_to: str, challenge: str) -> str:
        raise NotOffered

    async def finish(self, code: str, verifier: str) -> Granted:
        raise NotOffered


class NobodyAsks(LetterHook):
    """Nobody may ask for letters."""

    def read(self, raw: bytes, headers: Mapping[str, str]) -> AskedLetters:
        raise BadSignature("nobody asks for letters here")


class NoUsers(ForeignUsers):
    """There are none, so that there is nobody to ban either."""

    @property
    def issuer(self) -> str:
        return ""

    async def create(self, applicant: Applicant) -> Stranger:
        raise NotOffered

    async def ban(self, subject: str) -> None:
        """Nobody is here."""

    async def restore(self, subject: str) -> None:
        """Nobody is here."""

    async def delete(self, subject: str) -> None:
        """Nobody is here."""

    async def page(self, number: int) -> list[Stranger]:
        return []
