"""What other tools' users know, over Mooring: fedml's `deploy_to_kyma` and `predict`, and a target of MLflow's."""

from mooring.compat.errors import CompatError
from mooring.compat.kyma import deploy_to_kyma
from mooring.compat.predictions import predict

__all__ = ["CompatError", "deploy_to_kyma", "predict"]
