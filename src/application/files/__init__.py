"""Files: put, looked into, read by those they are for, and gone when they are no longer wanted."""

from application.files.putting import (
    CompleteUpload,
    DirectUpload,
    Link,
    ReceiveContent,
    RequestUpload,
    Upload,
)
from application.files.reading import FileAddress, FileView, GetFile, LinkFile, ListMyFiles, OpenedFile, OpenFile
from application.files.removing import DeleteFile, RemoveObjects
from application.files.settling import ClearUpload, PublishPicture
from application.files.sweeping import Checked, SweepFiles, Swept, VerifyFiles, Wrong

__all__ = [
    "Checked",
    "ClearUpload",
    "CompleteUpload",
    "DeleteFile",
    "DirectUpload",
    "FileAddress",
    "FileView",
    "GetFile",
    "Link",
    "LinkFile",
    "ListMyFiles",
    "OpenFile",
    "OpenedFile",
    "PublishPicture",
    "ReceiveContent",
    "RemoveObjects",
    "RequestUpload",
    "SweepFiles",
    "Swept",
    "Upload",
    "VerifyFiles",
    "Wrong",
]
