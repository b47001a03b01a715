"""Exit codes: one table from errors to what the shell sees."""

from collections.abc import Mapping
from enum import IntEnum

from twingraph import errors


class ExitCode(IntEnum):
    """What a command ends with."""

    OK = 0
    NOT_CONFORMING = 1
    USAGE = 2
    NOT_DONE = 3


EXIT_CODES: Mapping[type[errors.TwingraphError], ExitCode] = {
    errors.TwingraphError: ExitCode.NOT_DONE,
    errors.SettingsError: ExitCode.USAGE,
    errors.PublicationError: ExitCode.NOT_DONE,
    errors.DateError: ExitCode.NOT_DONE,
    errors.IriError: ExitCode.USAGE,
    errors.UnknownNameError: ExitCode.USAGE,
    errors.ParameterError: ExitCode.USAGE,
    errors.RequestError: ExitCode.USAGE,
    errors.QueryError: ExitCode.USAGE,
    errors.FederationRefusedError: ExitCode.USAGE,
    errors.UnknownGraphError: ExitCode.USAGE,
    errors.UnsupportedFunctionError: ExitCode.USAGE,
    errors.NotAcceptableError: ExitCode.USAGE,
    errors.NotConformingError: ExitCode.NOT_CONFORMING,
    errors.ReleaseError: ExitCode.NOT_DONE,
    errors.NoReleaseError: ExitCode.NOT_DONE,
    errors.StoreError: ExitCode.NOT_DONE,
    errors.WorkerLostError: ExitCode.NOT_DONE,
    errors.NotReadyError: ExitCode.NOT_DONE,
    errors.DamagedStoreError: ExitCode.NOT_DONE,
    errors.LimitError: ExitCode.NOT_DONE,
    errors.QueryTimeoutError: ExitCode.NOT_DONE,
    errors.MemoryLimitError: ExitCode.NOT_DONE,
    errors.AnswerTooLargeError: ExitCode.NOT_DONE,
    errors.QueryTooLongError: ExitCode.NOT_DONE,
    errors.TooBusyError: ExitCode.NOT_DONE,
    errors.EndpointError: ExitCode.NOT_DONE,
}


def exit_code(error: errors.TwingraphError) -> ExitCode:
    """Return the exit code for an error: its class's, or that of the nearest class above it."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
