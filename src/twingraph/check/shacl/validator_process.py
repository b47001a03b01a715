"""The process that validates: ``python -m twingraph.check.shacl.validator_process``."""

from twingraph.check.shacl.example_validation import (
    BeginExamples,
    EvaluateExample,
    ExampleOutcome,
    ExampleValidator,
)
from twingraph.check.shacl.graphs import lazy_graph
from twingraph.check.shacl.shapes import shapes_graph
from twingraph.check.shacl.validator import (
    Begin,
    Evaluate,
    EvaluateApart,
    Failure,
    Outcome,
    Plan,
    RemoveMalformed,
    ValidateShapes,
    Validator,
)
from twingraph.child_process import serve
from twingraph.processes import limit_memory


class Service:
    """Answers the requests for a validator, the first of which says what it validates."""

    def __init__(self) -> None:
        self._validator: Validator | None = None
        self._examples: ExampleValidator | None = None

    def answer(self, request: object) -> Plan | Outcome | tuple[Failure, ...] | ExampleOutcome | None:
        """Return the reply to a request."""
        if isinstance(request, BeginExamples):
            self._examples = ExampleValidator(request)
            limit_memory(request.memory_bytes)
            return None
        if isinstance(request, EvaluateExample) and self._examples:
            return self._examples.evaluate(request.example, request.shape)
        if isinstance(request, Begin):
            shapes = shapes_graph(request.shapes, request.iris)
            data = lazy_graph(request.lines)
            self._validator = Validator(data, shapes, request.iris, request.batch_size, request.seconds)
            plan = self._validator.plan()
            limit_memory(request.memory_bytes)
            return plan
        if self._validator is None:
            raise ValueError("there is nothing to validate yet")
        match request:
            case Evaluate(batch):
                return self._validator.evaluate(batch)
            case EvaluateApart(part):
                return self._validator.evaluate_apart(part)
            case RemoveMalformed():
                return self._validator.remove_malformed()
            case ValidateShapes():
                return self._validator.validate_shapes()
        raise TypeError(f"there is no request {request!r}")


if __name__ == "__main__":
    serve(Service().answer)
