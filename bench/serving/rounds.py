"""The run: all servers of one model beside each other, asked in turns, so that a slow minute meets everybody."""

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.serving.cells import Cell
from bench.serving.environments import Environments, NotInstalled
from bench.serving.launches import OUR_PROGRAMS, Place
from bench.serving.load import Requests, WrongAnswer
from bench.serving.models import Model
from bench.serving.peers import Peer, Setting
from bench.serving.results import Measurement, Results, Start
from bench.serving.server import NotStarted, Server, free_port, started

_WARM_UP_SECONDS = 1
_WARM_UP_CONNECTIONS = 8


@dataclass(frozen=True)
class Running:
    """A server that has answered rightly, and the requests it is asked, by input and rows."""

    peer: Peer
    setting: Setting
    server: Server
    requests: dict[tuple[str, int], Requests]
    seconds: float
    """From its start to the first right answer."""


class Run:
    """Some peers in some cells. Whoever cannot be installed, started or trusted is noted, and left out."""

    def __init__(
        self, peers: Sequence[Peer], cells: Sequence[Cell], models: dict[str, Model], scratch: Path, *, seconds: int
    ) -> None:
        self._peers = peers
        self._cells = cells
        self._models = models
        self._scratch = scratch
        self._seconds = seconds
        self._environments = Environments.default()
        self._numbers = itertools.count()
        self.results = Results()

    def start_alone(self) -> None:
        """How long each takes to start, and how much memory: one after the other, with the first cell's model,
        after its answers have been checked and a second of load."""
        cell = self._cells[0]
        for peer in self._peers:
            for setting in peer.settings:
                with ExitStack() as stack:
                    running = self._start(peer, setting, [cell], stack)
                    if running:
                        mib, processes = running.server.memory()
                        self.results.starts.append(Start(peer.name, setting.name, running.seconds, mib, processes))

    def measure(self, rounds: int) -> None:
        """Every cell, `rounds` times."""
        for model in dict.fromkeys(cell.model for cell in self._cells):
            cells = [cell for cell in self._cells if cell.model == model]
            with self._all_running(cells) as running:
                for number in range(rounds):
                    print(f"{model}: round {number + 1} of {rounds}", flush=True)
                    for cell in cells:
                        # Nobody has the same neighbour in every round.
                        shift = number % max(1, len(running))
                        self._measure(cell, running[shift:] + running[:shift])

    def _measure(self, cell: Cell, running: list[Running]) -> None:
        for one in running:
            requests = one.requests.get(cell.group)
            if requests is None or one.setting is not one.peer.setting_for(cell.connections):
                continue
            try:
                self.results.measurements.append(self._measured(cell, one, requests))
            except WrongAnswer as why:
                self._note(one.peer, str(cell), str(why))

    def _measured(self, cell: Cell, one: Running, requests: Requests) -> Measurement:
        before = one.server.cpu_seconds()
        sent = requests.send(one.server.url, cell.connections, self._seconds)
        used = one.server.cpu_seconds() - before
        if not sent.answered:
            raise WrongAnswer(f"nothing in {self._seconds} s")
        return Measurement(one.peer.name, one.setting.name, cell, sent, used / sent.answered * 1e6)

    @contextmanager
    def _all_running(self, cells: list[Cell]) -> Iterator[list[Running]]:
        with ExitStack() as stack:
            running = [
                one
                for peer in self._peers
                for setting in dict.fromkeys(peer.setting_for(cell.connections) for cell in cells)
                if (one := self._start(peer, setting, cells, stack))
            ]
            yield running

    def _start(self, peer: Peer, setting: Setting, cells: list[Cell], stack: ExitStack) -> Running | None:
        """None when the peer has nothing to do there, or cannot."""
        wanted = [cell for cell in cells if cell.model in peer.models and cell.kind in peer.bodies]
        wanted = [cell for cell in wanted if peer.setting_for(cell.connections) is setting] or wanted[:1]
        if not wanted:
            return None
        print(f"starting {peer.name} ({setting.name}) with {wanted[0].model}", flush=True)
        try:
            place = self._place(peer, self._models[wanted[0].model])
            with ExitStack() as own:
                running = self._started(peer, setting, wanted, place, own)
                stack.enter_context(own.pop_all())
                return running
        except (NotInstalled, NotStarted) as reason:
            self._note(peer, f"{wanted[0].model}, {setting.name}", str(reason))
            return None

    def _started(self, peer: Peer, setting: Setting, cells: list[Cell], place: Place, stack: ExitStack) -> Running:
        launch = setting.launch(place)
        requests = {
            cell.group: Requests(place.model, cell.rows, peer.bodies[cell.kind], launch.headers, _bodies(place, cell))
            for cell in {cell.group: cell for cell in cells}.values()
        }
        began = time.perf_counter()
        server = stack.enter_context(started(launch, place))
        server.wait_for(next(iter(requests.values())))
        seconds = time.perf_counter() - began
        if setting.refusal:
            server.check_log(setting.refusal)
        trusted = {group: each for group, each in requests.items() if self._is_right(peer, group, each, server)}
        return Running(peer, setting, server, trusted, seconds)

    def _is_right(self, peer: Peer, group: tuple[str, int], requests: Requests, server: Server) -> bool:
        try:
            requests.check(server.url)
            requests.send(server.url, _WARM_UP_CONNECTIONS, _WARM_UP_SECONDS)
        except WrongAnswer as why:
            self._note(peer, f"{group[0]}, rows: {group[1]}", str(why))
            return False
        return True

    def _place(self, peer: Peer, model: Model) -> Place:
        """Raises NotInstalled."""
        programs = self._environments.prepare(peer.environment) if peer.environment else OUR_PROGRAMS
        scratch = self._scratch / str(next(self._numbers))
        scratch.mkdir()
        return Place(model, free_port(), scratch, programs)

    def _note(self, peer: Peer, what: str, why: str) -> None:
        print(f"{peer.name}, {what}: {why}", flush=True)
        self.results.troubles[peer.name, what] = why


def _bodies(place: Place, cell: Cell) -> Path:
    return place.scratch / f"bodies-{cell.input}-{cell.rows}"
