"""The studio's files, and what a browser is told of them."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "studio"

# Nothing comes from elsewhere, nothing is written into the page as code, and nobody frames it.
_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Page(StaticFiles):
    """Raises HTTPException for what is not there, and for what is there but not got."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            # 404 goes before 405: by it clients know which of OpenAI's endpoints are not here.
            await super().get_response(path, {**scope, "method": "HEAD"})
        if path.endswith(".md"):  # of those who write the page
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        if path.endswith(".js"):  # on some machines the system's table has another type for it
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response
