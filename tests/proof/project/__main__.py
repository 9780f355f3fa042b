"""`python -m tests.proof.project`: `guildhall demo` on a real PostgREST, behind a gateway as Supabase's.

With GUILDHALL_TEST_SUPABASE_URL and its keys it is played on that live project instead, which has to be empty and to
have this version's schema; what it leaves behind is for its owner to remove."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tests.proof.databases import postgres
from tests.proof.reporting import Report
from tests.support.postgrest import gateway, live_project, postgrest, settings_for

_PROGRAM = "from entrypoints.cli import main; main()"


def main() -> int:
    """Play it; how it ends is the exit code."""
    report = Report(name="project")
    with _told() as (where, told):
        played = subprocess.run(
            [sys.executable, "-c", _PROGRAM, "demo", "--json"],
            env={**os.environ, **told},
            capture_output=True,
            text=True,
            check=False,
        )
    if not played.stdout:
        report.failures.append(f"it was not played: {played.stderr[-500:]}")
        return report.finish()
    steps = json.loads(played.stdout)["steps"]
    report.failures += [f"{step['step']}: {step['trouble']}" for step in steps if not step["passed"]]
    report.figures = {
        "project": where,
        "steps that held": f"{sum(step['passed'] for step in steps)} of {len(steps)}",
        "things checked": sum(len(step["checks"]) for step in steps),
    }
    return report.finish()


@contextmanager
def _told() -> Iterator[tuple[str, Mapping[str, str]]]:
    if live := live_project():
        yield "live", live
        return
    with ExitStack() as stack:
        url = stack.enter_context(stack.enter_context(postgres()).clone())
        rest = stack.enter_context(postgrest(url))
        yield "PostgREST 12.0.2", settings_for(stack.enter_context(gateway(rest)))


if __name__ == "__main__":
    sys.exit(main())
