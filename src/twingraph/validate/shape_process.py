"""A process that validates a share: it reads its task from its input and writes what that gave to its output.

python -m twingraph.validate.shape_process
"""

import pickle
import sys
from typing import cast

from twingraph.children import end_with_parent
from twingraph.validate.shape_checks import Task


def main() -> None:
    """Do the task that stands in the input."""
    end_with_parent()
    task = cast("Task", pickle.load(sys.stdin.buffer))
    sys.stdout.buffer.write(pickle.dumps(task.done()))


if __name__ == "__main__":
    main()
