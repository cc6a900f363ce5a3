"""Started by its path, with nothing of the environment around it: `python -I -S …/inside/__main__.py …`.

Only this folder is mounted, below the names of the packages that it lies in.
"""

import sys

sys.path.insert(0, __file__.rsplit("/", 5)[0])

from mooring.runtimes.sandbox.inside.init import main

main(sys.argv[1:])
