"""The contract of a run's features: which columns are the key, the features and the target.

As lightsaber registers it: `idx_cols`, `tgt_col`, `feat_cols`, `time_order_col`, `category_map`, `normal_values`, and
under `test` the two files.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mooring.modelserver.errors import LoadFailed

FEATURES, TARGETS = "X_test.csv", "y_test.csv"
_LARGEST_BYTES = 1024 * 1024


class BadFeatures(LoadFailed):
    """What lies in `features/` cannot be used; the text names the file and what is wrong with it."""


@dataclass(frozen=True)
class Contract:
    """What the YAML says."""

    index: tuple[str, ...]
    """Columns that make up a key."""
    target: tuple[str, ...]
    features: tuple[str, ...] | None
    """Names, or regular expressions for whole names; None for all columns."""
    time_order: tuple[str, ...]
    """Columns that the rows of one key are sorted by; no features."""
    categories: Mapping[str, tuple[Any, ...]]
    """Values of the columns that the model wants as one column per value."""
    normal_values: Mapping[str, Any] | float | None
    """What a missing value is taken for, per column or for all."""
    feature_file: str
    target_file: str

    def chosen(self, columns: Sequence[str]) -> list[str]:
        """Those of the columns that are features, in the contract's order."""
        own = [name for name in columns if name not in (*self.index, *self.time_order)]
        if self.features is None:
            return own
        patterns = [re.compile(re.escape(word) if word in own else word) for word in self.features]
        return list(dict.fromkeys(name for p in patterns for name in own if p.fullmatch(name)))


def read_contract(folder: Path, model: str) -> Contract:
    """The contract in a folder; of several, the one of the model's name. Raises BadFeatures."""
    path = _file(folder, model)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise BadFeatures(f"{path.name} is larger than {_LARGEST_BYTES} bytes")
        # Only this placeholder, and as text: unquoted, YAML would take it for a mapping.
        content = yaml.safe_load(path.read_text().replace("{DATA_DIR}", "."))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise BadFeatures(f"{path.name} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise BadFeatures(f"{path.name} is not a mapping")
    return _Reading(path.name, content).contract()


def _file(folder: Path, model: str) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    own = [path for path in found if _plain(path.stem) == _plain(re.sub(r"-version-\d+$", "", model))]
    if len(found) == 1:
        return found[0]
    if len(own) == 1:
        return own[0]
    names = ", ".join(path.name for path in found) or "none"
    raise BadFeatures(f"one contract is needed, as {model}.yaml; there is {names}")


def _plain(name: str) -> str:
    # Service Builder lower-cases names and puts `-` for `_`; files keep the spelling of the registered model.
    return name.lower().replace("_", "-")


@dataclass(frozen=True)
class _Reading:
    file: str
    content: Mapping[str, Any]

    def contract(self) -> Contract:
        index = self._names("idx_cols")
        if not index:
            raise BadFeatures(f"{self.file}: idx_cols must name the columns of the key")
        test = self._mapping("test")
        return Contract(
            index=index,
            target=self._names("tgt_col"),
            features=self._names("feat_cols") or None,
            time_order=self._names("time_order_col"),
            categories={name: self._values(name, values) for name, values in self._mapping("category_map").items()},
            normal_values=self._normal_values(),
            feature_file=self._name_of(test, "feat_file", FEATURES),
            target_file=self._name_of(test, "tgt_file", TARGETS),
        )

    def _names(self, key: str) -> tuple[str, ...]:
        value = self.content.get(key)
        names = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(name, str | int) for name in names):
            raise BadFeatures(f"{self.file}: {key} must be a name or a list of names")
        try:
            return (
                tuple(re.compile(str(name)).pattern for name in names) if key == "feat_cols" else tuple(map(str, names))
            )
        except re.error as error:
            raise BadFeatures(f"{self.file}: {key} has a name that is no regular expression either: {error}") from None

    def _mapping(self, key: str) -> Mapping[str, Any]:
        value = self.content.get(key)
        if value is not None and not isinstance(value, dict):
            raise BadFeatures(f"{self.file}: {key} must be a mapping")
        return {str(name): inner for name, inner in (value or {}).items()}

    def _values(self, name: str, values: Any) -> tuple[Any, ...]:
        # A list of values, or a mapping from values to codes.
        if not isinstance(values, list | dict) or any(isinstance(value, list | dict) for value in values):
            raise BadFeatures(f"{self.file}: category_map.{name} must list values")
        return tuple(values)

    def _normal_values(self) -> Mapping[str, Any] | float | None:
        value = self.content.get("normal_values")
        return float(value) if isinstance(value, int | float) else self._mapping("normal_values") or None

    def _name_of(self, test: Mapping[str, Any], key: str, default: str) -> str:
        # The folder in front is the trainer's; here the file lies beside the contract.
        given = test.get(key) or default
        if not isinstance(given, str):  # a few lines of YAML can be a list whose text fills the memory
            raise BadFeatures(f"{self.file}: test.{key} must be the name of a file")
        return Path(given).name
