"""Who asks. Every use case is told, and decides by it."""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.shared.errors import Forbidden, Unauthenticated
from domain.shared.ids import SessionId, UserId


class Role(StrEnum):
    """What a user is to the marketplace. Any of them may book; only providers offer; admins look after the house."""

    CUSTOMER = "customer"
    PROVIDER = "provider"
    ADMIN = "admin"


class Kind(StrEnum):
    """Whether the asker is nobody in particular, a signed-in user, an operator at the console, or the house itself."""

    ANONYMOUS = "anonymous"
    USER = "user"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The one who asks: never part of a request's body, always an explicit argument. `proof` is the access token of a
    session that is kept elsewhere, without which nobody there does anything for its user; of our own there is none."""

    kind: Kind = Kind.USER
    user_id: UserId | None = None
    role: Role = Role.CUSTOMER
    session_id: SessionId | None = None
    name: str = ""
    proof: str = field(default="", repr=False, compare=False)

    @property
    def is_system(self) -> bool:
        """The worker acting on an event of the house."""
        return self.kind is Kind.SYSTEM

    @property
    def is_admin(self) -> bool:
        """An admin user, or an operator at the machine's own command line."""
        return self.kind is Kind.OPERATOR or (self.kind is Kind.USER and self.role is Role.ADMIN)

    @property
    def principal(self) -> str:
        """A stable name for audit rows, receipts and rate limits."""
        if self.kind is Kind.USER:
            return f"user:{self.user_id}"
        return f"{self.kind.value}:{self.name}" if self.name else self.kind.value

    def is_user(self, user_id: UserId | None) -> bool:
        """Whether the asker is that very user; nobody is none."""
        return self.kind is Kind.USER and user_id is not None and self.user_id == user_id

    def signed_in(self) -> UserId:
        """The asking user's id, or a refusal when nobody is signed in."""
        if self.user_id is None:
            raise Unauthenticated("sign in first")
        return self.user_id

    def must_be_admin(self) -> None:
        """Refuse everybody but admins, operators and the house itself."""
        if self.kind is Kind.ANONYMOUS:
            raise Unauthenticated("sign in first")
        if not (self.is_admin or self.is_system):
            raise Forbidden("only an admin may do this")


ANONYMOUS = Actor(kind=Kind.ANONYMOUS)
SYSTEM = Actor(kind=Kind.SYSTEM)
