"""What the doctor says of one part."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a part is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part: what was seen, and what to do about it if it is not well."""

    part: str
    verdict: Verdict
    seen: str
    fix: str = ""


def ok(part: str, seen: str) -> Finding:
    """It is well."""
    return Finding(part=part, verdict=Verdict.OK, seen=seen)


def warn(part: str, seen: str, fix: str) -> Finding:
    """It works, and somebody should look."""
    return Finding(part=part, verdict=Verdict.WARN, seen=seen, fix=fix)


def fail(part: str, seen: str, fix: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(part=part, verdict=Verdict.FAIL, seen=seen, fix=fix)
