"""The features of all keys, in memory, as the model wants them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mooring.modelserver.by_key.contract import FEATURES, TARGETS, BadFeatures, Contract

_LARGEST_BYTES = 256 * 1024 * 1024

Key = tuple[str, ...]


@dataclass(frozen=True)
class Records:
    """Rows of features by key. Keys are texts, spelled as in the files."""

    contract: Contract
    features: pd.DataFrame
    targets: pd.DataFrame
    """The columns of key and target, in the file's order; rows whose key has no features are left out."""
    places: Mapping[Key, Sequence[int]]
    """Where a key's rows are in `features`, in the order of time."""

    def rows(self, key: Key) -> pd.DataFrame | None:
        """A key's features, one row per point in time; None for an unknown key."""
        places = self.places.get(key)
        return None if places is None else self.features.iloc[list(places)]

    def first_key(self) -> Key:
        """A key that can be asked for."""
        return next(iter(self.places))


def read_records(folder: Path, contract: Contract, wanted: Sequence[str | None] = ()) -> Records:
    """From the two files of a folder. `wanted` are the columns of the model's signature. Raises BadFeatures."""
    targets = _read(folder, contract.target_file, TARGETS, contract)
    raw = _read(folder, contract.feature_file, FEATURES, contract)
    raw = _filled(_sorted(raw, contract), contract).reset_index(drop=True)
    places = _places(raw, contract)
    known = {key: places[key] for key in _keys(targets, contract) if key in places}
    if not known:
        raise BadFeatures(f"no key of {contract.target_file} has rows in {contract.feature_file}")
    targets = targets[[key in known for key in _keys(targets, contract)]]
    shown = [name for name in (*contract.index, *contract.target) if name in targets.columns]
    return Records(contract, _features(raw, contract, wanted), targets[shown], known)


def _read(folder: Path, name: str, usual: str, contract: Contract) -> pd.DataFrame:
    path = next((folder / file for file in (name, usual) if (folder / file).is_file()), None)
    if path is None:
        raise BadFeatures(f"{name} is missing")
    if path.stat().st_size > _LARGEST_BYTES:
        raise BadFeatures(f"{path.name} is larger than {_LARGEST_BYTES} bytes")
    try:
        # Keys as they are spelled: `007` is not 7.
        frame = pd.read_csv(path, dtype=dict.fromkeys(contract.index, str))
    except (OSError, ValueError) as error:
        raise BadFeatures(f"{path.name} cannot be read: {error}") from None
    if missing := [column for column in contract.index if column not in frame.columns]:
        raise BadFeatures(f"{path.name} has no column {', '.join(missing)}")
    return frame.dropna(subset=list(contract.index))


def _sorted(frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    order = [name for name in contract.time_order if name in frame.columns]
    return frame.sort_values([*contract.index, *order], kind="stable") if order else frame


def _filled(frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """A missing value is the one before it of the same key, else the normal one. As the trainer's filter does it."""
    if contract.normal_values is None:
        return frame
    own = [name for name in frame.columns if name not in (*contract.index, *contract.time_order)]
    values = frame.groupby(contract.index[0], sort=False)[own].ffill()
    normal = contract.normal_values
    return frame.assign(**{name: values[name] for name in own}).fillna(
        dict(normal) if isinstance(normal, Mapping) else normal
    )


def _places(frame: pd.DataFrame, contract: Contract) -> dict[Key, list[int]]:
    places: dict[Key, list[int]] = {}
    for at, key in enumerate(_keys(frame, contract)):
        places.setdefault(key, []).append(at)
    return places


def _keys(frame: pd.DataFrame, contract: Contract) -> list[Key]:
    return list(zip(*(frame[name].astype(str) for name in contract.index), strict=True))


def _features(frame: pd.DataFrame, contract: Contract, wanted: Sequence[str | None]) -> pd.DataFrame:
    chosen = contract.chosen([str(name) for name in frame.columns])
    if not chosen:
        raise BadFeatures(f"none of feat_cols is a column of {contract.feature_file}")
    # A model whose signature names the column itself does its own encoding.
    split = {name: values for name, values in contract.categories.items() if name in chosen and name not in wanted}
    plain = frame[[name for name in chosen if name not in split]]
    return pd.concat([plain, *(_one_per_value(frame[name], values) for name, values in split.items())], axis=1)


def _one_per_value(column: "pd.Series[Any]", values: Sequence[Any]) -> pd.DataFrame:
    return pd.DataFrame({f"{column.name}_{value}": (column == value).astype(np.int64) for value in values})
