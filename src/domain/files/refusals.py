"""What can be said against a file.

NotForYou            Forbidden    this bucket is for others to fill
├─ Invalid ──────────────────────────────────────────────────────
BadFileName          its name could mislead, or break out of a folder
TypeNotAllowed       no such files in this bucket
FileTooLarge         more bytes than this bucket takes
NotWhatWasAnnounced  size, hash or content are other than was said
BadFile              the content is broken, dangerous or too much to look into
├─ Conflict ─────────────────────────────────────────────────────
QuotaExceeded        its owner keeps as much as they may
UploadOver           the time to upload it is over, or it was uploaded already
FileNotStored        there is nothing to use or read yet
FileInUse            something shows it
"""

from collections.abc import Collection

from domain.shared.errors import Conflict, Forbidden, Invalid


class NotForYou(Forbidden):
    """Only some may put files into this bucket: pictures of jobs are for those who offer jobs."""

    code = "file.not_for_you"

    def __init__(self, bucket: str) -> None:
        super().__init__(f"you may not put files into {bucket}", bucket=bucket)


class BadFileName(Invalid):
    """A name that could mislead whoever opens the file, or break out of a folder."""

    code = "file.bad_name"

    def __init__(self, why: str) -> None:
        super().__init__(why, field="name")


class TypeNotAllowed(Invalid):
    """A bucket takes some types of files only."""

    code = "file.type_not_allowed"

    def __init__(self, content_type: str, allowed: Collection[str]) -> None:
        told = sorted(allowed)
        said = f"{content_type[:100]!r} is not taken here, only {', '.join(told)}"
        super().__init__(said, field="content_type", allowed=told)


class FileTooLarge(Invalid):
    """A bucket takes files up to a size."""

    code = "file.too_large"

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"a file here has 1 to {most} bytes", field="size", size=size, most=most)


class NotWhatWasAnnounced(Invalid):
    """What was uploaded is not what was announced: other content, another size, another hash. Nothing was kept."""

    code = "file.not_what_was_announced"

    def __init__(self, what: str, announced: object, found: object) -> None:
        said = f"its {what} is not what was announced"
        super().__init__(said, field=what.replace(" ", "_"), announced=announced, found=found)


class BadFile(Invalid):
    """The content is broken, dangerous, or more than we look into. Nothing was kept."""

    code = "file.bad_content"

    def __init__(self, why: str) -> None:
        super().__init__(f"this file is not taken: {why}", field="content", why=why)


class QuotaExceeded(Conflict):
    """You keep as many bytes as you may; delete something first."""

    code = "file.quota_exceeded"

    def __init__(self) -> None:
        super().__init__("there is no room left for this file; delete another first")


class UploadOver(Conflict):
    """The time to upload this file is over, or it has been uploaded."""

    code = "file.upload_over"

    def __init__(self) -> None:
        super().__init__("this file is not waiting to be uploaded any more")


class FileNotStored(Conflict):
    """The file has not been uploaded and looked at yet, or is gone: there is nothing to show."""

    code = "file.not_stored"

    def __init__(self) -> None:
        super().__init__("this file is not there yet: upload it, then complete it")


class FileInUse(Conflict):
    """Something shows this file: a profile, a job or a message."""

    code = "file.in_use"

    def __init__(self) -> None:
        super().__init__("this file is shown somewhere; take it away there first")
