"""How the embedded server says that it cannot run."""

from typing import ClassVar

from domain.shared.errors import Unavailable


class ServerUnavailable(Unavailable):
    """The embedded PostgreSQL cannot be started, reached or stopped; the sentence says what to change."""

    code: ClassVar[str] = "embedded_server.unavailable"
