"""The environment of a user's program: what an image would say, and what its template says."""

import math

from mooring.runtimes.base import ContainerSpec

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_THREAD_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS")


def image_environment(spec: ContainerSpec, *, home: str, environment: str) -> dict[str, str]:
    """The template's own words win. Thread pools follow the limit of processors, which they cannot see."""
    cpus = spec.limits.cpus
    threads = {} if cpus is None else dict.fromkeys(_THREAD_POOLS, str(max(1, math.ceil(cpus))))
    image = {"PATH": f"{environment}/bin:{SYSTEM_PATH}", "HOME": home, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    return {**image, **threads, **spec.env}
