"""Files: announced, sent, completed, shown and deleted."""

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.requests import ClientDisconnect

from application.files import (
    CompleteUpload,
    DeleteFile,
    DirectUpload,
    GetFile,
    Link,
    LinkFile,
    ListMyFiles,
    OpenFile,
    ReceiveContent,
    RequestUpload,
    Upload,
)
from application.ports.files import ExaminerBusy, StoreSilent
from domain.files import ORIGINAL, Bucket, FileNotStored, StoredFile
from domain.shared.errors import Refusal
from domain.shared.ids import FileId
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.errors import RangeNotSatisfiable, TooLarge
from entrypoints.rest.files.out import AddressOut, DirectionsOut, FileOut, UploadOut
from entrypoints.rest.files.putting import A_FILE, announced_size, pieces
from entrypoints.rest.files.showing import shown
from entrypoints.rest.limits import FILES, limited
from entrypoints.rest.once import Commanded, CommandedStreamed, CommandedUnkeyed
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import tagged
from entrypoints.use_cases import UseCases

Rendering = Annotated[str, Query(description="Which copy: `original`, or a smaller one by its name", max_length=40)]
Expires = Annotated[int | None, Query(description="Part of a signed link", ge=0, lt=2**40)]
Signature = Annotated[str | None, Query(description="Part of a signed link", max_length=100)]

UPLOAD_WHOLE = """Upload a file in one request: the body is the content, and the answer is the stored file. Its size,
hash and type must be what was announced; pictures are encoded anew, upright and without anything they carried besides
pixels. Whatever is refused is gone."""
SHOWN: dict[int | str, Any] = {
    200: {"description": "The content", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The part of it that was asked for"},
    302: {"description": "Somebody near you hands it out"},
}


def files(use: UseCases) -> APIRouter:
    """Routes under /v1/files."""
    router = api_router("/files", tag="files")
    _putting(router, use)
    _keeping(router, use)
    _reading(router, use)
    return router


def _putting(router: APIRouter, use: UseCases) -> None:
    request_upload, direct_upload = use(RequestUpload), use(DirectUpload)
    receive_content, complete_upload, delete_file = use(ReceiveContent), use(CompleteUpload), use(DeleteFile)
    uploading = Depends(limited("uploads", FILES))
    said = speaks(RequestUpload, *ReceiveContent.refuses, *CompleteUpload.refuses, ExaminerBusy, StoreSilent, TooLarge)
    told = {"summary": UPLOAD_WHOLE.partition(":")[0], "description": " ".join(UPLOAD_WHOLE.split())}

    @router.post("", status_code=201, dependencies=[uploading], openapi_extra=A_FILE, **{**said, **told})
    async def upload(
        request: Request,
        actor: Somebody,
        bucket: Annotated[Bucket, Query(description="What it is for")],
        name: Annotated[str, Query(description="What it is called, ending as its type does", max_length=20_000)],
        once: CommandedStreamed,
        settle: CommandedUnkeyed,
        response: Response,
        sha256: Annotated[str | None, Query(description="Its SHA-256 in hexadecimal, to hold against it")] = None,
    ) -> FileOut:
        kind, size = request.headers.get("content-type", ""), announced_size(request)
        wanted = Upload(bucket=bucket, name=name, content_type=kind, size=size, sha256=sha256)
        file: StoredFile = await once(lambda: request_upload(actor, wanted))
        if "idempotent-replayed" in response.headers:
            with suppress(FileNotStored):
                return FileOut.of(await settle(lambda: complete_upload(actor, file.id)))
        try:
            await receive_content(actor, file.id, pieces(request))
            return FileOut.of(await settle(lambda: complete_upload(actor, file.id)))
        except (Refusal, ClientDisconnect):
            # Nobody can come back to it but by the key it was announced under.
            if "idempotency-key" not in request.headers:
                with suppress(Refusal):
                    await settle(lambda: delete_file(actor, file.id))
            raise

    @router.post("/uploads", status_code=201, dependencies=[uploading], **speaks(RequestUpload, *DirectUpload.refuses))
    async def announce(actor: Somebody, upload: Upload, once: Commanded) -> UploadOut:
        file = await once(lambda: request_upload(actor, upload))
        directions = DirectionsOut.of(await direct_upload(actor, file.id))
        return UploadOut(id=file.id, state=file.state, directions=directions)

    @router.put(
        "/{file_id}/content",
        status_code=204,
        dependencies=[uploading],
        openapi_extra={**A_FILE, "security": [{}]},
        **speaks(ReceiveContent, StoreSilent, TooLarge),
    )
    async def receive(
        request: Request, actor: Anybody, file_id: FileId, expires: Expires = None, signature: Signature = None
    ) -> None:
        announced_size(request)
        await receive_content(actor, file_id, pieces(request), link=_link(expires, signature))

    @router.post("/{file_id}/complete", **speaks(CompleteUpload, ExaminerBusy, StoreSilent))
    async def complete(actor: Somebody, file_id: FileId, settle: CommandedUnkeyed) -> FileOut:
        return FileOut.of(await settle(lambda: complete_upload(actor, file_id)))


def _keeping(router: APIRouter, use: UseCases) -> None:
    list_my_files, get_file, delete_file = use(ListMyFiles), use(GetFile), use(DeleteFile)

    @router.get("", **speaks(ListMyFiles))
    async def mine(
        actor: Somebody,
        page: Asked,
        bucket: Annotated[Bucket | None, Query(description="Only those of this bucket")] = None,
    ) -> Paged[FileOut]:
        return page.project(await list_my_files(actor, bucket=bucket, after=page.after, limit=page.limit), FileOut)

    @router.get("/{file_id}", **speaks(GetFile, signed_in=False))
    async def read(actor: Anybody, file_id: FileId, response: Response) -> FileOut:
        file = await get_file(actor, file_id)
        tagged(response, file)
        return FileOut.of(file)

    @router.delete("/{file_id}", status_code=204, **speaks(DeleteFile))
    async def delete(actor: Somebody, file_id: FileId, once: Commanded) -> None:
        await once(lambda: delete_file(actor, file_id))


def _reading(router: APIRouter, use: UseCases) -> None:
    link_file, open_file = use(LinkFile), use(OpenFile)

    @router.get("/{file_id}/link", **speaks(LinkFile, StoreSilent, signed_in=False))
    async def link(actor: Anybody, file_id: FileId, rendering: Rendering = ORIGINAL) -> AddressOut:
        return AddressOut.of(await link_file(actor, file_id, rendering=rendering))

    said = speaks(OpenFile, RangeNotSatisfiable, StoreSilent, signed_in=False)

    @router.get("/{file_id}/content", response_class=Response, **{**said, "responses": {**said["responses"], **SHOWN}})
    async def content(
        request: Request,
        actor: Anybody,
        file_id: FileId,
        rendering: Rendering = ORIGINAL,
        expires: Expires = None,
        signature: Signature = None,
    ) -> Response:
        return await shown(
            request, await open_file(actor, file_id, rendering=rendering, link=_link(expires, signature))
        )


def _link(expires: int | None, signature: str | None) -> Link | None:
    """What a signed link shows, if this is one."""
    return None if signature is None else Link(expires=expires or 0, signature=signature)
