"""Drawing at random, the same for the same seed: Zipf ranks, dates as EDTF, invented names of places."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random

_FIRST_YEAR = 1985
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SEASONS = {21: "spring", 22: "summer", 23: "autumn", 24: "winter"}
_BEGINNINGS = (
    *(("Nor", "北"), ("Sund", "松"), ("Lin", "林"), ("Hai", "海"), ("Berg", "山"), ("Xin", "新"), ("Vik", "维")),
    *(("Jin", "金"), ("Ost", "东"), ("Tai", "太"), ("Strand", "岸"), ("Hua", "华"), ("Lund", "隆"), ("Ping", "平")),
    *(("Skog", "树"), ("Yun", "云"), ("Salt", "盐"), ("Chang", "长"), ("Alm", "阿"), ("Fu", "福")),
)
_ENDINGS = (
    *(("hamn", "港"), ("jiang", "江"), ("by", "村"), ("zhou", "州"), ("stad", "城"), ("shan", "岭"), ("vik", "湾")),
    *(("men", "门"), ("borg", "堡"), ("xi", "溪"), ("köping", "镇"), ("yang", "阳"), ("näs", "角"), ("du", "都")),
)


class Zipf:
    """Ranks from 0 to n - 1, the chance of rank r being proportional to 1 / (r + 1) ** exponent."""

    def __init__(self, n: int, exponent: float = 0.9) -> None:
        self._sums = list(accumulate((rank + 1) ** -exponent for rank in range(n)))

    def draw(self, random: Random) -> int:
        """Return one rank."""
        return bisect(self._sums, random.random() * self._sums[-1])

    def several(self, random: Random, count: int) -> list[int]:
        """Return at most ``count`` different ranks, in the order drawn."""
        return list(dict.fromkeys(self.draw(random) for _ in range(count)))


def year_before(random: Random, year: int) -> int:
    """Return a year before ``year``, the recent ones being likelier."""
    return max(_FIRST_YEAR, year - 1 - int(random.expovariate(0.2)))


def edtf(random: Random, year: int) -> tuple[str, str]:
    """Return a time within a year as EDTF, as coarse as sources are, and in words."""
    kind = random.random()
    if kind < 0.35:
        return str(year), str(year)
    if kind < 0.65:
        month = random.randint(1, 12)
        return f"{year}-{month:02}", f"{_MONTHS[month - 1]} {year}"
    if kind < 0.85:
        month, day = random.randint(1, 12), random.randint(1, 28)
        return f"{year}-{month:02}-{day:02}", f"{day} {_MONTHS[month - 1]} {year}"
    if kind < 0.93:
        season = random.choice(sorted(_SEASONS))
        return f"{year}-{season}", f"the {_SEASONS[season]} of {year}"
    if kind < 0.97:
        return f"{year}~", f"about {year}"
    return f"{year}/{year + 2}", f"from {year} to {year + 2}"


def place_name(number: int) -> tuple[str, str]:
    """Return the name of an invented place in Latin and in Chinese script, another for each number."""
    again, index = divmod(number, len(_BEGINNINGS) * len(_ENDINGS))
    (start, first), (end, last) = _BEGINNINGS[index % len(_BEGINNINGS)], _ENDINGS[index // len(_BEGINNINGS)]
    suffix = f" {again + 1}" if again else ""
    return start + end + suffix, first + last + suffix


def weighted(random: Random, values: Sequence[str], weights: Sequence[float]) -> str:
    """Return one of the values."""
    return random.choices(values, weights)[0]
