"""What goes wrong at a moment of the plan: processes die and come back, sleep for hours, and their clocks jump."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from entrypoints.container.simulating import Dice, Process
from entrypoints.simulation.plan import Blow

if TYPE_CHECKING:
    from entrypoints.simulation.world import World


async def strike(world: World, blow: Blow) -> None:
    """Let this fault happen, and end."""
    await asyncio.sleep(blow.at)
    if world.calm:
        return
    world.weather.note(blow.fault)
    match blow.fault:
        case "api_dies":
            world.apis[blow.number % len(world.apis)].crash()
        case "worker_dies":
            world.worker.crash()
        case "worker_dead_for_hours":
            world.keep_down(blow.lasts)
            world.worker.crash()
        case "sweeper_dead":
            world.sweeping = False
            world.worker.crash()
            await asyncio.sleep(blow.lasts)
            world.sweeping = True
        case "clock_jumps":
            await _jump(world.worker, blow)
        case "api_clock_jumps":
            await _jump(world.apis[blow.number % len(world.apis)], blow)


async def _jump(process: Process, blow: Blow) -> None:
    clock = process.ports["clock"]
    clock.jump(timedelta(seconds=blow.amount))
    await asyncio.sleep(blow.lasts * 20)
    clock.jump(timedelta())


def copies(world: World, draw: Dice) -> list[tuple[float, bool]]:
    """How one message of the gateway travels just now: seconds under way, and whether under an id of its own."""
    weather = world.weather
    if weather.strikes("webhook_lost"):
        return []
    seconds = 0.01 + draw.random() * 0.2
    if weather.strikes("webhook_reordered"):
        seconds += draw.uniform(0, 90)
    if weather.strikes("webhook_late"):
        seconds += draw.choice((1800.0, 21_600.0, 259_200.0)) * draw.random()
    sent = [(seconds, False)]
    if weather.strikes("webhook_twice"):
        sent.append((seconds + draw.choice((0.0, 5.0, 7200.0)), False))
    if weather.strikes("webhook_renamed"):
        sent.append((seconds + draw.choice((0.0, 0.5, 40.0)), True))
    return sent
