"""Progress of a long task: its caller may be notified when each step begins and ends."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

StepObserver = Callable[[str], AbstractContextManager[None]]
"""Given the name of a step, what is entered when it begins and left when it ends, on the thread that it runs on."""


def no_observer(step: str) -> AbstractContextManager[None]:
    """Ignore every step."""
    return nullcontext()
