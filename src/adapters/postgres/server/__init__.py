"""The embedded PostgreSQL: a real server that needs nothing installed, run by whoever uses it.

    server = EmbeddedServer(Path(".guildhall/postgres"))
    with server.use() as database_url:      # async with server.use_async() as database_url: inside an event loop
        ...

Several processes may use one data directory at the same time: the first starts the server, the last to leave stops it,
and a server whose users were all killed is adopted by the next one.
"""

from adapters.postgres.server.embedded import EmbeddedServer
from adapters.postgres.server.failures import ServerUnavailable

__all__ = ["EmbeddedServer", "ServerUnavailable"]
