"""What stands before every route: whom to answer, how much to read, what to tell browsers."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A page that another site names after our address could otherwise read the shop's answers
# through the visitor's browser (DNS rebinding); it cannot change the Host it asks for.
OWN_NAMES = ["127.0.0.1", "localhost", "[::1]"]

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A new version's page must not meet the old version's script.
    "Cache-Control": "no-cache",
}


class SecurityHeaders:
    """Tells the browser to run nothing that did not come from here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self.app(scope, receive, send_guarded)


class BodyLimit:
    """Stops reading a request once it is longer than allowed, whatever length it claims.

    FastAPI's own ``max_body_size`` answers in plain text; raised here, inside the application,
    the refusal has the shape of every other.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app = app
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        claimed = Headers(scope=scope).get("content-length", "0")
        received = 0

        async def receive_some() -> Message:
            nonlocal received
            if claimed.isdecimal() and int(claimed) > self.most_bytes:
                raise HTTPException(413, self._rule)
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.most_bytes:
                raise HTTPException(413, self._rule)
            return message

        await self.app(scope, receive_some, send)

    @property
    def _rule(self) -> str:
        return f"a request body has at most {self.most_bytes} bytes"
