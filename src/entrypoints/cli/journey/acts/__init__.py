"""The whole journey, act by act. Each act stands on those before it."""

from entrypoints.cli.journey.acts.arriving import ARRIVING
from entrypoints.cli.journey.acts.closing import CLOSING
from entrypoints.cli.journey.acts.ending import ENDING
from entrypoints.cli.journey.acts.finding import FINDING
from entrypoints.cli.journey.acts.founding import FOUNDING
from entrypoints.cli.journey.acts.moving import MOVING
from entrypoints.cli.journey.acts.offering import OFFERING
from entrypoints.cli.journey.acts.paying import PAYING
from entrypoints.cli.journey.acts.sessions import SESSIONS
from entrypoints.cli.journey.acts.sharing import SHARING

ACTS = (ARRIVING, OFFERING, FINDING, PAYING, SHARING, MOVING, ENDING, SESSIONS, FOUNDING, CLOSING)
