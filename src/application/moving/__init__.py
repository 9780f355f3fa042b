"""Moving the house to another storage: plan it, copy it while it serves, verify, cut over, or roll back."""

from application.moving.accounts import Accounts, GiveLogins, TakeLogins
from application.moving.carrying import Outcome, RunMove
from application.moving.ends import Way
from application.moving.files import Copied, FilesVerdict, MoveFiles, VerifyFiles
from application.moving.leaving import CloseMove, Cut, CutOver, RollBack
from application.moving.planning import Plan, PlanMove, TablePlan
from application.moving.verifying import Difference, Verdict, VerifyMove

__all__ = [
    "Accounts",
    "CloseMove",
    "Copied",
    "Cut",
    "CutOver",
    "Difference",
    "FilesVerdict",
    "GiveLogins",
    "MoveFiles",
    "Outcome",
    "Plan",
    "PlanMove",
    "RollBack",
    "RunMove",
    "TablePlan",
    "TakeLogins",
    "Verdict",
    "VerifyFiles",
    "VerifyMove",
    "Way",
]
