"""A throw-away PostgreSQL server for a campaign, and fresh databases on it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.postgres.migrations import migrate
from tests.support.servers import DISK, MEMORY, ROOM_BYTES, Server, Servers


@contextmanager
def postgres(version: str = "18") -> Iterator[Server]:
    """A server of that version, in memory where there is room; gone after the block."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="guildhall-proof-", dir=MEMORY if roomy else DISK))
    folder.chmod(0o711)
    servers = Servers(folder, migrate)
    try:
        yield servers.get(version)
    finally:
        servers.leave()
        shutil.rmtree(folder, ignore_errors=True)
