"""`make bench`: all measurements, or those named (`make bench ARGS="main-job"`)."""

import argparse
from collections.abc import Callable

from bench import api_store, executions, gateway_latency, main_job, pipeline, sync
from bench.tables import print_heading

_MEASUREMENTS: dict[str, Callable[[], None]] = {
    "main-job": main_job.main,
    "gateway": lambda: gateway_latency.main([]),
    "api": api_store.main,
    "executions": executions.main,
    "sync": sync.main,
    "pipeline": pipeline.main,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(_MEASUREMENTS)}; all when none is given"
    )
    names = parser.parse_args().names or list(_MEASUREMENTS)
    if unknown := set(names) - set(_MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    print_heading()
    for name in names:
        _MEASUREMENTS[name]()


if __name__ == "__main__":
    main()
