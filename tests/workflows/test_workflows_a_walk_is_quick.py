"""A controller walks again and again, and has other things to do."""

import time

from mooring.workflows import walk
from tests.workflows.simulation import Simulation, workflow

MOST_SECONDS = 0.02


def _least_seconds(simulation: Simulation) -> float:
    found = []
    for _ in range(10):
        begin = time.thread_time()
        walk(simulation.workflow, simulation.jobs, simulation.now)
        found.append(time.thread_time() - begin)
    return min(found)


def test_two_hundred_tasks_cost_little() -> None:
    tasks = "".join(
        f"""
        - name: t{i}
          template: work
          {f"dependencies: [t{i - 1}]" if i % 4 else "continueOn: {}"}
          when: "{{{{inputs.parameters.x}}}} != {i}"
          arguments: {{parameters: [{{name: n, value: "{{{{inputs.parameters.x}}}} {i}"}}]}}"""
        for i in range(200)
    )
    spec = f"""
entrypoint: main
templates:
  - name: main
    inputs: {{parameters: [{{name: x, default: a}}]}}
    dag:
      tasks:{tasks}
  - name: work
    inputs: {{parameters: [{{name: n}}]}}
    outputs: {{artifacts: [{{name: m, path: /m}}], parameters: [{{name: p, valueFrom: {{path: /p}}}}]}}
    container:
      image: x
      command: [python, -m, x]
      args: ["{{{{inputs.parameters.n}}}}"]
      env: [{{name: A, value: a}}, {{name: B, value: "{{{{workflow.name}}}}"}}]
"""
    simulation = Simulation(workflow(spec))
    for _ in range(3):
        simulation.look()
        for node in simulation.waiting[:40]:
            simulation.end(node, p="1")
    simulation.look()
    assert len(simulation.jobs) > 100
    assert _least_seconds(simulation) < MOST_SECONDS
    progress = simulation.run()
    assert progress.failure == ""
    assert _least_seconds(simulation) < MOST_SECONDS
