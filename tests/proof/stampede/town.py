"""The town that is overrun: one provider, one job, and a crowd whose tokens were made beforehand."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from adapters.postgres.server import EmbeddedServer
from application.jobs import CreateJob, JobDraft, PublishJob
from application.scheduling import Hours, SetAvailability
from domain.identity import Client, Session, SignInMethod, User
from domain.profiles import Particulars, Profile
from domain.shared.actors import SYSTEM, Actor, Role
from domain.shared.ids import SessionId, UserId
from domain.shared.money import Money
from entrypoints.container import OpenHouse, open_house
from entrypoints.settings import Settings
from tests.cli.processes import Process, free_port, started
from tests.support.servers import DISK

APIS = 2
AT_ONCE = 500
"""Users made by one commit."""
_ALL_DAY = ("00:00-24:00",)
_WEEK: dict[str, Any] = dict.fromkeys(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), _ALL_DAY
)


@dataclass(slots=True)
class Town:
    """Two APIs on one database, a job, and the tokens of a crowd."""

    ports: tuple[int, ...]
    job_id: str
    first_start: datetime
    tokens: list[str]
    owner_url: str
    folder: Path
    processes: tuple[Process, ...]

    def start(self, number: int) -> str:
        """The start of one of the job's slots."""
        return (self.first_start + number * timedelta(hours=1)).isoformat()

    async def value(self, statement: str, *arguments: Any) -> Any:
        """One value, as the database's owner sees it."""
        connection = await asyncpg.connect(self.owner_url)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    @property
    def server_log(self) -> str:
        """What the database server logged."""
        logs = (self.folder / "postgres").glob("*.log")
        return "\n".join(log.read_text(errors="replace") for log in logs)

    @property
    def complaints(self) -> list[str]:
        """Lines of the APIs' logs that tell of something that broke."""
        lines = [line for process in self.processes for line in process.log.splitlines()]
        return [line for line in lines if "Traceback" in line or '"level": "error"' in line or "[error" in line]


@asynccontextmanager
async def overrun(crowd: int) -> AsyncIterator[Town]:
    """A town with that many customers, on an embedded PostgreSQL and two API processes."""
    folder = _folder()
    secret = secrets.token_urlsafe(32)
    try:
        # Whoever is here first starts the database; the APIs share it, and the last to leave stops it.
        settings = Settings(data_dir=folder, secret=secret, access_token_minutes=60)
        async with open_house(settings) as house:
            job_id, first_start = await _offered(house)
            tokens = await _crowd(house, crowd)
            with ExitStack() as stack:
                ports = tuple(free_port() for _ in range(APIS))
                processes = tuple(_api(stack, folder, port, secret) for port in ports)
                for process in processes:
                    await asyncio.to_thread(process.first_word)
                yield Town(ports, job_id, first_start, tokens, house.owner_url, folder, processes)
                for process in processes:
                    code = await asyncio.to_thread(process.stop)
                    assert code == 0, f"an API ended with {code}: {process.log[-2000:]}"
    finally:
        EmbeddedServer(folder / "postgres").stop_if_unused()
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    """A folder that the server's unprivileged user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="guildhall-proof-", dir=DISK))
    folder.chmod(0o711)
    return folder


def _api(stack: ExitStack, folder: Path, port: int, secret: str) -> Process:
    own = folder / f"api-{port}"
    own.mkdir()
    settings = {
        "GUILDHALL_DATA_DIR": str(folder),
        "GUILDHALL_SECRET": secret,
        "GUILDHALL_LOG_FORMAT": "json",
        "GUILDHALL_LOG_LEVEL": "warning",
        "GUILDHALL_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    return stack.enter_context(started("serve", "--no-worker", "--port", str(port), folder=own, **settings))


async def _offered(house: OpenHouse) -> tuple[str, datetime]:
    """A job with a slot every hour of the next weeks, and the first of its starts that we use."""
    (vera,) = await _people(house, 1, Role.PROVIDER)
    provider = Actor(user_id=vera.id, role=Role.PROVIDER)
    await house.use(SetAvailability)(provider, vera.id, Hours(zone="UTC", **_WEEK))
    draft = JobDraft(
        title="The one lesson", category="music", price=Money(4500, "EUR"), duration=60, window_days=90, remote=True
    )
    job = await house.use(CreateJob)(provider, draft)
    await house.use(PublishJob)(provider, job.id)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return str(job.id), midnight + timedelta(days=2)


async def _crowd(house: OpenHouse, many: int) -> list[str]:
    """Customers, each signed in; their access tokens."""
    container = house.container
    begin, clock, ids, tokens = container.begin(), container.clock(), container.ids(), container.access_tokens()
    made: list[str] = []
    while len(made) < many:
        users = await _people(house, min(AT_ONCE, many - len(made)), Role.CUSTOMER)
        async with begin(SYSTEM) as work:
            for user in users:
                session = Session.open(
                    id=SessionId(ids.new()),
                    user_id=user.id,
                    epoch=user.epoch,
                    method=SignInMethod.PASSWORD,
                    client=Client(),
                    now=clock.now(),
                )
                work.sessions.add(session)
                made.append(tokens.issue(user, session))
    return made


async def _people(house: OpenHouse, many: int, role: Role) -> list[User]:
    """That many people, in one commit."""
    container = house.container
    begin, clock, ids = container.begin(), container.clock(), container.ids()
    users = [_named(UserId(ids.new()), clock.now(), role) for _ in range(many)]
    async with begin(SYSTEM) as work:
        for user in users:
            work.users.add(user)
            work.profiles.add(Profile.begin(id=user.id, particulars=Particulars(name="Somebody"), now=clock.now()))
    return users


def _named(user_id: UserId, now: datetime, role: Role = Role.CUSTOMER) -> User:
    return User.create(id=user_id, email=f"{user_id.hex}@crowd.example", role=role, now=now)
