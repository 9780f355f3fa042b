"""What a campaign reports: figures it measured, failures it found, and what it could not show."""

import json
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "build" / "proof"


@dataclass(slots=True, kw_only=True)
class Report:
    """One campaign's report, opened when it starts; `finish` prints it, keeps it as JSON and says how to exit."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    shortfalls: list[str] = field(default_factory=list)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    seconds: float = 0.0
    _since: float = field(default_factory=time.monotonic, repr=False)

    def finish(self) -> int:
        """0 when nothing failed, else 1."""
        self.seconds = round(time.monotonic() - self._since, 1)
        FOLDER.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        machine = {"cpus": os.cpu_count(), "python": platform.python_version()}
        (FOLDER / f"{self.name}.json").write_text(json.dumps(kept | {"machine": machine}, indent=2) + "\n")
        for line in self.lines():
            sys.stdout.write(line + "\n")
        return 1 if self.failures else 0

    def lines(self) -> list[str]:
        """The report as text."""
        verdict = f"{len(self.failures)} FAILED" if self.failures else "ok"
        shown = [f"{self.name}: {verdict}, {self.seconds:.0f} s"]
        shown += [f"  {name}: {value}" for name, value in self.figures.items()]
        shown += [f"  FAILED {failure}" for failure in self.failures]
        return shown + [f"  falls short: {shortfall}" for shortfall in self.shortfalls]
