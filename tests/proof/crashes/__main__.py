"""`python -m tests.proof.crashes`: kill a running installation again and again, and look what is left of its word."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from tests.proof.crashes.campaign import Campaign
from tests.proof.crashes.controls import CONTROLS, caught
from tests.proof.reporting import FOLDER, Report


def main() -> int:
    """Run the campaign as asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.crashes", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many SIGKILLs")
    parser.add_argument("--seed", type=int, default=1, help="decides parts, moments and stories; not the scheduling")
    parser.add_argument("--minutes", type=float, default=30, help="stop killing after so many")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead")
    parser.add_argument("--no-controls", action="store_true", help="leave out the planted bugs")
    parser.add_argument("--only-controls", action="store_true", help="only look whether the planted bugs are found")
    parser.add_argument("--keep", type=Path, help="leave history and logs in this folder")
    asked = parser.parse_args()
    campaign = Campaign(kills=asked.kills, seed=asked.seed, minutes=asked.minutes, folder=asked.keep)
    report = campaign.report
    if not asked.only_controls:
        asyncio.run(campaign.run())
    if not asked.no_controls:
        asyncio.run(_controls(report, seed=asked.seed))
    if not asked.json:
        return report.finish()
    stdout, sys.stdout = sys.stdout, sys.stderr
    code = report.finish()
    sys.stdout = stdout
    print(json.dumps(json.loads((FOLDER / "crashes.json").read_text()), indent=2))
    return code


async def _controls(report: Report, *, seed: int) -> None:
    """Each planted bug must be found; otherwise an acquittal would mean nothing."""
    found: dict[str, str] = {}
    for control in CONTROLS:
        is_caught, how = await caught(control, seed=seed)
        found[control.name] = f"{'caught' if is_caught else 'NOT CAUGHT'}: {how}"
        report.failures += [] if is_caught else [f"the planted bug {control.name!r} was not found: {how}"]
    report.figures["controls"] = found


if __name__ == "__main__":
    sys.exit(main())
