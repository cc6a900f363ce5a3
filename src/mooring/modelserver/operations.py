"""What surrounds the model while it serves: who may ask, over what, and who is told."""

import ipaddress
from dataclasses import dataclass, field

from mooring.modelserver.access import Access
from mooring.modelserver.metrics import Metrics
from mooring.modelserver.observer import Observer
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.tls import Certificate


class Misconfigured(Exception):
    """The server cannot be started like this; the text is one line, meant for people."""


@dataclass(frozen=True)
class Operations:
    """By default everybody may ask, in the clear, and things are only counted."""

    observer: Observer = field(default_factory=lambda: Observer(Metrics()))
    access: Access | None = None
    certificate: Certificate | None = None

    @staticmethod
    def of(options: ServeOptions) -> "Operations":
        """As the options say. Raises Misconfigured."""
        access = _access(options)
        return Operations(_observer(options), access, _certificate(options))

    def stop(self) -> None:
        """Nothing is answered any more: hand over what was not sent yet."""
        self.observer.close()


def exposed(options: ServeOptions, address: str) -> str | None:
    """Why not to listen on this IP address; None when that is fine."""
    if options.uds or options.token_file or ipaddress.ip_address(address).is_loopback:
        return None
    return (
        f"other machines reach {options.host}, and everybody there could ask the model: give --token-file FILE (one "
        "token per line), or --insecure if something else guards it"
    )


def _access(options: ServeOptions) -> Access | None:
    if options.token_file is None:
        return None
    try:
        return Access(options.token_file, options.model_name)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the token file {options.token_file} cannot be used: {error}") from None


def _certificate(options: ServeOptions) -> Certificate | None:
    if options.tls_cert is None and options.tls_key is None:
        return None
    if options.tls_cert is None or options.tls_key is None:
        raise Misconfigured("HTTPS needs both --tls-cert and --tls-key")
    try:
        return Certificate(options.tls_cert, options.tls_key)
    except OSError as error:
        raise Misconfigured(
            f"the certificate {options.tls_cert} with the key {options.tls_key} cannot be used: {error} (both are PEM, "
            "the key is not encrypted)"
        ) from None


def _observer(options: ServeOptions) -> Observer:
    # Not above: OpenTelemetry is only imported when it is asked for.
    from mooring.modelserver import tracing

    return Observer(Metrics(), has_access_log=options.access_log, tracing=tracing.configured(options.model_name))
