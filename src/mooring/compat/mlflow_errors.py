"""Errors of ours as MLflow's users expect them."""

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2 as codes

from mooring.client.deployments import DeploymentFailed, WaitTimeout
from mooring.client.errors import ApiError
from mooring.compat.errors import CompatError, PredictionFailed

_BY_STATUS = {
    0: codes.TEMPORARILY_UNAVAILABLE,
    400: codes.BAD_REQUEST,
    401: codes.UNAUTHENTICATED,
    403: codes.PERMISSION_DENIED,
    404: codes.RESOURCE_DOES_NOT_EXIST,
    409: codes.RESOURCE_CONFLICT,
    412: codes.INVALID_STATE,
    429: codes.REQUEST_LIMIT_EXCEEDED,
    503: codes.TEMPORARILY_UNAVAILABLE,
    504: codes.DEADLINE_EXCEEDED,
}


@contextmanager
def as_mlflow() -> Iterator[None]:
    """Whatever goes wrong inside becomes an MlflowException with the same words."""
    try:
        yield
    except (ApiError, PredictionFailed) as error:
        raise MlflowException(str(error), error_code=_BY_STATUS.get(error.status, codes.INTERNAL_ERROR)) from error
    except WaitTimeout as error:
        raise MlflowException(str(error), error_code=codes.DEADLINE_EXCEEDED) from error
    except DeploymentFailed as error:
        raise MlflowException(str(error), error_code=codes.INVALID_STATE) from error
    except CompatError as error:
        raise MlflowException(str(error), error_code=codes.INVALID_PARAMETER_VALUE) from error
