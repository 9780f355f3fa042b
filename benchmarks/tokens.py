"""Access tokens made before the clock runs, with the keys of the Guildhall that will verify them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from adapters.local_identity import KeptKeyring, LocalAccessTokens
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from benchmarks.town import customer_id, session_id
from domain.identity import Session, SignInMethod, User
from domain.shared.actors import Role


def minted(folder: Path, customers: int) -> list[str]:
    """A token for each of the first customers of the town, good for an hour."""
    clock, now = SystemClock(), datetime.now(UTC)
    keyring = KeptKeyring(folder / "keys.json", now=now)
    issuer = LocalAccessTokens(
        keyring, clock, SystemIds(clock), issuer="guildhall", audience="guildhall", lifetime=timedelta(hours=1)
    )
    return [issuer.issue(_user(number, now), _session(number, now)) for number in range(customers)]


def warmed(port: int, tokens: list[str]) -> None:
    """Show each once, for something small."""
    for token in tokens:
        shown = Request(f"http://127.0.0.1:{port}/v1/bookings?limit=1", headers={"Authorization": f"Bearer {token}"})
        urlopen(shown, timeout=20).close()


def _user(number: int, now: datetime) -> User:
    return User(id=customer_id(number), email="a@town.example", role=Role.CUSTOMER, created_at=now)


def _session(number: int, now: datetime) -> Session:
    return Session(
        id=session_id(number),
        user_id=customer_id(number),
        epoch=1,
        method=SignInMethod.PASSWORD,
        ip="",
        user_agent="",
        last_used_at=now,
        created_at=now,
    )
