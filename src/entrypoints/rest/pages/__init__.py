"""The few pages people open in a browser: links from mails, and paying. A front end of its own replaces all of them."""

from entrypoints.rest.pages.answering import answering
from entrypoints.rest.pages.buying import buying
from entrypoints.rest.pages.front import front
from entrypoints.rest.pages.giving import giving
from entrypoints.rest.pages.invoicing import invoicing
from entrypoints.rest.pages.links import links
from entrypoints.rest.pages.onboarding import onboarding
from entrypoints.rest.pages.paying import paying
from entrypoints.rest.pages.vouching import vouching

__all__ = ["answering", "buying", "front", "giving", "invoicing", "links", "onboarding", "paying", "vouching"]
