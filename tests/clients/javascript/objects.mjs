// Scenarios, executables, artifacts, configurations, datasets; what the server says of itself.
import assert from "node:assert/strict";
import { ArtifactApi, ConfigurationApi, ExecutableApi, FileApi, KPIApi, MetaApi, ScenarioApi } from "@sap-ai-sdk/ai-api";
import { DEPLOYABLE, SCENARIO, WORKFLOW, group, inGroup, newConfiguration, refused, unique } from "./world.mjs";

export async function scenarios() {
  const found = await ScenarioApi.scenarioQuery(inGroup).execute();
  assert.ok(found.resources.some((scenario) => scenario.id === SCENARIO));
  assert.equal((await ScenarioApi.scenarioGet(SCENARIO, inGroup).execute()).id, SCENARIO);
  const versions = await ScenarioApi.scenarioQueryVersions(SCENARIO, {}, inGroup).execute();
  assert.equal(versions.resources[0].scenarioId, SCENARIO);
  assert.deepEqual(await ScenarioApi.scenarioQueryModels(SCENARIO, inGroup).execute(), { count: 0, resources: [] });
  await refused(ScenarioApi.scenarioGet("no-such-scenario", inGroup), 404);
}

export async function executables() {
  const found = await ExecutableApi.executableQuery(SCENARIO, {}, inGroup).execute();
  const deployable = Object.fromEntries(found.resources.map((each) => [each.id, each.deployable]));
  assert.deepEqual([deployable[DEPLOYABLE], deployable[WORKFLOW]], [true, false]);
  assert.equal((await ExecutableApi.executableGet(SCENARIO, DEPLOYABLE, inGroup).execute()).versionId, "1.0.0");
}

export async function artifacts() {
  const name = unique("data");
  const labels = [{ key: "ext.ai.sap.com/stage", value: "test" }];
  const body = { name, kind: "dataset", url: "ai://default/d", scenarioId: SCENARIO, labels };
  const raw = await ArtifactApi.artifactCreate(body, inGroup).executeRaw();
  assert.equal(raw.status, 201);
  assert.equal(raw.headers.location, `/v2/lm/artifacts/${raw.data.id}`);
  const one = await ArtifactApi.artifactGet(raw.data.id, { $expand: "scenario" }, inGroup).execute();
  assert.deepEqual([one.name, one.labels, one.scenario.id], [name, labels, SCENARIO]);
  const query = { $search: name.toUpperCase(), searchCaseInsensitive: true, kind: "dataset", $top: 1, $skip: 0 };
  assert.equal((await ArtifactApi.artifactQuery(query, inGroup).execute()).resources[0].id, raw.data.id);
  const labelled = { artifactLabelSelector: ["ext.ai.sap.com/stage=test"], name };
  assert.equal((await ArtifactApi.artifactQuery(labelled, inGroup).execute()).count, 1);
  assert.equal(await ArtifactApi.artifactCount({ name }, inGroup).execute(), 1);
}

export async function configurations() {
  const id = await newConfiguration();
  const one = await ConfigurationApi.configurationGet(id, {}, inGroup).execute();
  assert.deepEqual(one.inputArtifactBindings, []);
  assert.deepEqual(one.parameterBindings, [{ key: "modelUri", value: "models:/wine/1" }]);
  const query = { executableIds: [DEPLOYABLE, WORKFLOW], scenarioId: SCENARIO, $top: 1 };
  assert.equal((await ConfigurationApi.configurationQuery(query, inGroup).execute()).count, 1);
  assert.ok((await ConfigurationApi.configurationCount({}, inGroup).execute()) >= 1);
  const wrong = { name: "n", scenarioId: SCENARIO, executableId: "no-such-executable" };
  await refused(ConfigurationApi.configurationCreate(wrong, inGroup), 400);
}

export async function files() {
  const path = `default/${unique("file")}.csv`;
  const made = await FileApi.fileUpload(path, new Blob(["a,b\n1,2\n"]), {}, inGroup).execute();
  assert.equal(made.url, `ai://${path}`);
  await refused(FileApi.fileUpload(path, new Blob(["x"]), {}, inGroup), 409);
  const content = await FileApi.fileDownload(path, inGroup).execute();
  assert.equal(content instanceof Blob ? await content.text() : String(content), "a,b\n1,2\n");
  await FileApi.fileDelete(path, inGroup).execute();
  await refused(FileApi.fileDelete(path, inGroup), 404);
}

export async function meta() {
  const said = await MetaApi.metaGet().execute();
  assert.equal(said.aiApi.capabilities.userExecutions, true);
  assert.equal(said.aiApi.limits.timeToLiveDeployments.minimum, "10m");
}

export async function kpis() {
  const answer = await KPIApi.kpiGet({}).execute();
  assert.deepEqual(answer.header, ["ResourceGroup", "Executions", "Artifacts", "Deployments"]);
  assert.ok(answer.rows.some((row) => row[0] === group));
}
