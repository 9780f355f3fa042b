"""`python -m tests.proof.mutation_domain [--sample N] [--seed N] [--quick] [--workers N]`: all mutants, or a sample."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.proof.mutation_domain.outcome import EQUAL, KILLED, TIMEOUT, Mutant, by_module, outcome, score
from tests.proof.reporting import FOLDER, Report

ROOT = Path(__file__).resolve().parents[3]
GOAL = 0.9
QUICK = 60
CONFIG = """
[tool.mutmut]
source_paths = ["src/domain"]
also_copy = ["src", "tests"]
pytest_add_cli_args_test_selection = ["tests/domain"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist"]
"""
PLANTED = "def {0}(number: int) -> int:\n    return number * 2\n\n\n"
LOOKED_AT, IGNORED = "doubled", "twice"
SOME_TEST = """from domain.planted import doubled, twice


def test_two_is_doubled() -> None:
    assert doubled(2) == 4
    twice(2)
"""
"""Negative control: of the function whose result is looked at every mutant must be killed, of its twin none."""


def main(said: list[str] | None = None) -> int:
    """The campaign; how it ends is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutation_domain")
    parser.add_argument("--sample", type=int, default=0, help="that many mutants instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} mutants")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the folder, for `mutmut browse` in it")
    asked = parser.parse_args(said)
    report = Report(name="mutation_domain")
    sample = QUICK if asked.quick else asked.sample
    kept, blind = control()
    report.figures["control: noticed with an assertion, and without"] = f"{kept:.0%}, {blind:.0%}"
    if kept < 1 or blind > 0:
        report.failures.append("the control shows that this harness does not measure what it says")
    with_folder = FOLDER / "mutation_domain"
    mutants = mutated(with_folder, sample=sample, seed=asked.seed, workers=asked.workers)
    if not asked.keep:
        shutil.rmtree(with_folder)
    tell(report, mutants, sampled=bool(sample))
    return report.finish()


def tell(report: Report, mutants: list[Mutant], *, sampled: bool) -> None:
    """Put what became of them into the report."""
    reached = score(mutants)
    counted = [each for each in mutants if each.status != EQUAL]
    report.figures |= {"mutants": len(mutants), "sampled": sampled, "score": f"{reached:.1%}", **by_module(mutants)}
    lost = [each for each in counted if each.status not in (KILLED, TIMEOUT)]
    report.figures["not noticed"] = [f"{each.where}: {each.change}" for each in lost]
    # A sample of a domain at the goal may fall a little below it by chance.
    goal = GOAL - (2 * (GOAL * (1 - GOAL) / len(counted)) ** 0.5 if sampled else 0)
    if reached < goal:
        report.failures.append(f"{reached:.1%} of the mutants were noticed, {goal:.1%} are asked for")
    report.shortfalls.append("statements outside of functions, and enumerations, are not mutated")


def mutated(folder: Path, *, sample: int = 0, seed: int = 1, workers: int = 1) -> list[Mutant]:
    """The domain's mutants, tried in a copy of the tree."""
    shutil.rmtree(folder, ignore_errors=True)
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", folder / "src", ignore=leave)
    for part in ("domain", "support"):
        shutil.copytree(ROOT / "tests" / part, folder / "tests" / part, ignore=leave)
    for name in ("__init__.py", "conftest.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + CONFIG)
    return _run(folder, f"--sample={sample}", f"--seed={seed}", f"--workers={workers}")


def control() -> tuple[float, float]:
    """The score of a function whose result a test looks at, and of its twin, whose result it does not."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "src" / "domain").mkdir(parents=True)
        (folder / "tests" / "domain").mkdir(parents=True)
        (folder / "src" / "domain" / "__init__.py").touch()
        (folder / "src" / "domain" / "planted.py").write_text(PLANTED.format(LOOKED_AT) + PLANTED.format(IGNORED))
        (folder / "tests" / "domain" / "test_planted.py").write_text(SOME_TEST)
        ini = '[tool.pytest.ini_options]\npythonpath = ["src"]\naddopts = ["--import-mode=importlib"]\n'
        (folder / "pyproject.toml").write_text(ini + CONFIG)
        mutants = _run(folder)
    kept, blind = ([each for each in mutants if each.where.endswith(name)] for name in (LOOKED_AT, IGNORED))
    return score(kept), score(blind) if blind else 1.0


def _run(folder: Path, *options: str) -> list[Mutant]:
    running = Path(__file__).with_name("running.py")
    with (folder / "mutmut.log").open("w") as log:
        done = subprocess.run([sys.executable, str(running), *options], cwd=folder, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise RuntimeError(f"mutmut ended with {done.returncode}: {(folder / 'mutmut.log').read_text()[-2000:]}")
    return outcome(folder)


if __name__ == "__main__":
    sys.exit(main())
