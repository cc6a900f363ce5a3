"""`python -m mooring.runtimes.process.forkserver MODULE SOCKET LOCK DESCRIPTOR`: see `server`."""

import sys
from pathlib import Path

from mooring.runtimes.process.forkserver.server import serve

serve(module=sys.argv[1], path=Path(sys.argv[2]), lock=Path(sys.argv[3]), held=int(sys.argv[4]))
