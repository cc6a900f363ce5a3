"""fedml's `deploy_to_kyma`: a model of Databricks' MLflow as a service on SAP Kyma."""

from mooring.compat.kyma.deploying import deploy_to_kyma

__all__ = ["deploy_to_kyma"]
