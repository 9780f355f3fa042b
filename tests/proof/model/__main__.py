"""`python -m tests.proof.model [--examples N] [--steps N] [--seed N] [--postgres 15] [--supabase]`: a house in memory,
one on PostgreSQL (with --supabase by PostgREST only) and a model of two hundred lines must agree about every answer,
and the two houses about every row."""

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import structlog

from tests.proof.databases import postgres
from tests.proof.model.campaign import PLANTED, explore, hunt
from tests.proof.model.pair import Figures, paired
from tests.proof.reporting import Report
from tests.support.postgrest import SECRET as JWT_SECRET
from tests.support.postgrest import gateway, postgrest


def main() -> int:
    """Explore, then look for what was planted."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--examples", type=int, default=90)
    asking.add_argument("--steps", type=int, default=50)
    asking.add_argument("--seed", type=int, default=1)
    asking.add_argument("--budget", type=float, default=200, help="seconds after which no further examples are begun")
    asking.add_argument("--planted", type=int, default=60, help="examples within which a planted bug must be found")
    asking.add_argument("--postgres", choices=("18", "15"), default="18")
    asking.add_argument("--supabase", action="store_true", help="reach the database by PostgREST only")
    asked = asking.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    way = "project" if asked.supabase else asked.postgres
    report = Report(name="model" if way == "18" else f"model_{way}")
    # By PostgREST only those that take the second house: the others are found without it.
    hunted = {name: one for name, one in PLANTED.items() if one.on_postgres} if asked.supabase else PLANTED
    with ExitStack() as stack:
        server = stack.enter_context(postgres(asked.postgres))
        url = stack.enter_context(server.clone())
        project = stack.enter_context(_project(url)) if asked.supabase else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pair = stack.enter_context(paired(folder, url, project))
        found = explore(pair, examples=asked.examples, steps=asked.steps, seed=asked.seed, budget=asked.budget)
        soon = {name: hunt(pair, planted, examples=asked.planted) for name, planted in hunted.items()}
        figures = pair.figures
    if found:
        report.failures.append(f"{found.what}\n{found.story}")
    report.failures += [f"planted and not found: {name}" for name, when in soon.items() if when is None]
    if figures.examples < asked.examples and not found:
        report.shortfalls.append(f"only {figures.examples} of {asked.examples} examples within {asked.budget:.0f} s")
    report.figures = {"postgres": asked.postgres, "by PostgREST only": asked.supabase, "seed": asked.seed}
    report.figures |= {**told(figures), "divergences": int(bool(found))}
    report.figures["planted"] = {
        name: f"found in example {when[0]}: {when[1][:160]}" for name, when in soon.items() if when
    }
    return report.finish()


@contextmanager
def _project(url: str) -> Iterator[dict[str, Any]]:
    with postgrest(url) as rest, gateway(rest) as made:
        yield {
            "storage": "supabase",
            "supabase_url": made.url,
            "supabase_publishable_key": made.publishable_key,
            "supabase_secret_key": made.secret_key,
            "supabase_jwt_secret": JWT_SECRET,
        }


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
