"""What is measured of servers that run side by side; every function interleaves them, so that noise falls on all."""

import json
import multiprocessing
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from random import Random
from time import perf_counter, sleep

import pyoxigraph as ox

from client import AnswerError, Connection, Request, ask_all, request, side_by_side
from servers import Server
from templates import Template

# How often each template is asked in the researcher's mix; the others once.
_OFTEN = {"01-look-up": 6, "17-label": 6, "15-evidence": 4, "08-describe": 4, "02-actor-and-year": 3}
_OFTEN |= {"12-minus": 2, "16-co-participation": 2, "18-follow-up": 2}
_KILLER = "SELECT (COUNT(*) AS ?n) WHERE {{ ?a ?b ?c . ?d ?e ?f . FILTER(STR(?c) < STR(?f)) }} # {}"
_MANY = 4000
# Another address of this machine, so that a server can tell the killer from its other clients.
_KILLERS = "127.0.0.2"
_PAUSE = 0.05
# Seconds for one request, from which on asking once has to do.
_TOO_SLOW = 3.0

# By template and server: the rows of each draw; and by template, or number of clients, and server: a sample a round.
Answers = dict[str, list[dict[str, int | str]]]
Found = dict[str, dict[str, list[dict[str, object]]]]


@dataclass(frozen=True)
class Sample:
    """What one server did in one round: seconds per request, CPU seconds in all, requests a second."""

    seconds: list[float]
    cpu: float
    rate: float
    failed: int

    @property
    def cpu_each(self) -> float:
        """CPU seconds per request."""
        return self.cpu / max(1, len(self.seconds))


@dataclass(frozen=True)
class Plan:
    """How long and how often to measure."""

    rounds: int
    seconds: float
    mixed_seconds: float
    clients: tuple[int, ...]


class Asker:
    """Makes requests of templates that no server has seen: other parameters, and other names of variables."""

    def __init__(self, templates: Sequence[Template], samples: dict[str, list[str]]) -> None:
        self.templates, self._samples = templates, samples
        self._serial = count(1)

    def texts(self, template: Template, number: int, seed: int) -> list[str]:
        """Return so many queries of a template."""
        return [self._fresh(text) for text in template.draw(self._samples, number, seed)]

    def mix(self, number: int, seed: int) -> list[tuple[Template, str]]:
        """Return queries of all templates, the usual ones more often."""
        weights = [_OFTEN.get(template.name, 1) for template in self.templates]
        chosen = Random(seed).choices(self.templates, weights, k=number)
        by_name = {template.name: template for template in self.templates}
        counts = Counter(template.name for template in chosen)
        drawn = {name: iter(self.texts(by_name[name], times, seed)) for name, times in counts.items()}
        return [(template, next(drawn[template.name])) for template in chosen]

    def _fresh(self, text: str) -> str:
        return re.sub(r"\?([A-Za-z]+)", rf"?\g<1>{next(self._serial)}", text)


def rows(server: Server, template: Template, text: str) -> int | str:
    """Return the number of rows or of different triples in an answer, or what went wrong."""
    connection = Connection(server.port, timeout=180)
    try:
        body = connection.ask(request(server.path, text, is_graph=template.is_graph))
        if template.is_graph:
            # rdflib-endpoint answers in RDF/XML whatever is asked for.
            format_ = ox.RdfFormat.RDF_XML if body.startswith(b"<?xml") else ox.RdfFormat.TURTLE
            return len({triple.triple for triple in ox.parse(body, format_)})
        return len(json.loads(body)["results"]["bindings"])
    except (AnswerError, SyntaxError, ValueError) as error:
        return f"{type(error).__name__}: {error}"[:160]
    finally:
        connection.close()


def compare(servers: Sequence[Server], asker: Asker, draws: int) -> tuple[Answers, Found]:
    """Return, for each template and draw, how many rows each server gave; and samples too slow to repeat."""
    answers: Answers = {}
    slow = _nothing()
    for template in asker.templates:
        counts = []
        for text in asker.texts(template, draws, seed=99):
            counts.append({})
            for server in servers:
                begin, cpu = perf_counter(), server.cpu()
                counts[-1][server.name] = rows(server, template, text)
                taken = perf_counter() - begin
                if taken > _TOO_SLOW:
                    sample = Sample([taken], server.cpu() - cpu, 1 / taken, 0)
                    slow[template.name][server.name].append(asdict(sample))
        answers[template.name] = counts
    return answers, slow


