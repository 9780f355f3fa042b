"""The composition root: the one place that knows every adapter, and imports only those that were chosen."""

from entrypoints.container.injection import Container
from entrypoints.container.opening import OpenHouse, open_house

__all__ = ["Container", "OpenHouse", "open_house"]
