"""What a workflow does next: a pure function from its template and its jobs so far."""

from mooring.workflows.walk import walk as walk
from mooring.workflows.workflow import Workflow as Workflow
