"""`make prove`: every campaign within its budget, on all cores, and one table in the end.

python -m tests.proof                 # all of them, in about half an hour on two cores
python -m tests.proof swap            # what proves that Supabase and PostgreSQL are the same
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

CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as `make prove` runs it, by the name of its report; it fails when it takes longer than its budget of
    seconds. `module` is what is run, where that is called otherwise."""

    name: str
    options: tuple[str, ...] = ()
    budget: int = 300
    module: str = ""


WHOLE = (
    Campaign("simulation", ("--seeds", "2000", "--steps", "100", "--jobs", f"{CORES}"), 1600),
    Campaign("planted", ("--jobs", f"{CORES}"), 900),
)
"""What keeps every core busy by itself, one after the other."""

BESIDE = (
    Campaign("schedules", (), 480),
    Campaign("model", (), 200),
    Campaign("stories", (), 480),
    Campaign("storms", ("--storms", "1000", "--jobs", "1"), 360),
    Campaign("fuzz", ("--examples", "40"), 420),
    Campaign("mutation_domain", ("--sample", "120"), 240),
    Campaign("sockets", (), 90),
    Campaign("mutation_constraints", (), 120),
)
"""What runs on one core: as many at once as there are, the longest first."""

ALONE = (Campaign("stampede", (), 150),)
"""What measures how long things take, and so wants the machine for itself."""

SWAP = (
    Campaign("visibility", (), 600),
    Campaign("project", (), 300),
    Campaign("model_project", ("--supabase", "--budget", "900"), 1200, module="model"),
)
"""That a Supabase project and plain PostgreSQL are one house: `make prove-swap`."""


async def _run(campaign: Campaign) -> tuple[Campaign, int, float]:
    (FOLDER / f"{campaign.name}.json").unlink(missing_ok=True)
    since = time.monotonic()
    with (FOLDER / f"{campaign.name}.log").open("wb") as out:
        command = (sys.executable, "-m", f"tests.proof.{campaign.module or campaign.name}", *campaign.options)
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


async def _beside(campaigns: tuple[Campaign, ...]) -> list[tuple[Campaign, int, float]]:
    free = asyncio.Semaphore(CORES)

    async def one(campaign: Campaign) -> tuple[Campaign, int, float]:
        async with free:
            return await _run(campaign)

    return list(await asyncio.gather(*map(one, campaigns)))


async def prove(wanted: set[str]) -> int:
    """Run what is wanted, or everything; 0 when nothing failed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    usual = not wanted

    def some(campaigns: tuple[Campaign, ...], whole: bool) -> tuple[Campaign, ...]:
        return campaigns if whole else tuple(one for one in campaigns if one.name in wanted)

    since = time.monotonic()
    done = [await _run(campaign) for campaign in some(WHOLE, usual)]
    done += await _beside((*some(BESIDE, usual), *some(SWAP, "swap" in wanted)))
    done += [await _run(campaign) for campaign in some(ALONE, usual)]
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
