"""`python -m tests.proof.model [--examples N] [--steps N] [--seed N] [--postgres 15]`: a house in memory, one on
PostgreSQL and a model of two hundred lines must agree about every answer, and the two houses about every row."""

import argparse
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import structlog

from tests.proof.databases import postgres
from tests.proof.model.campaign import PLANTED, explore, hunt
from tests.proof.model.pair import Figures, paired
from tests.proof.reporting import Report


def main() -> int:
    """Explore, then look for what was planted."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--examples", type=int, default=90)
    asking.add_argument("--steps", type=int, default=50)
    asking.add_argument("--seed", type=int, default=1)
    asking.add_argument("--budget", type=float, default=200, help="seconds after which no further examples are begun")
    asking.add_argument("--planted", type=int, default=60, help="examples within which a planted bug must be found")
    asking.add_argument("--postgres", choices=("18", "15"), default="18")
    asked = asking.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    report = Report(name="model" if asked.postgres == "18" else f"model_{asked.postgres}")
    with (
        postgres(asked.postgres) as server,
        server.clone() as url,
        tempfile.TemporaryDirectory() as folder,
        paired(Path(folder), url) as pair,
    ):
        found = explore(pair, examples=asked.examples, steps=asked.steps, seed=asked.seed, budget=asked.budget)
        soon = {name: hunt(pair, planted, examples=asked.planted) for name, planted in PLANTED.items()}
        figures = pair.figures
    if found:
        report.failures.append(f"{found.what}\n{found.story}")
    report.failures += [f"planted and not found: {name}" for name, when in soon.items() if when is None]
    if figures.examples < asked.examples and not found:
        report.shortfalls.append(f"only {figures.examples} of {asked.examples} examples within {asked.budget:.0f} s")
    report.figures = {"postgres": asked.postgres, "seed": asked.seed, **told(figures), "divergences": int(bool(found))}
    report.figures["planted"] = {
        name: f"found in example {when[0]}: {when[1][:160]}" for name, when in soon.items() if when
    }
    return report.finish()


def told(figures: Figures) -> dict[str, Any]:
    """The figures of a run."""
    reached = [name for name in figures.tried if figures.reached[name]]
    return {
        "examples": figures.examples,
        "steps": figures.steps,
        "requests": figures.requests,
        "answers compared": figures.answers,
        "answers judged by the model": figures.judged,
        "table rows compared": figures.rows,
        "letters compared": figures.letters,
        "rules": len(figures.tried),
        "rules that reached success": f"{100 * len(reached) / max(1, len(figures.tried)):.0f} %",
        "never reached": sorted(set(figures.tried) - set(reached)),
        "done, of tried": {name: f"{figures.reached[name]}/{many}" for name, many in sorted(figures.tried.items())},
        "statuses": dict(sorted(figures.statuses.items())),
        "refusals seen": dict(figures.codes.most_common()),
    }


if __name__ == "__main__":
    sys.exit(main())
