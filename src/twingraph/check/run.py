"""``twingraph check``: run all checks of an assembly and collect their findings."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from twingraph.check.consequences import split, without_row_counts
from twingraph.check.examples import read_examples
from twingraph.check.levels import check_rule_names, with_levels
from twingraph.check.query_examples import check_examples_of_queries
from twingraph.check.rules.iris import check_blank_nodes, check_forms
from twingraph.check.rules.languages import check_languages
from twingraph.check.rules.literals import check_literals
from twingraph.check.rules.passages import PassagesResult, check_passages
from twingraph.check.rules.personal_data import check_personal_data
from twingraph.check.rules.queries import run_checks, run_saved_queries
from twingraph.check.rules.references import check_duplicates, check_references
from twingraph.check.rules.shape_files import check_shape_files
from twingraph.check.rules.vocabulary import check_query_names, check_terms
from twingraph.check.shacl.example_validation import ExampleShapes
from twingraph.check.shacl.validation import MIN_STATEMENTS_TO_SHARD, ShapesResult, ShapesRun
from twingraph.check.shape_examples import check_examples_of_shapes
from twingraph.check.statements import Statements
from twingraph.errors import SettingsError
from twingraph.findings import Finding, Location, Severity, in_order, violations
from twingraph.processes import gc_paused, trim_memory
from twingraph.publication.assembly import Assembly, StepObserver, no_observer
from twingraph.publication.evidence import SourceArchive
from twingraph.publication.files import Publication
from twingraph.publication.query_files import read_query_files
from twingraph.publication.working_store import WorkingStore
from twingraph.rdf.nquads import NQuads
from twingraph.settings.policy import Policy


@dataclass(frozen=True)
class CheckResult:
    """The findings of a check, and how much it looked at.

    ``unlisted`` are findings that a report is not to list; ``consequences`` are results of shapes about statements that
    another finding reports; ``not_checked`` says what was left out.
    """

    findings: tuple[Finding, ...]
    unlisted: tuple[Finding, ...] = ()
    consequences: tuple[Finding, ...] = ()
    not_checked: tuple[str, ...] = ()
    files: int = 0
    quads: int = 0
    derived: int = 0
    checks: int = 0
    queries: int = 0
    examples: int = 0
    focus_nodes: Mapping[str, int] = field(default_factory=dict)
    passages_verified: int = 0
    passages_not_verified: int = 0

    @property
    def conforms(self) -> bool:
        """Whether there is no violation; there may be warnings and notes."""
        return not violations((*self.findings, *self.unlisted))

    @property
    def focus_node_count(self) -> int:
        """The number of focus nodes; a node counts once for each shape that targets it."""
        return sum(self.focus_nodes.values())


def check(assembly: Assembly, *, examples: bool = False, observer: StepObserver = no_observer) -> CheckResult:
    """Run every check, with ``examples`` those of the examples too, and return all findings.

    When a file does not parse, checks that would report its contents as missing are skipped, and a finding lists them.
    Raises SettingsError when the policy names a check or constraint component that does not exist.
    """
    context = CheckContext(assembly, examples)
    if context.is_complete:
        names = (path.stem for path in assembly.publication.check_files)
        check_rule_names(context.policy, names, context.of_shapes)
    readings = (assembly.reading, assembly.shapes)
    findings = [finding for reading in readings for finding in (*reading.findings, *reading.notes)]
    findings += [*assembly.saved.findings, *assembly.findings]
    runs = [[step for step in steps if context.is_complete or not step.needs_all] for steps in _STEPS]
    without_engine, with_engine, last = (partial(_run, steps, context, observer) for steps in runs)
    # Queries, and shapes for a small publication, are evaluated in other processes, beside the other checks.
    with ThreadPoolExecutor(1) as executor, closing(context), gc_paused():
        if len(assembly.quads) < MIN_STATEMENTS_TO_SHARD:
            context.begin_shapes()
        queried = executor.submit(with_engine)
        findings += without_engine()
        findings += queried.result()
        context.unload()
        findings += last()
    skipped = [step.name for steps in _STEPS for step in steps if step.needs_all and not context.is_complete]
    if skipped:
        findings.append(_skipped(skipped))
    return _result(context, findings, skipped)


def _result(context: "CheckContext", findings: list[Finding], skipped: list[str]) -> CheckResult:
    counts = context.counts()
    levelled = with_levels(findings, context.policy, context.everything)
    causes, consequences = split(without_row_counts(levelled))
    return replace(
        counts,
        findings=in_order(causes),
        consequences=in_order(consequences),
        not_checked=(*skipped, *_not_checked(findings, counts)),
    )


# What the findings of these rules leave unchecked, whatever their level.
_UNCHECKED = {
    "query/limit": "queries that exceeded a limit",
    "query/syntax": "queries that are malformed",
    "query/rule": "what rules derive",
    "shape/limit": "shapes that exceeded a limit",
    "shape/failure": "constraints that cannot be evaluated",
    "shape/none": "files without a shape",
    "shape/no-focus-node": "shapes without a focus node",
}


def _not_checked(findings: Iterable[Finding], counts: CheckResult) -> Iterator[str]:
    found = Counter(finding.rule for finding in findings)
    for rule, what in _UNCHECKED.items():
        if rule == "shape/none" and found[rule] and not counts.focus_nodes:
            yield "shapes, of which there are none"
        elif found[rule]:
            yield f"{what} ({found[rule]:,})"
    if counts.passages_not_verified:
        yield f"passages without their document ({counts.passages_not_verified:,})"


def _run(steps: Iterable["_Step"], context: "CheckContext", observer: StepObserver) -> list[Finding]:
    findings: list[Finding] = []
    for step in steps:
        with observer(f"check: {step.name}"):
            findings += step.run(context)
    return findings


def restricted_to(result: CheckResult, publication: Publication, paths: Iterable[Path]) -> CheckResult:
    """Return the result with only the findings located in ``paths`` (files or folders) or in no file.

    Raises SettingsError for a path that does not exist or lies outside the publication.
    """
    names = tuple(_relative(publication, path) for path in paths)
    return replace(
        result,
        findings=tuple(each for each in result.findings if _is_within(each.location, names)),
        consequences=tuple(each for each in result.consequences if _is_within(each.location, names)),
    )


@dataclass(frozen=True)
class CheckContext:
    """What the steps check; expensive parts are computed on first use."""

    assembly: Assembly
    with_examples: bool

    @property
    def publication(self) -> Publication:
        """The publication."""
        return self.assembly.publication

    @property
    def policy(self) -> Policy:
        """The publication's policy."""
        return self.assembly.settings.policy

    @property
    def is_complete(self) -> bool:
        """Whether every file was read, so that checks may report what is missing."""
        return not (self.assembly.reading.findings or self.assembly.shapes.findings)

    @cached_property
    def asserted(self) -> Statements:
        """The statements of the files."""
        return self.statements(self.assembly.reading.lines)

    @cached_property
    def everything(self) -> Statements:
        """The statements of the files, and the derived ones."""
        return self.statements(self.assembly.quads)

    @cached_property
    def ontology(self) -> NQuads:
        """The statements of the ontology's files, to which those of examples are added."""
        folder = self.assembly.settings.folders.ontology + "/"
        return sum((file.quads for file in self.assembly.reading.files if file.path.startswith(folder)), NQuads())

    @cached_property
    def example_store(self) -> WorkingStore:
        """A store with the ontology, for the examples of checks and rules."""
        store = WorkingStore(self.assembly.settings.iris, self.assembly.settings.check_limits)
        store.append(self.ontology)
        return store

    @cached_property
    def example_shapes(self) -> ExampleShapes:
        """The shapes and the ontology, for the examples of shapes."""
        settings = self.assembly.settings
        return ExampleShapes(self.ontology, self.of_shapes.lines, settings.iris, settings.check_limits)

    @cached_property
    def of_shapes(self) -> Statements:
        """The shapes, as statements with their locations."""
        settings, shapes = self.assembly.settings, self.assembly.shapes
        return Statements(shapes.lines, shapes.locations, settings.iris, settings.languages)

    @cached_property
    def shapes_run(self) -> ShapesRun | None:
        """Validation by shapes, begun when this is first asked for; None when a file was not read."""
        if not self.is_complete or not len(self.of_shapes.lines):
            return None
        return ShapesRun(self.everything.lines, self.of_shapes, self.assembly.settings.check_limits)

    @cached_property
    def shapes(self) -> ShapesResult:
        """The result of validating by shapes; empty when a file was not read."""
        return self.shapes_run.result(self.everything) if self.shapes_run else ShapesResult((), {})

    @cached_property
    def passages(self) -> PassagesResult:
        """The result of verifying passages against the source archive; empty without ``[evidence]``."""
        settings = self.assembly.settings
        if settings.evidence is None:
            return PassagesResult((), 0, 0)
        return check_passages(self.asserted, settings.evidence, SourceArchive(settings.source_archive))

    def begin_shapes(self) -> None:
        """Begin to validate by shapes."""
        _ = self.shapes_run

    def close(self) -> None:
        """End all other processes."""
        self.assembly.working_store.close()
        for name in ("shapes_run", "example_store", "example_shapes"):
            if running := self.__dict__.get(name):
                running.close()

    def unload(self) -> None:
        """Free what the steps so far have used; it is computed again when needed."""
        for name in ("asserted", "everything"):
            self.__dict__.pop(name, None)
        self.assembly.working_store.unload()
        trim_memory()

    def counts(self) -> CheckResult:
        """Return a result without findings that counts what the steps looked at."""
        assembly, files = self.assembly, self.assembly.publication
        example_files = (*files.example_files, *files.check_example_files, *files.rule_example_files)
        return CheckResult(
            findings=(),
            files=len(assembly.reading.files) + len(assembly.shapes.files),
            quads=len(self.asserted.quads),
            derived=len(assembly.derived),
            checks=len(files.check_files) if self.is_complete else 0,
            queries=len(assembly.saved.queries),
            examples=len(example_files) if self.with_examples and self.is_complete else 0,
            focus_nodes=self.shapes.focus_nodes,
            passages_verified=self.passages.verified,
            passages_not_verified=self.passages.not_verified,
        )

    def statements(self, quads: NQuads) -> Statements:
        """Return some of the publication's quads as statements with their locations."""
        settings, reading = self.assembly.settings, self.assembly.reading
        return Statements(quads, reading.locations, settings.iris, settings.languages)


