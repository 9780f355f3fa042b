"""Stories have many small mishaps in them; nobody needs to read of each."""

import logging

import structlog


def quietly() -> None:
    """Log only what breaks."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
