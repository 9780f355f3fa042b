"""Prints `.env.example`."""

import sys

from entrypoints.settings import Settings, env_example

sys.stdout.write(env_example(Settings))
