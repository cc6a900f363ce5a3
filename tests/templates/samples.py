"""Templates as teams write them."""

from mooring.templates.executable_template import ExecutableTemplate
from mooring.templates.files import read_templates

SERVING = """
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: greeter
  annotations:
    scenarios.ai.sap.com/name: "Greetings"
    scenarios.ai.sap.com/description: "Says hello"
    executables.ai.sap.com/name: "Greeter"
    artifacts.ai.sap.com/words.kind: "model"
    artifacts.ai.sap.com/words.labels: '{"ext.ai.sap.com/size": "small"}'
  labels:
    scenarios.ai.sap.com/id: "greetings"
    ai.sap.com/version: 1.10
    ext.ai.sap.com/team: blue
spec:
  inputs:
    parameters:
      - name: greeting
        type: string
        default: hi
      - {name: replicas, default: 2}
      - {name: loud, value: true}
      - name: who-is-it
    artifacts:
      - name: words
  template:
    apiVersion: serving.kserve.io/v1beta1
    metadata:
      labels: |
        ai.sap.com/resourcePlan: basic
      annotations: |
        autoscaling.knative.dev/target: 1
    spec: |
      predictor:
        minReplicas: {{inputs.parameters.replicas}}
        containers:
        - name: kserve-container
          image: "example/greeter:1"
          command: ["python", "-m", "greeter"]
          env:
          - {name: GREETING, value: "{{ inputs.parameters.greeting }}, {{inputs.parameters.who-is-it}}"}
          - name: LOUD
            value: {{ inputs.parameters.loud }}
          - name: STORAGE_URI
            value: "{{inputs.artifacts.words}}"
"""

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: trainer
  annotations:
    artifacts.ai.sap.com/rows.kind: dataset
    artifacts.ai.sap.com/result.kind: resultset
    artifacts.ai.sap.com/result.suffix: /best
  labels: {scenarios.ai.sap.com/id: greetings, ai.sap.com/version: "2.0"}
spec:
  entrypoint: main
  arguments:
    parameters:
      - {name: epochs, default: 3}
  templates:
    - name: main
      steps:
        - - {name: prepare, template: prepare}
        - - name: train
            template: train
            arguments:
              parameters: [{name: rate, value: "{{item}}"}]
              artifacts: [{name: clean, from: "{{steps.prepare.outputs.artifacts.clean}}"}]
            withItems: [0.1, 0.2]
            when: "{{workflow.parameters.epochs}} != 0"
    - name: prepare
      inputs: {artifacts: [{name: rows, path: /app/data}]}
      outputs: {artifacts: [{name: clean, path: /tmp/clean}]}
      container: {image: a, command: [python], args: [prepare.py]}
    - name: train
      metadata:
        labels: |
          ai.sap.com/resourcePlan: starter
      inputs:
        parameters: [{name: rate}]
        artifacts: [{name: clean, path: /app/clean}]
      outputs: {artifacts: [{name: model, path: /app/model, globalName: result, archive: {none: {}}}]}
      retryStrategy: {limit: 2}
      script:
        image: a
        command: [python]
        source: |
          print("{{inputs.parameters.rate}}", "{{workflow.parameters.epochs}}")
          print('{"json": {{"stays": 1}} }')
"""


def only(text: str) -> ExecutableTemplate:
    """The only template of a text; its error is raised."""
    ((_, found),) = read_templates(text.encode())
    if isinstance(found, Exception):
        raise found
    return found
