"""`make prove`: every campaign within its budget, two at a time, and one table in the end.

python -m tests.proof                 # all of them, in about half an hour on two cores
python -m tests.proof stories model   # just these
"""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
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
        Campaign("simulation", ("--seeds", "2000", "--steps", "100", "--jobs", "1"), 1600),
        Campaign("sockets", (), 90),
        Campaign("mutation_constraints", (), 120),
    ),
    (
        Campaign("planted", (), 600),
        Campaign("stories", (), 240),
        Campaign("schedules", (), 360),
        Campaign("model", (), 200),
        Campaign("project", (), 240),
        Campaign("fuzz", ("--examples", "40"), 240),
        Campaign("mutation_domain", ("--sample", "120"), 240),
        Campaign("visibility", (), 400),
    ),
)
"""What runs side by side; within a lane one after the other, the longest lane decides."""

ALONE = (Campaign("stampede", (), 150),)
"""What measures how long things take, and so wants the machine for itself."""


async def _run(campaign: Campaign) -> tuple[Campaign, int, float]:
    (FOLDER / f"{campaign.name}.json").unlink(missing_ok=True)
    since = time.monotonic()
    with (FOLDER / f"{campaign.name}.log").open("wb") as out:
        command = (sys.executable, "-m", f"tests.proof.{campaign.name}", *campaign.options)
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out, start_new_session=True)
        code = -1
        try:
            async with asyncio.timeout(campaign.budget):
                code = await process.wait()
        except TimeoutError:
            out.write(f"\nended after its budget of {campaign.budget} s\n".encode())
        finally:
            await _end(process)
    seconds = time.monotonic() - since
    sys.stdout.write(f"{'ok    ' if code == 0 else 'FAILED'} {campaign.name} ({seconds:.0f} s)\n")
    sys.stdout.flush()
    return campaign, code, seconds


async def _end(process: asyncio.subprocess.Process) -> None:
    """Whatever the campaign has started ends with it, servers included; first as if somebody had interrupted it."""
    for how, patience in ((signal.SIGINT, 15), (signal.SIGKILL, 15)):
        with suppress(ProcessLookupError, TimeoutError):
            os.killpg(process.pid, how)
            async with asyncio.timeout(patience):
                await process.wait()
                return


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
    if report.exists():
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
