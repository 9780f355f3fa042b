"""The simulation campaign: many seeds, every fault, every rule at every commit.

    PYTHONPATH=src python -m tests.proof.simulation --seeds 2000 --steps 100 --jobs 2

That it can fail is shown by the campaign `planted`, and in small by tests/simulation/test_planted.py."""

import argparse
import os
import sys

from entrypoints.simulation.campaign import Options, campaign
from tests.proof.reporting import Report


def main(arguments: list[str] | None = None) -> int:
    """Play, report, and say how to exit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--faults", default="some")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    options = Options(steps=asked.steps, days=asked.days, faults=asked.faults)
    report = Report(name="simulation")
    figures = campaign(range(asked.first, asked.first + asked.seeds), options, jobs=asked.jobs)
    report.figures = {
        "seeds": figures.seeds,
        "steps": figures.steps,
        "requests": dict(sorted(figures.requests.items())),
        "share of requests by outcome": {
            outcome: f"{count / max(sum(figures.requests.values()), 1):.1%}"
            for outcome, count in sorted(figures.requests.items())
        },
        "domain events": figures.events,
        "events a minute on one core": figures.events_a_minute,
        "faults injected": dict(sorted(figures.faults.items())),
        "crashes": figures.crashes,
        "failures": len(figures.failures),
    }
    for failure in figures.failures:
        sys.stdout.write("\n".join((f"seed {failure.seed}: {failure.rule}", *failure.story, "")) + "\n")
        report.failures.append(f"seed {failure.seed}: {failure.rule}: {failure.said} ({options.again(failure.seed)})")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
