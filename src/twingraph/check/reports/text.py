"""Numbers with their nouns."""


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number and its noun: ``1 file``, ``1,200 files``; ``many`` where the plural is not formed with s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
