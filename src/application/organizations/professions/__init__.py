"""The professions a business can start as: data only, the same shape for each."""

from application.organizations.professions import beauty, teaching, trades, wellbeing
from application.organizations.professions.profession import JobTemplate, Profession, Wording

PROFESSIONS: dict[str, Profession] = {
    profession.word: profession
    for profession in (
        *trades.PROFESSIONS,
        *beauty.PROFESSIONS,
        *teaching.PROFESSIONS,
        *wellbeing.PROFESSIONS,
    )
}
"""Every profession by its word."""

__all__ = ["PROFESSIONS", "JobTemplate", "Profession", "Wording"]
