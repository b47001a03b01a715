"""What a measurement says of itself, and where its numbers are kept."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping

from places import RESULTS, ROOT
from report import write_report


def say(what: str) -> None:
    """Print what is being done, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def commit() -> str:
    """Return the commit that is measured, marked when files are not as committed."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def keep(kind: str, triples: int, result: Mapping[str, object]) -> None:
    """Keep the raw numbers of a measurement of a size, in place of those before, and write the report anew."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{kind}-{triples}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_report()
