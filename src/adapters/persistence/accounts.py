"""The present state behind a token, by one read: a new role or a sign-out binds at the next request."""

from adapters.persistence.store import Views
from application.ports.criteria import Order
from application.ports.identity import Accounts, AccountState, ForeignState
from domain.shared.actors import SYSTEM, Role
from domain.shared.ids import ExternalIdentityId, SessionId, UserId

_COLUMNS = ("user_id", "epoch", "revoked_at", "role", "email_verified_at", "suspended_at", "present_epoch")
_FOREIGN = (
    "id",
    "user_id",
    "email",
    "email_verified",
    "last_seen_at",
    "ended_at",
    "role",
    "suspended_at",
)
_UNKNOWN = AccountState(role=Role.CUSTOMER, verified=False, suspended=False, revoked=True)


class StoredAccounts(Accounts):
    """Sessions with their users, as the house sees them."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def account(self, user_id: UserId, session_id: SessionId) -> AccountState:
        rows = await self._views.rows(
            SYSTEM, "accounts", _COLUMNS, {"id": session_id}, order=Order(), after=None, limit=1
        )
        if not rows or rows[0]["user_id"] != user_id or rows[0]["role"] is None:
            return _UNKNOWN
        row = rows[0]
        return AccountState(
            role=Role(row["role"]),
            verified=row["email_verified_at"] is not None,
            suspended=row["suspended_at"] is not None,
            revoked=row["revoked_at"] is not None or row["epoch"] != row["present_epoch"],
        )

    async def foreign(self, issuer: str, subject: str) -> ForeignState | None:
        wanted = {"issuer": issuer, "subject": subject}
        rows = await self._views.rows(SYSTEM, "foreign_accounts", _FOREIGN, wanted, order=Order(), after=None, limit=1)
        if not rows or rows[0]["role"] is None:
            return None
        row = rows[0]
        return ForeignState(
            identity_id=ExternalIdentityId(row["id"]),
            user_id=UserId(row["user_id"]),
            role=Role(row["role"]),
            suspended=row["suspended_at"] is not None,
            ended=row["ended_at"] is not None,
            email=row["email"],
            email_verified=row["email_verified"],
            last_seen_at=row["last_seen_at"],
        )
