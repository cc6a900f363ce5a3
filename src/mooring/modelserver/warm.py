"""The model server in a process that replicas are forked from: imported and primed once, for all of them.

The parent has loaded one throw-away linear model and asked it in all ways, so that what MLflow, pandas and the
protocols import and build at their first use is there. Trees are imported only: pools of native threads, which a
prediction of other kinds would start, do not survive a fork.
"""

import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from mooring.modelserver.model import LoadedModel

_THREADS = "OMP_NUM_THREADS"


def prepare() -> None:
    """Everything that can be done before a model is known. Raises what imports raise."""
    # Here and not above: whoever only wants `main` has it all in memory already.
    import mooring.modelserver.__main__
    import mooring.modelserver.endpoints.by_key
    import mooring.modelserver.endpoints.description
    import mooring.modelserver.endpoints.inference
    import mooring.modelserver.endpoints.kserve
    import mooring.modelserver.endpoints.open_inference
    import mooring.modelserver.protocols.kserve
    import mooring.modelserver.server  # noqa: F401

    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _ask_a_throw_away_model(Path(folder) / "model")
    logging.disable(logging.NOTSET)


def main(arguments: list[str], on_ready: Callable[[], object]) -> NoReturn:
    """`python -m mooring.modelserver`, in a process forked from the one that `prepare` was called in."""
    import numpy as np

    from mooring.modelserver.__main__ import parse
    from mooring.modelserver.main import serve_and_exit

    np.random.seed()  # what models use, and what would be the same in all that are forked
    _size_thread_pools(int(os.environ.get(_THREADS, "1")))
    serve_and_exit(parse(arguments), on_ready)


def _size_thread_pools(threads: int) -> None:
    """The libraries have read their variables in the parent, where they said 1."""
    if threads > 1:
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads)


def _ask_a_throw_away_model(folder: Path) -> None:
    import mlflow.sklearn
    import pandas as pd
    import sklearn.ensemble  # noqa: F401 - what most models of tables are
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from mooring.modelserver.model import load

    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, [0, 0, 1, 1])
    mlflow.sklearn.save_model(
        model, str(folder), input_example=frame, pip_requirements=["scikit-learn"], serialization_format="cloudpickle"
    )
    loaded = load(str(folder), folder.parent)
    _exercise(loaded)


def _exercise(loaded: "LoadedModel") -> None:
    import orjson

    from mooring.modelserver.columnar.layout import layout_of
    from mooring.modelserver.flavours import predictor_for
    from mooring.modelserver.protocols import scoring

    predictor_for(loaded, layout_of(loaded.signature))
    call = scoring.decode(orjson.dumps(loaded.example), "application/json", loaded.signature)
    call.encode(loaded.predict(loaded.convert(call.inference), None))
