"""Why an input was refused: the field, the row and the type that was expected.

MLflow's own conversion has the say in what is refused (`rules`); its messages seldom say where. So after a refusal,
and only then, each column is tried alone, and halved until the value that does not fit is found.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.types.schema import Schema

from mooring.modelserver import rules
from mooring.modelserver.errors import InvalidInput, paragraph
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.schema import Field, Signature
from mooring.modelserver.table import Columns, columns_of

_SCHEMA_CODE = "INVALID_PARAMETER_VALUE"
_VALUE_LIMIT = 60


def explain(error: Exception, inference: Inference, signature: Signature, schema: Schema | None) -> InvalidInput:
    """The refusal of an inference in words that help its sender."""
    code = error.error_code if isinstance(error, MlflowException) else "BAD_REQUEST"
    if schema is not None and signature.inputs is not None:
        columns = columns_of(inference, signature)
        if isinstance(columns, InvalidInput):
            return columns
        found = columns is not None and _find(columns, inference.form, signature, schema)
        if found:
            return found
    return InvalidInput(f"the input does not fit the model: {_reason(error)}", code=code, for_log="input refused")


def _find(columns: Columns, form: Form, signature: Signature, schema: Schema) -> InvalidInput | None:
    fields = [f for f in signature.inputs or () if f.name is not None]
    missing = [f for f in fields if f.required and f.name not in columns]
    if missing:
        return _missing(missing, columns, fields)
    for field, spec in zip(signature.inputs or (), schema.inputs, strict=True):
        values = columns.get(field.name or "")
        if values is not None and (wrong := _misfit(field, values, _trial(field, form, Schema([spec])))):
            return wrong
    return None


def _missing(missing: Sequence[Field], columns: Columns, fields: Sequence[Field]) -> InvalidInput:
    names = ", ".join(f"'{f.name}' ({f.type})" for f in missing)
    word = "input" if fields[0].dtype else "column"
    plural = "s are" if len(missing) > 1 else " is"
    known = {f.name for f in fields}
    extra = [name for name in columns if name not in known]
    hint = f"; not known to the model: {_shown(extra)}" if extra else ""
    return InvalidInput(
        f"{word}{plural} missing: {names}{hint}",
        code=_SCHEMA_CODE,
        for_log=f"{word}{plural} missing: {names}",
    )


Trial = Callable[[Sequence[Any]], Exception | None]


def _trial(field: Field, form: Form, schema: Schema) -> Trial:
    """What MLflow says to some values of one column alone; None when it takes them."""
    if form in (Form.CSV, Form.PARQUET, Form.ARRAYS):
        form = Form.SPLIT

    def attempt(values: Sequence[Any]) -> Exception | None:
        if form in (Form.SPLIT, Form.RECORDS):
            alone = Inference(Form.SPLIT, {"columns": [field.name], "data": [[v] for v in values]})
        else:
            alone = Inference(Form.INPUTS, {field.name: list(values)})
        try:
            rules.enforce(rules.convert(alone, schema), schema)
        except Exception as error:  # noqa: BLE001 - MLflow, pandas and NumPy raise what they like
            return error
        return None

    return attempt


def _misfit(field: Field, values: Sequence[Any], attempt: Trial) -> InvalidInput | None:
    error = attempt(values)
    if error is None:
        return None
    word = "input" if field.dtype else "column"
    expected = f"{field.dtype} tensor of shape {field.shape}" if field.dtype else field.type
    row = None if field.dtype and field.shape[:1] != (-1,) else _first_refused(values, attempt)
    if row is None:
        where, got = f"{word} '{field.name}'", _reason(error)
        return InvalidInput(
            f"{where}: expected {expected}: {got}", code=_SCHEMA_CODE, for_log=f"{where}: expected {expected}"
        )
    where = f"{word} '{field.name}', row {row}: expected {expected}"
    return InvalidInput(f"{where}, got {_shown(values[row])}", code=_SCHEMA_CODE, for_log=where)


def _first_refused(values: Sequence[Any], attempt: Trial) -> int | None:
    """A row that is refused by itself, found by halving; None when only the combination is refused."""
    start, end = 0, len(values)
    while end - start > 1:
        middle = (start + end) // 2
        if attempt(values[start:middle]):
            end = middle
        elif attempt(values[middle:end]):
            start = middle
        else:
            return None
    return start if values else None


_WORDS: Mapping[type, str] = {str: "the string ", int: "the number ", float: "the number ", list: "the list "}


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    cut = text if len(text) <= _VALUE_LIMIT else text[: _VALUE_LIMIT - 1] + "…"
    return _WORDS.get(type(value), "") + cut


def _reason(error: Exception) -> str:
    """MLflow's reason without its copy of the whole input and its general advice."""
    text = error.message if isinstance(error, MlflowException) else str(error)
    text = text.rpartition("Error: ")[2] if "Error: " in text else text
    return paragraph(text)[:400] or type(error).__name__