def each_template(
    servers: Sequence[Server], asker: Asker, plan: Plan, skipped: set[tuple[str, str]], slow: Found
) -> Found:
    """Return the samples of each template and server, one client; those that are too ``slow`` are not asked again."""
    found = _nothing()
    for round_ in range(plan.rounds):
        for template in asker.templates:
            texts = asker.texts(template, _MANY, seed=round_)
            for server in _turned(servers, round_):
                if known := slow[template.name].get(server.name):
                    found[template.name][server.name] = known
                elif (server.name, template.name) not in skipped:
                    requests = _requests(server, template, texts)
                    sample = _sample(server, [requests], plan.seconds)
                    found[template.name][server.name].append(asdict(sample))
    return found


def mixed(servers: Sequence[Server], asker: Asker, plan: Plan, only_one: set[str]) -> Found:
    """Return the samples of the researcher's mix for each number of clients; some servers with one client only."""
    found = _nothing()
    for round_ in range(plan.rounds):
        for clients in plan.clients:
            for server in _turned(servers, round_):
                if clients == 1 or server.name not in only_one:
                    lists = _mixes(server, asker, plan, clients, round_)
                    found[str(clients)][server.name].append(asdict(_sample(server, lists, plan.mixed_seconds)))
    return found


def repeated(servers: Sequence[Server], asker: Asker, plan: Plan) -> Found:
    """Return the samples of the same question asked again and again, for each template."""
    found = _nothing()
    for round_ in range(plan.rounds):
        for template in asker.templates:
            text = asker.texts(template, 1, seed=round_)[0]
            for server in _turned(servers, round_):
                requests = _requests(server, template, [text])
                ask_all(server.port, requests, 60)
                sample = _sample(server, [requests * 20_000], plan.seconds)
                found[template.name][server.name].append(asdict(sample))
    return found


def beside_a_killer(server: Server, asker: Asker, seconds: float) -> dict[str, object]:
    """Return another client's times alone, and beside a client that sends only queries that never end."""
    alone = _sample(server, _mixes_of(server, asker, 1, 7), seconds)
    context = multiprocessing.get_context("fork")
    killer = context.Process(target=_kill, args=(server.port, server.path), daemon=True)
    killer.start()
    ask_all(server.port, _mixes_of(server, asker, 1, 8)[0], 1)
    beside = _sample(server, _mixes_of(server, asker, 1, 9), seconds)
    killer.terminate()
    killer.join()
    server.stop()  # else what was asked last would go on beside the next server
    return {"alone": asdict(alone), "beside": asdict(beside)}


def _nothing() -> Found:
    return defaultdict(lambda: defaultdict(list))


def _sample(server: Server, lists: list[list[Request]], seconds: float) -> Sample:
    cpu = server.cpu()
    run = ask_all(server.port, lists[0], seconds) if len(lists) == 1 else side_by_side(server.port, lists, seconds)
    return Sample(run.seconds, server.cpu() - cpu, len(run.seconds) / run.elapsed, run.failed)


def _requests(server: Server, template: Template, texts: list[str]) -> list[Request]:
    return [request(server.path, text, is_graph=template.is_graph) for text in texts]


def _mixes(server: Server, asker: Asker, plan: Plan, clients: int, round_: int) -> list[list[Request]]:
    size = int(plan.mixed_seconds * 1500 / clients) + 50
    return [_mix(server, asker, size, round_ * 100 + clients * 10 + client) for client in range(clients)]


def _mixes_of(server: Server, asker: Asker, clients: int, seed: int) -> list[list[Request]]:
    return [_mix(server, asker, 6000, seed * 100 + client) for client in range(clients)]


def _mix(server: Server, asker: Asker, size: int, seed: int) -> list[Request]:
    mix = asker.mix(size, seed)
    return [request(server.path, text, is_graph=template.is_graph) for template, text in mix]


def _turned(servers: Sequence[Server], round_: int) -> list[Server]:
    """Return the servers in another order each round."""
    start = round_ % len(servers)
    return [*servers[start:], *servers[:start]]


def _kill(port: int, path: str) -> None:
    for serial in count():
        connection = Connection(port, timeout=10, source=_KILLERS)
        try:
            connection.ask(request(path, _KILLER.format(serial), is_graph=False))
        except AnswerError:
            sleep(_PAUSE)
        finally:
            connection.close()
