"""What became of the mutants, module by module, and which of the survivors change nothing."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

EQUIVALENT = Path(__file__).with_name("equivalent.txt")
KILLED, SURVIVED, TIMEOUT, UNTESTED, EQUAL = "killed", "survived", "timeout", "untested", "equivalent"
_BY_EXIT = {0: SURVIVED, 5: UNTESTED, 33: UNTESTED, 24: TIMEOUT, -24: TIMEOUT, 36: TIMEOUT, 152: TIMEOUT, 255: TIMEOUT}
_DIFFS = """
import json, sys
from mutmut.mutation.diff_apply import get_diff_for_mutant
print(json.dumps({name: get_diff_for_mutant(name, path=path) for name, path in json.load(sys.stdin).items()}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mistake, and whether a test noticed."""

    name: str
    path: str
    status: str
    change: str = ""
    """Lines left out and put in, `- old + new`."""

    @property
    def where(self) -> str:
        """The function it is in: `domain.jobs.Job.publish`."""
        module, _, mangled = self.name.rpartition(".")
        plain = mangled.rpartition("__mutmut_")[0]
        owner, _, method = plain.removeprefix("x\u01c1").rpartition("\u01c1")
        return f"{module}.{owner}.{method}" if owner else f"{module}.{plain.removeprefix('x_')}"


def outcome(folder: Path) -> list[Mutant]:
    """Every mutant that was tried in this folder; survivors with what they change."""
    found = list(_tried(folder))
    waiting = [each for each in found if each.status in (SURVIVED, UNTESTED)]
    names = json.dumps({each.name: each.path for each in waiting})
    told = subprocess.run(
        [sys.executable, "-c", _DIFFS], input=names, text=True, cwd=folder, check=True, capture_output=True
    )
    changes: dict[str, str] = json.loads(told.stdout)
    equal = _equivalent()
    return [_judged(each, changes[each.name], equal) if each in waiting else each for each in found]


def _judged(mutant: Mutant, diff: str, equal: set[str]) -> Mutant:
    """The survivor with its change, unless that is known to change nothing."""
    change = " ".join(
        f"{line[0]} {line[1:].strip()}"
        for line in diff.splitlines()
        if line[:1] in ("-", "+") and line[:3] not in ("---", "+++")
    )
    status = EQUAL if f"{mutant.where}: {change}" in equal else mutant.status
    return replace(mutant, status=status, change=change)


def score(mutants: list[Mutant]) -> float:
    """The share of those that change something which a test noticed, be it by never ending."""
    counts = Counter(each.status for each in mutants)
    noticed = counts[KILLED] + counts[TIMEOUT]
    return noticed / max(len(mutants) - counts[EQUAL], 1)


def by_module(mutants: list[Mutant]) -> dict[str, str]:
    """Module to its figures."""
    modules: dict[str, list[Mutant]] = defaultdict(list)
    for each in mutants:
        modules[each.path.removeprefix("src/").removesuffix(".py").replace("/", ".")].append(each)
    return {module: _figures(some) for module, some in sorted(modules.items())}


def _figures(mutants: list[Mutant]) -> str:
    counts = Counter(each.status for each in mutants)
    kinds = (KILLED, SURVIVED, UNTESTED, TIMEOUT, EQUAL)
    said = ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts[kind])
    return f"{score(mutants):.0%} of {len(mutants) - counts[EQUAL]} ({said})"


def _tried(folder: Path) -> Iterator[Mutant]:
    for meta in sorted((folder / "mutants" / "src" / "domain").rglob("*.meta")):
        path = str(meta.relative_to(folder / "mutants")).removesuffix(".meta")
        for name, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            if code is not None:
                yield Mutant(name=name, path=path, status=_BY_EXIT.get(code, KILLED))


def _equivalent() -> set[str]:
    """Mutants that change nothing anybody could see: `where: change`, each after a line that says why."""
    lines = EQUIVALENT.read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}
