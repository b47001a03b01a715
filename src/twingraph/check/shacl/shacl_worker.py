"""A process that validates a share: it reads its task from its input and writes what that gave to its output.

python -m twingraph.check.shacl.shacl_worker
"""

import pickle
import sys
from typing import cast

from twingraph.check.shacl.validation import Task
from twingraph.processes import exit_with_parent


def main() -> None:
    """Do the task that stands in the input."""
    exit_with_parent()
    task = cast("Task", pickle.load(sys.stdin.buffer))
    sys.stdout.buffer.write(pickle.dumps(task.done()))


if __name__ == "__main__":
    main()
