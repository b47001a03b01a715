"""A plain ASGI route: one request in, one answer out, and every failure a problem document."""

import logging
from abc import ABC, abstractmethod

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from twingraph.errors import TwingraphError
from twingraph.server.access_log import note
from twingraph.server.http.problems import UNFORESEEN, problem

logger = logging.getLogger(__name__)


class PlainRoute(ABC):
    """Answers by `_respond`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that has gone gets nothing."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except TwingraphError as error:
            note(request).failed(error)
            response = problem(error)
        except ClientDisconnect:
            return
        except Exception:
            logger.exception("a request was not answered")
            response = problem(UNFORESEEN)
        await response(scope, receive, send)

    @abstractmethod
    async def _respond(self, request: Request) -> Response: ...
