"""The command line: operators run the same use cases as everybody else, with the same inputs, refusals and audit."""

from entrypoints.cli.app import app, main

__all__ = ["app", "main"]
