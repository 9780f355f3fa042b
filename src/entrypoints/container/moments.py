"""The same house at another moment: how a demo gets a past, and a test its future."""

from datetime import datetime

from dependency_injector.providers import Object

from adapters.system.clock import StandingClock
from entrypoints.container.injection import Container
from entrypoints.container.opening import OpenHouse

_SHARED = (
    "secret",
    "pools",
    "rest",
    "store",
    "views",
    "job_search",
    "bell",
    "keyring",
    "passwords",
    "simulated_books",
    "simulated_deliveries",
)
"""What both have in common: the rows, the connections, the secrets."""


def at(house: OpenHouse, moment: datetime) -> OpenHouse:
    """This house with a clock of its own that stands at that moment; its container's `clock` can be set further."""
    then = Container(settings=house.settings)
    for name in _SHARED:
        getattr(then, name).override(getattr(house.container, name))
    then.clock.override(Object(StandingClock(moment)))
    return OpenHouse(house.settings, then, house.owner_url)