def _checks(context: CheckContext) -> tuple[Finding, ...]:
    files = read_query_files(context.publication, context.publication.check_files)
    return run_checks(files, context.assembly.working_store, context.everything)


def _blank_nodes(context: CheckContext) -> tuple[Finding, ...]:
    allowed = context.policy.blank_nodes
    derived = context.statements(context.assembly.derived)
    return (*check_blank_nodes(context.asserted, allowed), *check_blank_nodes(derived, allowed))


def _references(context: CheckContext) -> tuple[Finding, ...]:
    return check_references(context.asserted, context.policy.dangling)


def _terms(context: CheckContext) -> tuple[Finding, ...]:
    return check_terms(context.asserted, context.of_shapes, context.policy.dangling)


def _languages(context: CheckContext) -> tuple[Finding, ...]:
    settings = context.assembly.settings
    listed = settings.languages if "languages" in settings.model_fields_set else ()
    return check_languages(context.asserted, listed)


def _queries(context: CheckContext) -> tuple[Finding, ...]:
    assembly = context.assembly
    queries, iris = assembly.saved.queries, assembly.settings.iris
    return run_saved_queries(queries, assembly.working_store, iris, count_rows=context.is_complete)


def _query_names(context: CheckContext) -> tuple[Finding, ...]:
    publication = context.publication
    paths = (*publication.rule_files, *publication.check_files, *publication.query_files)
    settings = context.assembly.settings
    # Where IRIs have no forms, a name is known that only rules make.
    known = context.asserted if settings.policy.iri_forms else context.everything
    return check_query_names(read_query_files(publication, paths), known, settings.policy.dangling)


