"""The few pages people open in a browser: links from mails, and paying. A front end of its own replaces all of them."""

from entrypoints.rest.pages.front import front
from entrypoints.rest.pages.links import links
from entrypoints.rest.pages.paying import paying

__all__ = ["front", "links", "paying"]
