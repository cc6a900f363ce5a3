"""Tables as Markdown, ready for `docs/benchmarks.md`, with the machine and the date."""

import datetime
import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measured figure; `note` tells how it was measured or what was aimed at."""

    what: str
    figure: str
    note: str = ""


def print_heading() -> None:
    """What the figures were measured on, and when."""
    print(
        f"\n{datetime.date.today().isoformat()}, {_processor()}, {os.cpu_count()} cores, {_memory_gib()} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def print_table(title: str, *rows: Row) -> None:
    """One table."""
    print(f"\n**{title}**\n\n| what | measured | note |\n|---|---|---|")
    for row in rows:
        print(f"| {row.what} | {row.figure} | {row.note} |", flush=True)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
