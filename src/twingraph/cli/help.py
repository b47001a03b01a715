"""Help as plain text: usage, arguments, options and commands, without the types of the program's own functions."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


class _PlainHelp:
    """Writes the sections of a command's help."""

    params: list[Any]

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:
        arguments = (_usage(each) for each in self.params if each.param_type_name == "argument")
        return ["[OPTIONS]", *arguments, *self.after_usage()]

    def after_usage(self) -> Iterator[str]:
        """Yield what follows the arguments in the usage line."""
        yield from ()

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:
        parameters = [*self.params, *filter(None, [self.get_help_option(ctx)])]  # type: ignore[attr-defined]
        sections = {"Arguments": "argument", "Options": "option"}
        for title, kind in sections.items():
            rows = [row for each in parameters if each.param_type_name == kind and (row := _row(each))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:
        """Write the list of commands, if there are any."""


class Command(_PlainHelp, TyperCommand):  # type: ignore[misc]
    """A command whose help is plain text."""


class Group(_PlainHelp, TyperGroup):  # type: ignore[misc]
    """Commands that are known by name and summary before their modules are imported."""

    summaries: ClassVar[Mapping[str, str]] = {}
    is_completing = False

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the names of the commands."""
        return list(self.summaries)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        """Return a command by its name, imported unless only names are completed."""
        if cmd_name not in self.summaries:
            return None
        return TyperCommand(cmd_name, help=self.summaries[cmd_name]) if self.is_completing else self.load(cmd_name)

    def load(self, name: str) -> TyperCommand:
        """Return the command called ``name``, which is one of the summaries'."""
        raise NotImplementedError

    def after_usage(self) -> Iterator[str]:
        """Yield the place of the command."""
        yield "COMMAND [ARGUMENTS]..."

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands with their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Return the command that the first argument names, and the arguments after it."""
        # What the library compares a misspelt name with.
        self.commands = dict.fromkeys(self.summaries) if args[0] not in self.summaries else {}  # type: ignore[assignment]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> list[Any]:  # type: ignore[override]
        """Return what a shell may complete."""
        self.is_completing = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self.is_completing = False


def _usage(argument: Any) -> str:
    name = argument.metavar or str(argument.name).upper()
    name = name if argument.required else f"[{name}]"
    return name if argument.nargs == 1 else f"{name}..."


def _row(parameter: Any) -> tuple[str, str] | None:
    if parameter.hidden:
        return None
    if parameter.param_type_name == "argument":
        return parameter.metavar or str(parameter.name).upper(), parameter.help or ""
    names = ", ".join(sorted(parameter.opts, key=lambda name: name.startswith("--")))
    takes_value = not (parameter.is_flag or parameter.count)
    default = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    shown = f"  [default: {default}]" if takes_value and default not in (None, ()) and not callable(default) else ""
    value = f" {parameter.metavar or str(parameter.name).strip('_').upper()}" if takes_value else ""
    return names + value, (parameter.help or "") + shown
