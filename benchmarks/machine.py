"""The machine: which processor does what, and how much of it a process and its children have used. Linux only."""

import os
import platform
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_USABLE = os.sched_getaffinity(0)


def halves() -> tuple[int, int] | None:
    """The processor of the application, and the one of everything else; None where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else None


def pin(processor: int | None, pid: int = 0) -> None:
    """Let a process, and whatever it starts from now on, run on that processor only."""
    if processor is not None:
        os.sched_setaffinity(pid, {processor})


def family(root: int) -> list[int]:
    """The processes that descend from this one, itself included."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))):
            parents[int(entry.name)] = int(fields[1])
    return [pid for pid in parents if _descends(pid, parents, root)]


def spent(pids: list[int]) -> float:
    """Processor seconds these processes have used so far, and those of their children that have ended."""
    return sum(sum(map(int, fields[11:15])) for pid in pids if (fields := _fields(pid))) / TICKS


def used(*roots: int) -> float:
    """The same of whole families."""
    return sum(spent(family(root)) for root in roots)


def busy() -> float:
    """Processor seconds everybody has used so far on the processors we may use."""
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *spent = line.split()
        if name.removeprefix("cpu").isdigit() and int(name[3:]) in _USABLE:
            user, nice, system, _idle, _waiting, irq, softirq, *_ = map(int, spent)
            total += user + nice + system + irq + softirq
    return total / TICKS


def described() -> dict[str, str | int]:
    """The machine in a few words, for the record."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), "?")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 2**20
    return {
        "processors": len(os.sched_getaffinity(0)),
        "model": model,
        "memory_gib": memory,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }


def _fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _descends(pid: int, parents: dict[int, int], root: int) -> bool:
    while pid in parents:
        if pid == root:
            return True
        pid = parents[pid]
    return False
