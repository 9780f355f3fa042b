"""Bytes in a folder: the default, for one machine."""

from adapters.disk.objects import DiskObjects

__all__ = ["DiskObjects"]
