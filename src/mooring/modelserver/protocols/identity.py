"""The name and the version under which a model is served."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelIdentity:
    """How the model is called in answers."""

    name: str
    version: str | None

    def names(self) -> dict[str, str]:
        """`model_name` and, where there is one, `model_version`."""
        return {"model_name": self.name} | ({"model_version": self.version} if self.version else {})
