"""Where the image goes, and the secret with which the cluster pulls it."""

import configparser
import os
import re
from dataclasses import dataclass
from pathlib import Path

from mooring.compat.errors import CompatError
from mooring.compat.kyma.configuration import AmazonConfiguration, AzureConfiguration, Configuration

UNKNOWN_ACCOUNT = "ACCOUNT"
"""Stands for the AWS account, which only AWS itself can tell."""
_ACCOUNT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):")


@dataclass(frozen=True)
class Image:
    """`reference` is complete; `pull_secret` is the name of a secret of type kubernetes.io/dockerconfigjson."""

    registry: str
    repository: str
    tag: str
    pull_secret: str

    @property
    def reference(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


def image_of(configuration: Configuration, tag: str) -> Image:
    """Named as fedml names it, so that images of before are found beside it. Raises CompatError."""
    name = configuration.service_name
    match configuration:
        case AzureConfiguration(login_server=server, principal=principal):
            return Image(server, f"fedml/{name}", tag, _secret_name(f"{server}-{principal}-secret"))
        case AmazonConfiguration(profile=profile):
            return Image(_amazon_registry(profile), name, tag, _secret_name(f"{profile}-aws-ecr"))


def _secret_name(text: str) -> str:
    """A name that Kubernetes takes."""
    return re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.")[:253]


def _amazon_registry(profile: str) -> str:
    settings = _profile(profile)
    region = settings.get("region")
    if not region:
        raise CompatError(
            f"the AWS profile {profile!r} has no region in {_file()}: "
            f"`aws configure set region REGION --profile {profile}`"
        )
    role = _ACCOUNT.match(settings.get("role_arn", ""))
    account = settings.get("sso_account_id") or (role.group(1) if role else UNKNOWN_ACCOUNT)
    ending = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{ending}"


def _profile(profile: str) -> dict[str, str]:
    """What the AWS configuration says of it; credentials lie in another file, which is not read."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(_file())
    except (configparser.Error, UnicodeDecodeError):
        raise CompatError(
            f"{_file()} is no configuration of AWS: its lines are [profile NAME] and key = value"
        ) from None
    section = "default" if profile == "default" else f"profile {profile}"
    if not parser.has_section(section):
        raise CompatError(f"there is no AWS profile {profile!r} in {_file()}: `aws configure --profile {profile}`")
    return dict(parser.items(section))


def _file() -> Path:
    return Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
