"""From what was fetched to records that have been asked for once."""

from typing import TYPE_CHECKING

import orjson

from mooring.modelserver.by_key.fetching import Fetched

if TYPE_CHECKING:
    from mooring.modelserver.by_key.records import Records
    from mooring.modelserver.dataplane import DataPlane


def opened(fetched: Fetched, plane: "DataPlane", model_name: str) -> "Records | None":
    """None when there are no features. Raises BadFeatures, and what a prediction for the first key raises."""
    if fetched.features is None:
        return None
    # Not above: pandas is not there yet when the server begins to listen.
    from mooring.modelserver.by_key.contract import read_contract
    from mooring.modelserver.by_key.question import example, read_question
    from mooring.modelserver.by_key.records import read_records

    signature = plane.model.signature
    contract = read_contract(fetched.features, model_name)
    records = read_records(fetched.features, contract, [field.name for field in signature.inputs or ()])
    question = read_question(orjson.dumps(example(records)), records, signature)
    question.encode(plane.predict(question.inference, "own-example"))
    return records
