"""Writes docs/proof.md from the last reports: `python -m tests.proof.document`. A campaign that has no new report keeps
what stands there of its last one, with its date."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.proof.reporting import FOLDER

TARGET = Path(__file__).resolve().parents[2] / "docs" / "proof.md"

PREFACE = """# Proof

What the last run of every campaign saw. Nothing here is written by hand but the sentences that say what a campaign
does and what it cannot show: the figures are those the campaign printed, and `python -m tests.proof.document` put them
here from its report. Run them yourself: `make prove`, `make prove-crash`, `make prove-release`, `make bench`.

Every campaign has negative controls: bugs planted from `tests/planted/` that it must find. What the benchmarks
measured is in [benchmarks/results](../benchmarks/results)."""

ABOUT = {
    "simulation": "The whole house in one process on memory: real REST, use cases, reactions and worker under a virtual"
    " clock and a seeded scheduler, with faults at every await and every rule judged after every commit.",
    "release": "The same, as it is run before a release.",
    "planted": "Real mistakes, planted one at a time, and how long it took to find each.",
    "model": "Random stories over HTTP against memory, PostgreSQL and a reference model: three answers that must agree,"
    " and two dumps that must be equal.",
    "model_project": "The same stories, with the second house on a Supabase project, reached by PostgREST only.",
    "project": "The whole customer journey with its rows in a Supabase project, by PostgREST only.",
    "schedules": "Every pair of writing use cases on shared rows, interleaved at every call of the database, with up to"
    " two preemptions.",
    "stories": "Every payment story, told in every order of its webhooks, once and with duplicates: one final state.",
    "storms": "Sets of payment stories whose messages come twice, late, in any order, renamed, or never; what was"
    " lost is fetched, or found by comparing the books. Every storm has to end as calm weather does.",
    "fuzz": "The whole OpenAPI in nine roles on a town full of valid data: nothing undocumented, nothing 5xx.",
    "sockets": "Odd bytes on raw sockets; the next honest client must be answered.",
    "visibility": "Every table, view and function asked for as everybody there is: by SQL, at a real PostgREST, and by"
    " the API, three ways that must agree; all the harm that can be done to policies and grants, each noticed; random"
    " worlds judged by row-level security, in memory and by the words of the expectations.",
    "mutation_constraints": "Every constraint, policy and trigger dropped once on a database of its own; something must"
    " notice.",
    "mutation_domain": "The domain changed in one place at a time; its tests must fail.",
    "stampede": "5,000 clients at one slot, over HTTP, against two API processes.",
    "moving": "A town of 100,000 rows moved between PostgreSQL and Supabase (a real PostgREST) and back, while people"
    " write, with a thousand files, between a folder and Supabase Storage (played on the HTTP transport, 20 ms away);"
    " then to fresh databases by the command line, the mover killed (-9): at random moments of the long copying, and"
    " before, within and after each step of verifying, cutting over and going back. After every command it is asked who"
    " takes writes. Databases are compared by their own text and files by their hashes, not by what the mover weighs.",
    "crashes": "Two API processes, a worker and PostgreSQL killed at random moments under load; the client's history"
    " is the judge.",
}


def main() -> int:
    """Write the page; 1 when a campaign has never reported."""
    parts, never = [PREFACE], []
    standing = _sections(TARGET.read_text())
    for name, about in ABOUT.items():
        path = FOLDER / f"{name}.json"
        if path.exists():
            parts.append(_section(name, about, json.loads(path.read_text())))
        elif title(name) in standing:
            parts.append(standing[title(name)])
        else:
            never.append(name)
    TARGET.write_text("\n\n".join(parts) + "\n")
    for name in never:
        sys.stderr.write(f"{name} has never reported\n")
    return 1 if never else 0


def title(name: str) -> str:
    """What a campaign's section is called."""
    return name.replace("_", " of the ", 1).capitalize()


def _sections(page: str) -> dict[str, str]:
    """The sections of the page as it stands, by their titles."""
    found = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    return {part[3 : part.index("\n")]: part.strip() for part in found}


def _section(name: str, about: str, report: dict[str, Any]) -> str:
    machine = report["machine"]
    when = report["started"][:16].replace("T", " ")
    lines = [f"## {title(name)}", "", about, ""]
    verdict = f"{len(report['failures'])} failures" if report["failures"] else "no failure"
    lines += [
        f"{when} UTC, {report['seconds'] / 60:.1f} minutes on {machine['cpus']} cores,"
        f" Python {machine['python']}: **{verdict}**.",
        "",
        "| Figure | Value |",
        "|---|---|",
    ]
    lines += [f"| {_cell(figure)} | {_cell(value)} |" for figure, value in report["figures"].items()]
    if report["failures"]:
        lines += ["", *(f"- failed: {failure}" for failure in report["failures"])]
    if report["shortfalls"]:
        lines += ["", "Falls short:", "", *(f"- {shortfall}" for shortfall in report["shortfalls"])]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{key} {number}" for key, number in value.items())
    elif isinstance(value, list):
        text = "; ".join(map(str, value))
    elif isinstance(value, float):
        text = f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    elif isinstance(value, int) and not isinstance(value, bool):
        text = f"{value:,}"
    else:
        text = str(value)
    return text.replace("|", "\\|").replace("_", " ").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
