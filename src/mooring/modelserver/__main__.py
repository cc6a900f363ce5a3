"""`python -m mooring.modelserver`: how a runtime starts a replica."""

import argparse
import sys
from pathlib import Path

from mooring.modelserver.logs import FORMATS
from mooring.modelserver.main import serve_and_exit
from mooring.modelserver.options import BATCHING, ServeOptions


def parse(arguments: list[str]) -> ServeOptions:
    """Exits with 2 and a usage line when an argument is wrong."""
    parser = argparse.ArgumentParser(prog="python -m mooring.modelserver", allow_abbrev=False)
    parser.add_argument("--model", dest="model_uri", required=True, help="a local folder or a URI that MLflow loads")
    parser.add_argument("--name")
    parser.add_argument("--version")
    parser.add_argument("--host", default=ServeOptions.host)
    parser.add_argument("--port", type=int, default=ServeOptions.port)
    parser.add_argument("--uds", type=Path, help="listen on this unix socket instead")
    parser.add_argument("--grpc-port", type=int, help="gRPC as well, on this port of the host")
    for name in ("stop_grace_seconds", "request_seconds", "stuck_seconds", "keep_alive_seconds"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(ServeOptions, name))
    parser.add_argument("--batching", choices=BATCHING, default=ServeOptions.batching)
    parser.add_argument("--threads", type=int, help="of BLAS and OpenMP in one prediction")
    parser.add_argument("--log-format", choices=FORMATS, default=ServeOptions.log_format)
    for name in ("compiled", "safe_formats_only", "access_log"):
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true")
    parser.add_argument("--keep-env", action="append", default=[], help="a variable that the model's code may see")
    parser.add_argument("--journal", type=Path, help="a folder shared by all replicas of one deployment")
    for name in (
        "max_request_bytes", "concurrency", "max_waiting", "max_waiting_bytes", "max_batch_rows", "max_batch_bytes",
        "max_deaths",
    ):  # fmt: skip
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(ServeOptions, name))
    given = vars(parser.parse_args(arguments))
    return ServeOptions(**{**given, "keep_env": tuple(given["keep_env"])})


if __name__ == "__main__":
    serve_and_exit(parse(sys.argv[1:]))
