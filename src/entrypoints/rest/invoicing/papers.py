"""Papers that left the house, and how an organization signs them."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from application.invoicing import (
    GetLetterhead,
    GetPaper,
    LetterheadDraft,
    ListPapers,
    PaperFilter,
    PrintPaper,
    WordLetterhead,
)
from domain.shared.ids import OrganizationId, PaperId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.invoicing.shown import AS_PDF, LetterheadOut, PaperOut, as_pdf
from entrypoints.rest.once import Commanded
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, tagged
from entrypoints.use_cases import UseCases


def papers(use: UseCases) -> APIRouter:
    """Routes under /v1/papers, and an organization's letterhead."""
    router = api_router(tag="papers")
    get_paper, list_papers, print_paper = use(GetPaper), use(ListPapers), use(PrintPaper)
    get_letterhead, word_letterhead = use(GetLetterhead), use(WordLetterhead)

    @router.get("/papers", **speaks(ListPapers))
    async def search(
        actor: Somebody, filter: Annotated[PaperFilter, Depends(asked(PaperFilter))], page: Asked
    ) -> Paged[PaperOut]:
        return page.project(await list_papers(actor, filter, after=page.after, limit=page.limit), PaperOut)

    @router.get("/papers/{paper_id}", **speaks(GetPaper))
    async def read(actor: Somebody, paper_id: PaperId, response: Response) -> PaperOut:
        paper = await get_paper(actor, paper_id)
        tagged(response, paper)
        return PaperOut.of(paper)

    said = speaks(PrintPaper)

    @router.get(
        "/papers/{paper_id}/pdf", response_class=Response, **{**said, "responses": {**said["responses"], 200: AS_PDF}}
    )
    async def pdf(actor: Somebody, paper_id: PaperId) -> Response:
        return as_pdf(await print_paper(actor, paper_id))

    @router.get("/organizations/{organization_id}/letterhead", **speaks(GetLetterhead))
    async def letterhead(actor: Somebody, organization_id: OrganizationId, response: Response) -> LetterheadOut:
        found = await get_letterhead(actor, organization_id)
        tagged(response, found)
        return LetterheadOut.of(found)

    @router.put("/organizations/{organization_id}/letterhead", **speaks(WordLetterhead))
    async def word(
        actor: Somebody,
        organization_id: OrganizationId,
        letterhead: Annotated[LetterheadDraft, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> LetterheadOut:
        letterhead = replace(letterhead, expected_version=expected)
        return LetterheadOut.of(await once(lambda: word_letterhead(actor, organization_id, letterhead)))

    return router
