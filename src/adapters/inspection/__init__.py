"""Looking into uploads: in processes of their own, with little memory, little time, and nothing of ours to see."""

from adapters.inspection.examiner import IsolatedExaminer, Limits

__all__ = ["IsolatedExaminer", "Limits"]
