"""The figures as Markdown tables, in the style of docs/benchmarks.md."""

from collections.abc import Sequence
from dataclasses import replace

from bench.serving.cells import Cell
from bench.serving.models import TITLES
from bench.serving.peers import Peer
from bench.serving.results import Results

_OURS = ("mooring serve", "mooring serve --compiled")
_FLOOR = "floor"


def print_report(results: Results, peers: Sequence[Peer], cells: Sequence[Cell]) -> None:
    """A table per model and number of rows, then the comparison, the starts, and what is missing."""
    for group in dict.fromkeys(cell.group for cell in cells):
        _print_group(results, peers, [cell for cell in cells if cell.group == group])
    _print_comparison(results, peers, cells)
    _print_starts(results)
    _print_settings(peers)
    _print_troubles(results)


def _print_group(results: Results, peers: Sequence[Peer], cells: list[Cell]) -> None:
    body = "binary body" if cells[0].kind == "image-binary" else "JSON"
    rows = "1 row" if cells[0].rows == 1 else f"{cells[0].rows:,} rows"
    print(f"\n**{TITLES[cells[0].model]}; {rows}, {body}** (requests/s; p50 / p99 in ms; CPU µs per request)\n")
    _print_row("server", *(_connections(cell) for cell in cells))
    print("|---" * (len(cells) + 1) + "|")
    for peer in peers:
        _print_row(peer.name, *(_figures(results, peer.name, cell) for cell in cells))


def _connections(cell: Cell) -> str:
    return "1 connection" if cell.connections == 1 else f"{cell.connections} connections"


def _figures(results: Results, peer: str, cell: Cell) -> str:
    rate = results.middle(peer, cell, lambda one: one.sent.per_second)
    p50 = results.middle(peer, cell, lambda one: one.sent.p50)
    p99 = results.middle(peer, cell, lambda one: one.sent.p99)
    used = results.middle(peer, cell, lambda one: one.cpu_microseconds)
    if rate is None or p50 is None or p99 is None or used is None:
        return ""
    failed = results.failed(peer, cell)
    bad = f"; **{failed} failed**" if failed else ""
    return f"**{rate:,.0f}**; {_time(p50)} / {_time(p99)}; {used:,.0f}{bad}"


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds < 10 else f"{milliseconds:,.0f}"


def _print_comparison(results: Results, peers: Sequence[Peer], cells: Sequence[Cell]) -> None:
    others = [peer.name for peer in peers if peer.environment]
    print("\n**Ours against the floor, the best peer and MLflow's own server** (ratios of rates; MLflow's with JSON)\n")
    _print_row("cell", "ours ÷ floor", "ours ÷ best peer", "ours ÷ mlflow", "compiled ÷ best peer", "gateway ÷ direct")
    print("|---" * 6 + "|")
    for cell in cells:
        rates = {peer.name: results.middle(peer.name, cell, lambda one: one.sent.per_second) for peer in peers}
        ours, compiled = (rates.get(name) for name in _OURS)
        best = max(others, key=lambda name: rates[name] or 0.0, default="")
        _print_row(
            str(cell),
            _ratio(ours, rates.get(_FLOOR)),
            f"{_ratio(ours, rates.get(best))} ({best})" if rates.get(best) and ours else "",
            _ratio(ours, _mlflow(results, cell)),
            _ratio(compiled, rates.get(best)),
            _ratio(rates.get("mooring serve behind the gateway"), ours),
        )


def _mlflow(results: Results, cell: Cell) -> float | None:
    """Of MLflow's own server, which takes images as text only."""
    asked = replace(cell, input=cell.model)
    return results.middle("mlflow models serve", asked, lambda one: one.sent.per_second)


def _ratio(one: float | None, other: float | None) -> str:
    return f"{one / other:.2f}" if one and other else ""


def _print_starts(results: Results) -> None:
    if not results.starts:
        return
    print("\n**Each alone, with the first model** (seconds to the first right answer; memory after a second of load)\n")
    _print_row("server", "setting", "start s", "PSS MiB", "processes")
    print("|---" * 5 + "|")
    for start in results.starts:
        figures = (f"{start.seconds:.1f}", f"{start.mib:,.0f}", str(start.processes))
        _print_row(start.peer, start.setting, *figures)


def _print_settings(peers: Sequence[Peer]) -> None:
    print("\nSettings: " + "; ".join(f"{peer.name}: {_settings(peer)}" for peer in peers) + ".")


def _settings(peer: Peer) -> str:
    if len(peer.settings) == 1:
        return f"'{peer.settings[0].name}'"
    few, many = peer.settings
    where = "1 connection" if few.most == 1 else f"up to {few.most} connections"
    return f"'{few.name}' on {where}, '{many.name}' on more"


def _print_troubles(results: Results) -> None:
    for (peer, what), why in results.troubles.items():
        print(f"\nNot measured: {peer} ({what}): {why}")


def _print_row(*fields: str) -> None:
    print("| " + " | ".join(fields) + " |", flush=True)
