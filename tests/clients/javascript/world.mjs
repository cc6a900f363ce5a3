// Where the life takes place, and what its steps share.
import assert from "node:assert/strict";
import { ArtifactApi, ConfigurationApi } from "@sap-ai-sdk/ai-api";

export const group = process.env.AICORE_RESOURCE_GROUP;
export const inGroup = { "AI-Resource-Group": group };
export const SCENARIO = "mooring";
export const DEPLOYABLE = "model-server";
export const WORKFLOW = "train";
export const DATA_INPUT = "data";
const PATIENCE_MILLISECONDS = 20_000;

export const unique = (kind) => `${kind}-${crypto.randomUUID().slice(0, 12)}`;

// The status and the body with which a call is refused.
export async function refused(request, status) {
  const answer = await request.executeRaw().then(() => null, (error) => error.cause.response);
  assert.equal(answer?.status, status);
  assert.equal(typeof answer.data.error.code, "string");
  return answer.data.error;
}

// Asks again and again, as scripts do, up to a deadline.
export async function eventually(look, what) {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (!(await look())) {
    assert.ok(Date.now() < deadline, `it never came about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function newConfiguration(model = "models:/wine/1") {
  const parameterBindings = [{ key: "modelUri", value: model }];
  const body = { name: "wine", scenarioId: SCENARIO, executableId: DEPLOYABLE, parameterBindings };
  return (await ConfigurationApi.configurationCreate(body, inGroup).execute()).id;
}

export async function newArtifact(name = "data") {
  const body = { name, kind: "dataset", url: `ai://default/${name}`, scenarioId: SCENARIO };
  return (await ArtifactApi.artifactCreate(body, inGroup).execute()).id;
}

export async function newWorkflowConfiguration() {
  const inputArtifactBindings = [{ key: DATA_INPUT, artifactId: await newArtifact() }];
  const body = { name: "train", scenarioId: SCENARIO, executableId: WORKFLOW, inputArtifactBindings };
  return (await ConfigurationApi.configurationCreate(body, inGroup).execute()).id;
}
