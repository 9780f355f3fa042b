"""Logs: a line per event on standard error, for people on a terminal, JSON elsewhere; libraries go the same way."""

import logging
import sys
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from entrypoints.settings import LogFormat, LogLevel

_TALKATIVE = ("alembic", "asyncio", "httpcore", "httpx", "stripe", "uvicorn.error")
"""Libraries whose information is noise beside ours; what they warn of is heard."""
_KEPT_QUIET = frozenset(
    {"password", "secret", "client_secret", "token", "access_token", "refresh_token", "authorization"}
)


def configure_logs(level: LogLevel, format: LogFormat = LogFormat.AUTO) -> None:
    """Log what is at least that severe; called once, before anything else speaks."""
    on_terminal = sys.stderr.isatty()
    for_people = format is LogFormat.CONSOLE or (format is LogFormat.AUTO and on_terminal)
    least = logging.getLevelNamesMapping()[level.value.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_secrets,
    ]
    written: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=on_terminal, exception_formatter=structlog.dev.plain_traceback)]
        if for_people
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    )
    structlog.configure(
        processors=[*shared, *written],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    handler = _Handler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    logging.basicConfig(level=least, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))


class _Lines:
    """A logger that writes each line whole, and knows its name."""

    def __init__(self, name: str = "guildhall", *_: object) -> None:
        self.name = name

    def msg(self, line: str) -> None:
        """Write one line, to what standard error is at this moment."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    log = debug = info = warn = warning = error = exception = critical = fatal = msg


class _Handler(logging.StreamHandler[TextIO]):
    """The same for the standard library's loggers."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """Standard error it is."""


def _json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A last look: what is called a secret is not written."""
    for name in _KEPT_QUIET & event.keys():
        event[name] = "**********"
    return event
