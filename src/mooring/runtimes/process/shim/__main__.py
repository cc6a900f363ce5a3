"""`python -IS …/shim/__main__.py REPLICA_FOLDER`, with the order on standard input (`order.py`)."""

import sys

# Isolated and without site, Python does not know where our own package lies. It comes last, to hide nothing.
sys.path.append(__file__.rsplit("/", 5)[0])

from mooring.runtimes.process.shim.main import main

main(sys.argv[1])
