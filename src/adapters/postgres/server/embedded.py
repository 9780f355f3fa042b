"""The embedded server among its users: the first to come starts it, the last to leave stops it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from adapters.postgres.server.account import make_folder
from adapters.postgres.server.cluster import Cluster
from adapters.postgres.server.failures import ServerUnavailable
from adapters.postgres.server.locks import FileLock, patience

GATE_WITHIN_SECONDS = 120.0
SHARED_FOLDER = Path("/var/lib/guildhall")


class EmbeddedServer:
    """A PostgreSQL of our own on a private data directory, shared by every process of this Guildhall.

    Who uses it holds `users.lock` together with the others. Coming and leaving pass `gate.lock` one at a time, so that
    making, starting and stopping happen while nobody else comes or leaves.

    Started by root the server runs as `nobody`; programs and data which that user cannot reach are put in `shared_dir`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        bin_dir: Path | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = True,
        shared_dir: Path = SHARED_FOLDER,
    ) -> None:
        self._folder = data_dir.absolute()
        self._cluster = Cluster(
            folder=self._folder,
            shared=shared_dir,
            database="guildhall",
            bin_dir=bin_dir,
            settings=settings or {},
            durable=durable,
        )

    @contextmanager
    def use(self) -> Iterator[str]:
        """Use the server inside the block, by the owner's address of its database. Blocks while it starts or stops."""
        with _explained(self._folder):
            make_folder(self._folder)
            users = FileLock(self._folder / "users.lock")
        with users:
            try:
                with self._gate():
                    if not users.shared():
                        raise ServerUnavailable(f"{self._folder} is being stopped by somebody who passed its gate")
                    url = self._cluster.url(self._cluster.run())
                yield url
            finally:
                users.release()
                self.stop_if_unused()

    @asynccontextmanager
    async def use_async(self) -> AsyncIterator[str]:
        """The same inside an event loop, which goes on while the server starts or stops."""
        with ExitStack() as stack:
            coming = asyncio.ensure_future(asyncio.to_thread(stack.enter_context, self.use()))
            try:
                yield await asyncio.shield(coming)
            finally:
                # Who is called off while coming has come nevertheless, and leaves like everybody else.
                await asyncio.shield(asyncio.ensure_future(self._leave(coming, stack)))

    def revive(self) -> None:
        """Start the server again if it ended while we use it; on its old port, so that pools recover by themselves."""
        with self._gate():
            self._cluster.run()

    def stop_if_unused(self) -> None:
        """Stop the server unless somebody uses it: the last to leave does, and whoever tidies up after killed users."""
        if not self._folder.exists():
            return
        with self._gate(), FileLock(self._folder / "users.lock") as users:
            if users.exclusive():
                self._cluster.stop()

    def postmaster(self) -> int | None:
        """The process id of the running server; None when it is stopped."""
        with _explained(self._folder):
            if not self._folder.exists() or not self._cluster.is_alive():
                return None
            postmaster = self._cluster.postmaster()
            return postmaster.pid if postmaster else None

    @contextmanager
    def _gate(self) -> Iterator[None]:
        with _explained(self._folder), FileLock(self._folder / "gate.lock") as gate:
            if not any(gate.exclusive() for _ in patience(GATE_WITHIN_SECONDS)):
                raise ServerUnavailable(f"another process has been starting or stopping {self._folder} for too long")
            yield

    @staticmethod
    async def _leave(coming: "asyncio.Future[str]", stack: ExitStack) -> None:
        await asyncio.gather(coming, return_exceptions=True)
        await asyncio.to_thread(stack.close)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Trouble with files, told as what it means for the folder."""
    try:
        yield
    except PermissionError as error:
        raise ServerUnavailable(
            f"{folder} belongs to another user ({error}): run as that user or choose another folder"
        ) from error
    except OSError as error:
        raise ServerUnavailable(f"the database folder {folder} cannot be used: {error}") from error
