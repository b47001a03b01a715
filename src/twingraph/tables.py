"""Text for people: numbers with their nouns, and tables that fit a terminal without breaking words."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

_GAP = "  "
# A column that is narrower says too little; a row that leaves less is shown as lines instead.
_MIN_WIDTH = 10
_ELLIPSIS = "…"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a number and its noun, ``1 file`` or ``1,200 files``; ``many`` is the plural if it is not ``one`` + s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def render_table(columns: Sequence[str], rows: Iterable[Sequence[str | None]], width: int | None = None) -> str:
    """Return a table as text, unbound cells empty; ``width`` is the terminal's in cells, None for no limit.

    What does not fit ends in an ellipsis; where that would leave too little of each cell, every row becomes a block of
    lines ``column  value``.
    """
    body = [[" ".join((cell or "").split()) for cell in row] for row in rows]
    natural = [max([cell_len(name), *(cell_len(row[i]) for row in body)]) for i, name in enumerate(columns)]
    widths = _fitted(natural, None if width is None else width - len(_GAP) * (len(columns) - 1))
    if widths is None:
        return _vertical(columns, body, width)
    right = [_are_numbers([row[i] for row in body]) for i in range(len(columns))]
    lines = [_line(columns, widths, right), "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))]
    lines += (_line(row, widths, right) for row in body)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _fitted(natural: list[int], available: int | None) -> list[int] | None:
    """Return the widths of columns that fit, the widest shortened first, or None when they would be too narrow."""
    if available is None or sum(natural) <= available:
        return natural
    low, high = 0, max(natural)
    while low < high:  # the largest bound of a column's width with which all fit
        middle = (low + high + 1) // 2
        low, high = (middle, high) if sum(min(each, middle) for each in natural) <= available else (low, middle - 1)
    return [min(each, low) for each in natural] if low >= _MIN_WIDTH else None


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    return _GAP.join(_cell(cell, width, is_right) for cell, width, is_right in zip(cells, widths, right, strict=True))


def _cell(text: str, width: int, is_right: bool) -> str:
    cut = _cut(text, width)
    space = " " * (width - cell_len(cut))
    return space + cut if is_right else cut + space


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + _ELLIPSIS


def _vertical(columns: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> str:
    names = max(map(cell_len, columns), default=0)
    room = max(_MIN_WIDTH, (width or 0) - names - len(_GAP))
    blocks = (
        "\n".join(
            (_cell(name, names, is_right=False) + _GAP + _cut(cell, room)).rstrip()
            for name, cell in zip(columns, row, strict=True)
        )
        for row in rows
    )
    return "\n\n".join(blocks) + "\n"


def _are_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(cell.rstrip(" %").replace(",", "").replace(".", "", 1).isdigit() for cell in filled)