def _shape_files(context: CheckContext) -> tuple[Finding, ...]:
    return check_shape_files(context.publication, context.assembly.shapes)


def _examples_of_shapes(context: CheckContext) -> tuple[Finding, ...]:
    if not context.with_examples:
        return ()
    examples, findings = read_examples(context.publication, context.publication.example_files)
    if not examples and not len(context.of_shapes.lines):
        return tuple(findings)
    return (*findings, *check_examples_of_shapes(examples, context.example_shapes, context.of_shapes))


def _examples_of_queries(context: CheckContext) -> tuple[Finding, ...]:
    return check_examples_of_queries(context.publication, context.example_store) if context.with_examples else ()


@dataclass(frozen=True, slots=True)
class _Step:
    """One check; ``needs_all`` when it reports what is missing, so that it is misled by a file that was not read."""

    name: str
    run: Callable[[CheckContext], tuple[Finding, ...]]
    needs_all: bool = False


# The first group runs beside the second, which queries the engine; the third needs the most memory, so it runs after
# the engine has been unloaded.
_STEPS = (
    (
        _Step("blank nodes", _blank_nodes),
        _Step("forms of IRIs", lambda context: check_forms(context.asserted, context.policy.iri_types)),
        _Step("duplicates", lambda context: check_duplicates(context.asserted)),
        _Step("references", _references, needs_all=True),
        _Step("terms", _terms, needs_all=True),
        _Step("names in queries", _query_names, needs_all=True),
        _Step("files of shapes", _shape_files),
        _Step("literals", lambda context: check_literals(context.asserted)),
        _Step("languages", _languages),
        _Step("personal data", lambda context: check_personal_data(context.asserted, context.policy.personal_data)),
        _Step("passages", lambda context: context.passages.findings),
    ),
    (
        _Step("checks", _checks, needs_all=True),
        _Step("saved queries", _queries),
        _Step("examples of checks and rules", _examples_of_queries, needs_all=True),
    ),
    (
        _Step("shapes", lambda context: context.shapes.findings, needs_all=True),
        _Step("examples of shapes", _examples_of_shapes, needs_all=True),
    ),
)


def _skipped(names: list[str]) -> Finding:
    message = f"not checked, because a file was not read: {', '.join(names)}"
    return Finding("left-out", message, "correct the syntax first, then check again", Severity.INFO)


def _relative(publication: Publication, path: Path) -> str:
    resolved, top = path.resolve(), publication.settings.directory.resolve()
    if not resolved.exists():
        raise SettingsError(str(path), "", "there is no such file or folder")
    if not resolved.is_relative_to(top):
        raise SettingsError(str(path), "", f"is outside the publication in {top}")
    return resolved.relative_to(top).as_posix()


def _is_within(location: Location | None, names: tuple[str, ...]) -> bool:
    if location is None or "." in names:
        return True
    return any(location.path == name or location.path.startswith(name + "/") for name in names)
