"""Tables for a terminal: columns as wide as their contents need, Chinese characters counted as two cells."""

from collections.abc import Iterable, Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# No terminal is this wide: what is written to a file is not folded.
_UNBOUNDED = 100_000


def render_table(columns: Sequence[str], rows: Iterable[Sequence[str | None]], width: int | None = None) -> str:
    """Return a table as text; ``width`` is the terminal's in cells, None for no limit. An unbound cell is empty."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, highlight=False)
    body = [[cell or "" for cell in row] for row in rows]
    for position, column in enumerate(columns):
        cells = [row[position] for row in body]
        table.add_column(Text(column), overflow="fold", justify="right" if _are_numbers(cells) else "left")
    for row in body:
        table.add_row(*(Text(cell) for cell in row))
    output = StringIO()
    console = Console(file=output, width=width or _UNBOUNDED, color_system=None, force_terminal=False, emoji=False)
    console.print(table, soft_wrap=False)
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines()) + "\n"


def _are_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(cell.rstrip(" %").replace(",", "").replace(".", "", 1).isdigit() for cell in filled)
