"""`make prove`: every campaign within its budget, two at a time, and one table in the end.

python -m tests.proof                 # all of them, in at most 20 minutes on two cores
python -m tests.proof stories model   # just these
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass

from tests.proof.reporting import FOLDER


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as `make prove` runs it; it fails when it takes longer than its budget of seconds."""

    name: str
    options: tuple[str, ...] = ()
    budget: int = 300


LANES: tuple[tuple[Campaign, ...], ...] = (
    (
        Campaign("simulation", ("--seeds", "2000", "--steps", "100", "--jobs", "1"), 900),
        Campaign("planted", (), 300),
    ),
    (
        Campaign("stories", (), 150),
        Campaign("schedules", (), 400),
        Campaign("model", (), 270),
        Campaign("fuzz", (), 270),
        Campaign("sockets", (), 60),
        Campaign("mutation_constraints", (), 180),
        Campaign("mutation_domain", ("--sample", "150"), 200),
    ),
)
"""What runs side by side; within a lane one after the other, the longest lane decides."""

ALONE = (Campaign("stampede", (), 150),)
"""What measures how long things take, and so wants the machine for itself."""


async def _run(campaign: Campaign) -> tuple[Campaign, int, float]:
    log = FOLDER / f"{campaign.name}.log"
    since = time.monotonic()
    with log.open("wb") as out:
        command = (sys.executable, "-m", f"tests.proof.{campaign.name}", *campaign.options)
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out)
        try:
            async with asyncio.timeout(campaign.budget):
                code = await process.wait()
        except TimeoutError:
            process.terminate()
            code = await process.wait() or -15
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
    seconds = time.monotonic() - since
    sys.stdout.write(f"{'ok    ' if code == 0 else 'FAILED'} {campaign.name} ({seconds:.0f} s)\n")
    sys.stdout.flush()
    return campaign, code, seconds


async def _lane(campaigns: tuple[Campaign, ...]) -> list[tuple[Campaign, int, float]]:
    return [await _run(campaign) for campaign in campaigns]


async def prove(wanted: set[str]) -> int:
    """Run what is wanted, or everything; 0 when nothing failed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lanes = [tuple(one for one in lane if not wanted or one.name in wanted) for lane in (*LANES, ALONE)]
    since = time.monotonic()
    done = [each for lane in await asyncio.gather(*map(_lane, lanes[:-1])) for each in lane]
    done += await _lane(lanes[-1])
    sys.stdout.write("\n")
    for campaign, code, seconds in done:
        _tell(campaign, code, seconds)
    failed = [campaign.name for campaign, code, _ in done if code]
    sys.stdout.write(
        f"\n{len(done)} campaigns in {(time.monotonic() - since) / 60:.1f} minutes on {os.cpu_count()} cores: "
    )
    sys.stdout.write(f"FAILED {', '.join(failed)}\n" if failed else "all ok\n")
    return 1 if failed or not done else 0


def _tell(campaign: Campaign, code: int, seconds: float) -> None:
    """What the campaign reported; the end of what it said where it did not come so far."""
    report = FOLDER / f"{campaign.name}.json"
    if report.exists() and report.stat().st_mtime > time.time() - seconds - 3600 and code in (0, 1):
        told = json.loads(report.read_text())
        sys.stdout.write(f"{campaign.name}: {'ok' if code == 0 else 'FAILED'}, {told['seconds']:.0f} s\n")
        lines = [f"  {name}: {value}" for name, value in told["figures"].items()]
        lines += [f"  FAILED {failure}" for failure in told["failures"]]
        sys.stdout.write("\n".join(lines) + "\n")
        return
    sys.stdout.write(f"{campaign.name}: exit {code} after {seconds:.0f} s; it said last:\n")
    said = (FOLDER / f"{campaign.name}.log").read_text(errors="replace").splitlines()[-15:]
    sys.stdout.write("\n".join(f"  {line}" for line in said) + "\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(prove(set(sys.argv[1:]))))
