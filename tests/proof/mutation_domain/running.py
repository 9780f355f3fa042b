"""Runs mutmut in the folder it is started in: `python running.py [--sample N] [--seed N] [--workers N]`.

A process of its own, because mutmut wants to be alone: it changes the folder, the import path and how modules start."""

import argparse
import sys
from pathlib import Path
from random import Random
from typing import Any

import libcst as cst

sys.path.insert(0, str(Path(__file__).parent))
import operators  # type: ignore[import-not-found]
from mutmut import __main__ as mutmut_main


def main() -> None:
    """Unwrap properties, then generate, sample and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    for path in sorted(Path("src/domain").rglob("*.py")):
        plain = cst.parse_module(path.read_text()).visit(operators.Unwrapped()).code
        if plain != path.read_text():
            path.write_text(plain)
    operators.use_ours()
    if asked.sample:
        mutmut_main.collect_source_file_mutation_data = _sampling(asked.sample, asked.seed)
    mutmut_main._run((), asked.workers)


def _sampling(most: int, seed: int) -> Any:
    every = mutmut_main.collect_source_file_mutation_data

    def collect(**told: Any) -> Any:
        mutants, by_path = every(**told)
        mutants.sort(key=lambda each: each[1])
        return Random(seed).sample(mutants, min(most, len(mutants))), by_path

    return collect


if __name__ == "__main__":
    main()
