"""Logs: JSON lines for programs, lines for people, and no secret in either."""

import json
import os
import subprocess
import sys
from functools import cache

SPEAK = """
import logging, sys, structlog, warnings
from entrypoints.logs import configure_logs
from entrypoints.settings import LogFormat, LogLevel

configure_logs(LogLevel(sys.argv[1]), LogFormat(sys.argv[2]))
log = structlog.get_logger("worker")
log.debug("too quiet")
structlog.contextvars.bind_contextvars(request_id="r-1")
log.info("event given up", event_id=7, refresh_token="abc-secret")
logging.getLogger("uvicorn.error").info("started")
logging.getLogger("uvicorn.error").warning("slow %s", "client")
try:
    hidden = "in a local variable"
    raise LookupError("no such key")
except LookupError:
    log.exception("a round failed")
    logging.getLogger("somebody").exception("theirs too")
"""


@cache
def spoken(level: str, format: str) -> str:
    """What a process logs; nothing of it on standard output."""
    done = subprocess.run(
        [sys.executable, "-c", SPEAK, level, format],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == ""
    return done.stderr


def test_for_programs_every_line_is_json_whoever_speaks() -> None:
    said = spoken("info", "json")
    lines = [json.loads(line) for line in said.splitlines()]
    assert [(line["logger"], line["level"]) for line in lines] == [
        ("worker", "info"),
        ("uvicorn.error", "warning"),
        ("worker", "error"),
        ("somebody", "error"),
    ]
    assert lines[0]["request_id"] == "r-1"
    assert lines[1]["event"] == "slow client"
    assert all("LookupError: no such key" in line["exception"] for line in lines[2:])


def test_for_people_there_is_a_line_each_and_a_plain_traceback() -> None:
    said = spoken("info", "console")
    assert "event given up" in said
    assert "LookupError: no such key" in said
    assert "too quiet" not in said
    assert "{" not in said.splitlines()[0]


def test_secrets_and_local_variables_stay_out_of_both() -> None:
    for format in ("json", "console"):
        said = spoken("info", format)
        assert "abc-secret" not in said
        assert "'in a local variable'" not in said


def test_only_what_is_severe_enough_is_heard() -> None:
    assert [json.loads(line)["level"] for line in spoken("error", "json").splitlines()] == ["error", "error"]
    assert "too quiet" in spoken("debug", "json")
