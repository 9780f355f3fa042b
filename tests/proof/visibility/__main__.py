"""`python -m tests.proof.visibility [--decisions N] [--seed N] [--only PART] [--quick]`: the matrix in every way there
is, all the harm that can be done to it, and a million random decisions judged three times."""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog

from tests.proof.databases import postgres
from tests.proof.reporting import Report
from tests.proof.visibility import parts
from tests.support.servers import Server
from tests.visibility.probe import furnish
from tests.visibility.world import world

DECISIONS = 1_000_000
PARTS = ("matrix", "direct", "api", "harm", "decisions", "plans")


def main(said: Sequence[str] | None = None) -> int:
    """The campaign; how it ends is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.visibility")
    parser.add_argument("--decisions", type=int, default=DECISIONS)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--only", action="append", choices=PARTS, help="just this part")
    parser.add_argument("--quick", action="store_true", help="a tenth of the harm, and 30,000 decisions")
    asked = parser.parse_args(said)
    report = Report(name="visibility")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    wanted = asked.only or (PARTS[:-1] if asked.quick else PARTS)
    with postgres() as server:
        asyncio.run(
            prove(
                server,
                report,
                wanted,
                decisions=30_000 if asked.quick else asked.decisions,
                seed=asked.seed,
                share=0.1 if asked.quick else 1.0,
            )
        )
    return report.finish()


async def prove(
    server: Server, report: Report, wanted: Sequence[str], *, decisions: int, seed: int, share: float
) -> None:
    """These parts, each on a world of its own."""
    here = world()
    with tempfile.TemporaryDirectory(prefix="guildhall-proof-") as folder:
        for part in wanted:
            if part == "plans":
                await parts.plans(report)
                continue
            with server.clone() as url:
                await furnish(url, here)
                match part:
                    case "matrix":
                        await parts.matrix(url, here, report)
                    case "direct":
                        await parts.direct(url, here, report)
                    case "api":
                        await parts.api(url, here, report, Path(folder))
                    case "harm":
                        await parts.harm(url, here, report, share=share)
                    case "decisions":
                        await parts.decisions(url, report, wanted=decisions, seed=seed)


if __name__ == "__main__":
    sys.exit(main())
