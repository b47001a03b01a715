"""What a request wishes for: which representation, and what its other headers say."""

from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request

from twingraph.errors import NotAcceptableError, UnknownNameError
from twingraph.formats import GRAPHS, HTML, RESULTS, Format, by_name, negotiate

# Clients send few and short headers again and again; a longer one is not worth remembering.
_LONG = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """Which representation a request wants: its Accept header, and ``?format=``, which wins over it."""

    accept: str | None
    format: str | None = None

    def choose(self, offered: tuple[Format, ...]) -> Format:
        """Return the format to answer in; raises NotAcceptableError, also when no format is called so."""
        if not self.format:
            return negotiate(self.accept, offered)
        try:
            return by_name(self.format, offered)
        except UnknownNameError as error:
            raise NotAcceptableError(self.format, error.known) from error

    def for_answer(self, *, gives_graph: bool) -> Format:
        """Return the format to answer a query in; raises NotAcceptableError."""
        chosen = _chosen if self.is_short else _chosen.__wrapped__
        return chosen(self, gives_graph=gives_graph)

    @property
    def is_page(self) -> bool:
        """Tell whether a page for people is wanted rather than data."""
        return (_is_page if self.is_short else _is_page.__wrapped__)(self)

    @property
    def is_short(self) -> bool:
        """Whether what was chosen once is worth remembering."""
        return len(self.accept or "") + len(self.format or "") < _LONG


def wish(request: Request) -> Wish:
    """Return what the request's headers and address wish for."""
    return Wish(header(request, b"accept").decode("latin-1") or None, request.query_params.get("format") or None)


def header(request: Request, name: bytes) -> bytes:
    """Return the values of a header, whose name is in lower case, as one list (RFC 9110, section 5.3)."""
    return b",".join([value for key, value in request.scope["headers"] if key == name])


@lru_cache(maxsize=256)
def _chosen(wish: Wish, *, gives_graph: bool) -> Format:
    return wish.choose((*(GRAPHS if gives_graph else RESULTS), HTML))


@lru_cache(maxsize=256)
def _is_page(wish: Wish) -> bool:
    try:
        return wish.choose((*RESULTS, *GRAPHS, HTML)).name == HTML.name
    except NotAcceptableError:
        return False
