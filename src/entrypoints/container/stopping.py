"""How a process is told to end."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stop:
    """Told once to a process: finish what is under way within `seconds`, and end. Told again: end now."""

    seconds: float
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    insisted: asyncio.Event = field(default_factory=asyncio.Event)
    _until: float | None = None

    def ask(self) -> None:
        """Stop, please; the second time: at once."""
        if self.asked.is_set():
            self.insisted.set()
        else:
            self._until = asyncio.get_running_loop().time() + self.seconds
            self.asked.set()

    @property
    def left(self) -> float:
        """Seconds that what is under way still has."""
        if self.insisted.is_set():
            return 0
        return self.seconds if self._until is None else max(0, self._until - asyncio.get_running_loop().time())
