"""`python -m tests.proof.sockets [--quick] [--storage memory|postgres]`."""

import argparse
import sys

from tests.proof.reporting import Report
from tests.proof.sockets.controls import CONTROLS, misjudged
from tests.proof.sockets.oddities import oddities
from tests.proof.sockets.serving import serving
from tests.proof.sockets.talking import complaints


def main(said: list[str] | None = None) -> int:
    """The campaign; how it ends is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.sockets")
    parser.add_argument("--quick", action="store_true", help="every fourth, on memory")
    parser.add_argument("--storage", choices=["memory", "postgres"], default="postgres")
    asked = parser.parse_args(said)
    report = Report(name="sockets")
    wrong = misjudged()
    report.figures["controls judged rightly"] = f"{len(CONTROLS) - len(wrong)} of {len(CONTROLS)}"
    report.failures += [f"misjudged a server that {name}" for name in wrong]
    storage = "memory" if asked.quick else asked.storage
    with serving(storage) as served:
        chosen = [each for index, each in enumerate(oddities(served.token)) if not asked.quick or index % 4 == 0]
        for oddity in chosen:
            report.failures += complaints(served.port, oddity)
        report.failures += served.log_complaints()
    report.figures |= {"storage": storage, "odd conversations": len(chosen), "honest clients served after": len(chosen)}
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
