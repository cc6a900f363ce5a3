"""`mooring serve`: one model, no control plane."""

from pathlib import Path
from typing import Annotated

import typer

_HELP = """Serve one logged MLflow model, without a control plane.

MODEL_URI is a folder, or what MLflow loads: models:/name/3, models:/name@production, runs:/RUN_ID/model, s3://…
(set MLFLOW_TRACKING_URI for the first three). Swagger UI: http://HOST:PORT/NAME/api/

Examples:

    mooring serve ./model
    MLFLOW_TRACKING_URI=http://127.0.0.1:5000 mooring serve models:/churn@production --port 9000
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", help=_HELP)(serve)


def serve(
    model_uri: Annotated[str, typer.Argument(metavar="MODEL_URI", help="The model.", show_default=False)],
    name: Annotated[str | None, typer.Option(help="Name in the paths; taken from the URI when not given.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    uds: Annotated[Path | None, typer.Option(help="Listen on this unix socket instead.")] = None,
) -> None:
    from mooring.modelserver.main import serve_and_exit
    from mooring.modelserver.options import ServeOptions

    serve_and_exit(ServeOptions(model_uri=model_uri, name=name, host=host, port=port, uds=uds))
