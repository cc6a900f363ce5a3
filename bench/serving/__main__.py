"""`make bench-serving`: `mooring serve` beside its peers, in one run.

All servers of one model run beside each other and are asked in turns; figures are medians of the rounds; no answer is
counted before the server has shown that its answers are those of the model. Load and servers share the machine.
Needs `wrk` (Debian: apt install wrk) and, for the peers' environments, some 4 GB in the user's cache.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.serving.cells import Cell, UnknownCell, all_cells, main_cells
from bench.serving.models import make_models
from bench.serving.peers import Peer, all_peers
from bench.serving.report import print_report
from bench.serving.rounds import Run
from bench.serving.server import has_wrk
from bench.tables import print_heading


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print. Without `argv`, the command line says what."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        cells, peers = _cells(arguments.cells), _peers(arguments.peers)
    except (UnknownCell, ValueError) as error:
        parser.error(str(error))
    if arguments.list:
        print("\n".join([*(peer.name for peer in peers), *map(str, cells)]))
        return
    if not has_wrk():
        sys.exit("there is no program `wrk`, which makes the load: install it (Debian: apt install wrk)")
    os.environ.setdefault(
        "OMP_NUM_THREADS", "1"
    )  # for the answers that are made here: several threads wait for each other
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print_heading()
    with tempfile.TemporaryDirectory(prefix="bench-serving-") as folder:
        scratch = Path(folder)
        (scratch / "models").mkdir()
        models = make_models({cell.model for cell in cells}, scratch / "models")
        run = Run(peers, cells, models, scratch, seconds=arguments.seconds)
        try:
            if arguments.starts:
                run.start_alone()
            run.measure(arguments.rounds)
        finally:
            # What was measured before Ctrl-C is worth reading, too.
            print_report(run.results, peers, cells)
            if arguments.json:
                run.results.write(arguments.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", help="regular expressions of names, separated by commas (all; see --list)")
    parser.add_argument("--cells", help="INPUT:ROWS:CONNECTIONS, separated by commas; or `all` (those of --list)")
    parser.add_argument("--rounds", type=int, default=5, help="of which medians are taken (5)")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement (2)")
    parser.add_argument(
        "--starts", action=argparse.BooleanOptionalAction, default=True, help="measure start and memory, each alone"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single measurement there")
    parser.add_argument("--list", action="store_true", help="show peers and cells, and end")
    return parser


def _cells(wanted: str | None) -> list[Cell]:
    if wanted == "all":
        return all_cells()
    return [Cell.parse(text) for text in wanted.split(",")] if wanted else main_cells()


def _peers(wanted: str | None) -> list[Peer]:
    peers = all_peers()
    if wanted is None:
        return list(peers)
    patterns = [pattern.strip() for pattern in wanted.split(",")]
    for pattern in patterns:
        if not any(re.fullmatch(pattern, peer.name) for peer in peers):
            raise ValueError(f"no peer is called {pattern!r}: there are {', '.join(peer.name for peer in peers)}")
    return [peer for peer in peers if any(re.fullmatch(pattern, peer.name) for pattern in patterns)]


if __name__ == "__main__":
    main()
