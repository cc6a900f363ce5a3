"""`mooring serve`: one model, no control plane."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mooring.modelserver.options import ServeOptions

_HELP = """Serve one logged MLflow model, without a control plane.

MODEL_URI is a folder, or what MLflow loads: models:/name/3, models:/name@production, runs:/RUN_ID/model, s3://…
(set MLFLOW_TRACKING_URI for the first three). Swagger UI: http://HOST:PORT/NAME/api/

Without MODEL_URI, the environment says what to serve, as DPM360's Service Builder sets it for its wrapper: MODEL_NAME,
MODEL_SOURCE (needed), MODEL_VERSION, MODEL_RUN_ID, MODEL_REGISTRY_API, MLFLOW_TRACKING_URI, MLFLOW_S3_ENDPOINT_URL,
AWS_*, PORT. It then listens on all addresses. Options of the command win.

Other machines are let in with --token-file (or --insecure) only. docs/serving.md tells about protocols, batching,
metrics and the rest.

Examples:

    mooring serve ./model
    MLFLOW_TRACKING_URI=http://127.0.0.1:5000 mooring serve models:/churn@production --port 9000
    mooring serve ./model --host 0.0.0.0 --token-file tokens --tls-cert cert.pem --tls-key key.pem
    MODEL_NAME=churn-version-3 MODEL_SOURCE=s3://bucket/1/a1b2/artifacts/model PORT=9001 mooring serve
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", help=_HELP)(serve)


def serve(
    model_uri: Annotated[str | None, typer.Argument(metavar="MODEL_URI", help="The model.", show_default=False)] = None,
    name: Annotated[str | None, typer.Option(help="Name in the paths; taken from the URI when not given.")] = None,
    version: Annotated[
        str | None, typer.Option(help="Version in the paths; taken from the URI when not given.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.", show_default="8000"),
    ] = None,
    uds: Annotated[Path | None, typer.Option(help="Listen on this unix socket instead.")] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="Callers must send one of its tokens (one per line). Probes and the page stay open."),
    ] = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Let other machines in without a token.", show_default=False)
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM): HTTPS instead of HTTP.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's key (PEM, not encrypted).")] = None,
    request_seconds: Annotated[
        float | None,
        typer.Option(min=0.001, help="From a request's first byte to its answer.", show_default="60"),
    ] = None,
    stop_grace_seconds: Annotated[
        float | None, typer.Option(min=0, help="What running requests get after SIGTERM.", show_default="30")
    ] = None,
    max_request_bytes: Annotated[
        int | None, typer.Option(min=1, help="Larger bodies are refused.", show_default="100 MiB")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Predictions at the same time.", show_default="1")
    ] = None,
    max_waiting: Annotated[
        int | None, typer.Option(min=1, help="Requests that may wait for the model.", show_default="1024")
    ] = None,
    max_waiting_bytes: Annotated[
        int | None,
        typer.Option(min=1, help="Bodies of all requests that are here, together.", show_default="512 MiB"),
    ] = None,
    grpc_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="gRPC as well, on this port of the host (extra: mooring[grpc])."),
    ] = None,
    batching: Annotated[
        str | None,
        typer.Option(
            help="Predict together what waits: auto (models whose rows are independent), on (you know it), off.",
            show_default="auto",
        ),
    ] = None,
    max_batch_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows that are predicted together.", show_default="8192")
    ] = None,
    max_batch_bytes: Annotated[
        int | None, typer.Option(min=1, help="Bodies that are predicted together.", show_default="16 MiB")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="BLAS and OpenMP threads of one prediction.", show_default="OMP_NUM_THREADS or 1"),
    ] = None,
    compiled: Annotated[
        bool | None,
        typer.Option(
            "--compiled",
            help="Serve the model compiled (extra: mooring[compiled]), where its answers prove to be the same.",
            show_default=False,
        ),
    ] = None,
    safe_formats_only: Annotated[
        bool | None,
        typer.Option(
            "--safe-formats-only", help="Refuse models whose files run code when they are loaded.", show_default=False
        ),
    ] = None,
    keep_env: Annotated[
        list[str] | None,
        typer.Option(help="A variable with credentials that the model's code may see. Can be repeated."),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(help="Folder or URI with contract.yaml, X_test.csv, y_test.csv: ask the model by key."),
    ] = None,
    run_id: Annotated[
        str | None, typer.Option(help="The model's run: shown on the page, its features/ are used.")
    ] = None,
    access_log: Annotated[
        bool | None, typer.Option("--access-log", help="Log one line per request.", show_default=False)
    ] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json.", show_default="text")] = None,
) -> None:
    from mooring.modelserver.main import serve_and_exit

    serve_and_exit(
        _options(
            model_uri=model_uri, name=name, version=version, host=host, port=port, uds=uds, token_file=token_file,
            insecure=insecure, tls_cert=tls_cert, tls_key=tls_key, request_seconds=request_seconds,
            stop_grace_seconds=stop_grace_seconds, max_request_bytes=max_request_bytes, concurrency=concurrency,
            max_waiting=max_waiting, max_waiting_bytes=max_waiting_bytes, grpc_port=grpc_port, batching=batching,
            max_batch_rows=max_batch_rows,
            max_batch_bytes=max_batch_bytes, threads=threads, compiled=compiled, safe_formats_only=safe_formats_only,
            keep_env=tuple(keep_env) if keep_env else None, features=features, run_id=run_id, access_log=access_log,
            log_format=log_format,
        )
    )  # fmt: skip


def _options(**given: Any) -> "ServeOptions":
    """What was given on the command line, over what the environment says when no model is given."""
    from mooring.modelserver.environment import Incomplete, options_from
    from mooring.modelserver.logs import FORMATS
    from mooring.modelserver.options import BATCHING, ServeOptions

    chosen = {option: value for option, value in given.items() if value is not None}
    for option, words in (("log_format", FORMATS), ("batching", BATCHING)):
        if chosen.get(option, words[0]) not in words:
            raise typer.BadParameter(f"--{option.replace('_', '-')} is one of {', '.join(words)}")
    if "model_uri" in chosen:
        return ServeOptions(**chosen)
    try:
        options = options_from()
    except Incomplete as error:
        raise typer.BadParameter(f"no MODEL_URI is given, and the environment names no model: {error}") from None
    # An address that somebody chose is guarded like any other.
    return dataclasses.replace(options, **{"insecure": "host" not in chosen, **chosen})
