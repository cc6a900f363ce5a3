"""The names that the builder gives. The only place that knows how the gateway names a model in its URLs."""

from mooring.domain.model_names import url_name

_KEPT_CHARACTERS = 60


def configuration_name(model: str, version: int) -> str:
    """At most 80 characters, the longest that the AI API can search for (its end tells similar names apart)."""
    return f"{url_name(model)[-_KEPT_CHARACTERS:]}-{version}"


def endpoint(public_url: str, model: str) -> str:
    """What `model_endpoint` says: the model's page, in the form of the DPM360 Service Builder (`/api`, no slash)."""
    return f"{public_url}/models/{url_name(model)}/api"
