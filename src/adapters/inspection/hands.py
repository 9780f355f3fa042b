"""The examiner's hands: a few processes, started when there is something to look into, replaced when they fail."""

import asyncio
import json
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

SRC = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-s", "-m", "adapters.inspection.hand")


class HandLost(Exception):
    """The process ended or did not answer; what it was given is not the reason, as its children have limits."""


class Hand:
    """One process, doing one thing at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(SRC)},
            cwd="/",
            start_new_session=True,
        )

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Its answer. Blocks, so it is asked on a thread."""
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        try:
            into.write(json.dumps(job).encode() + b"\n")
            into.flush()
            answer = out.readline()
        except OSError as error:
            raise HandLost(str(error)) from error
        if not answer:
            raise HandLost("it ended")
        found: dict[str, Any] = json.loads(answer)
        return found

    def end(self, *, at_once: bool) -> None:
        """Let it go: it ends by itself when nothing can come any more."""
        pipes: list[IO[bytes] | None] = [self._process.stdin, self._process.stdout]
        if at_once:
            self._process.kill()
        for pipe in pipes:
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Hands:
    """At most `most` of them, each busy with one upload at a time. They end with whoever holds this."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._idle: list[Hand] = []
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="examiner")
        self._end = weakref.finalize(self, _ended, self._idle, self._threads)

    async def ask(self, job: dict[str, Any], *, seconds: float) -> dict[str, Any]:
        """The answer of the next free hand; `HandLost` when there is none after so many seconds of its time."""
        async with self._free:
            return await self._asked(job, seconds)

    def close(self) -> None:
        """End them all."""
        self._end()

    async def _asked(self, job: dict[str, Any], seconds: float) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        hand = self._idle.pop() if self._idle else await loop.run_in_executor(self._threads, Hand)
        whole = False
        try:
            async with asyncio.timeout(seconds):
                answer = await loop.run_in_executor(self._threads, hand.ask, job)
            whole = True
            return answer
        except TimeoutError as error:
            raise HandLost("it did not answer") from error
        finally:
            if whole and self._end.alive:
                self._idle.append(hand)
            else:
                hand.end(at_once=True)


def _ended(idle: list[Hand], threads: ThreadPoolExecutor) -> None:
    while idle:
        idle.pop().end(at_once=False)
    threads.shutdown(wait=False)
