// Resource groups, repositories, applications, secrets, quotas, and the parts of the installation.
import assert from "node:assert/strict";
import {
  ApplicationApi, DockerRegistrySecretApi, ObjectStoreSecretApi, RepositoryApi, ResourceApi, ResourceGroupApi,
  ResourceQuotaApi, SecretApi, ServiceApi, TenantInfoApi,
} from "@sap-ai-sdk/ai-api";
import { group, inGroup, refused, unique } from "./world.mjs";

const names = (list) => list.resources.map((each) => each.name);

export async function resourceGroups() {
  const resourceGroupId = unique(group);
  const labels = [{ key: "ext.ai.sap.com/team", value: "blue" }];
  for (const body of [{ resourceGroupId, labels }, { resourceGroupId }]) {
    assert.equal((await ResourceGroupApi.kubesubmitV4ResourcegroupsCreate(body).executeRaw()).status, 202);
  }
  const one = await ResourceGroupApi.kubesubmitV4ResourcegroupsGet(resourceGroupId).execute();
  assert.deepEqual([one.status, one.labels], ["PROVISIONED", labels]);
  const patched = await ResourceGroupApi.kubesubmitV4ResourcegroupsPatch(resourceGroupId, { labels: [] }).executeRaw();
  assert.equal(patched.status, 202);
  const all = await ResourceGroupApi.kubesubmitV4ResourcegroupsGetAll({ $top: 1, $count: true }).execute();
  assert.ok(all.count > all.resources.length);
  await ResourceGroupApi.kubesubmitV4ResourcegroupsDelete(resourceGroupId).execute();
  await refused(ResourceGroupApi.kubesubmitV4ResourcegroupsGet(resourceGroupId), 404);
}

export async function repositoriesAndApplications() {
  const name = unique("repo");
  const url = `https://git.example/${name}.git`;
  const credentials = { username: "reader", password: "secret" };
  const made = await RepositoryApi.kubesubmitV4RepositoriesCreate({ name, url, ...credentials }).executeRaw();
  assert.equal(made.status, 200);
  await refused(RepositoryApi.kubesubmitV4RepositoriesCreate({ name, url, ...credentials }), 409);
  assert.ok(names(await RepositoryApi.kubesubmitV4RepositoriesGetAll().execute()).includes(name));
  await RepositoryApi.kubesubmitV4RepositoriesUpdate(name, credentials).execute();

  const source = { repositoryUrl: url, revision: "main", path: "templates" };
  const applicationName = unique("app");
  await ApplicationApi.kubesubmitV4ApplicationsCreate({ applicationName, ...source }).execute();
  const one = await ApplicationApi.kubesubmitV4ApplicationsGet(applicationName).execute();
  assert.deepEqual(one, { applicationName, ...source });
  assert.equal((await ApplicationApi.kubesubmitV4ApplicationsRefresh(applicationName).executeRaw()).status, 202);
  assert.ok((await ApplicationApi.kubesubmitV4ApplicationsGetStatus(applicationName).execute()).syncStatus);
  await ApplicationApi.kubesubmitV4ApplicationsUpdate(applicationName, { ...source, path: "other" }).execute();
  await ApplicationApi.kubesubmitV4ApplicationsDelete(applicationName).execute();
  await RepositoryApi.kubesubmitV4RepositoriesDelete(name).execute();
  await refused(RepositoryApi.kubesubmitV4RepositoriesGet(name), 404);
}

export async function objectStoreSecrets() {
  const name = unique("store");
  const data = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "kept-secret" };
  const body = { name, type: "S3", bucket: "b", endpoint: "s3.example", region: "eu", data };
  const made = await ObjectStoreSecretApi.kubesubmitV4ObjectStoreSecretsCreate(body, inGroup).executeRaw();
  assert.equal(made.status, 202);
  const one = await ObjectStoreSecretApi.kubesubmitV4ObjectStoreSecretsGet(name, inGroup).execute();
  assert.equal(one.metadata["storage.ai.sap.com/bucket"], "b");
  assert.ok(!JSON.stringify(one).includes("kept-secret"));
  await ObjectStoreSecretApi.kubesubmitV4ObjectStoreSecretsPatch(name, body, inGroup).execute();
  await ObjectStoreSecretApi.kubesubmitV4ObjectStoreSecretsDelete(name, inGroup).execute();
}

export async function dockerRegistrySecrets() {
  const name = unique("images");
  const data = { ".dockerconfigjson": '{"auths": {"images.example": {"username": "u", "password": "p"}}}' };
  await DockerRegistrySecretApi.kubesubmitV4DockerRegistrySecretsCreate({ name, data }).execute();
  const all = await DockerRegistrySecretApi.kubesubmitV4DockerRegistrySecretsQuery().execute();
  assert.ok(names(all).includes(name));
  await DockerRegistrySecretApi.kubesubmitV4DockerRegistrySecretsPatch(name, { data }).execute();
  await DockerRegistrySecretApi.kubesubmitV4DockerRegistrySecretsDelete(name).execute();
}

export async function secrets() {
  const name = unique("secret");
  const data = { "api-key": btoa("kept-secret") };
  const scopes = [inGroup, { "AI-Tenant-Scope": true }];
  for (const scope of scopes) {
    const made = await SecretApi.kubesubmitV4GenericSecretsCreate({ name, data }, scope).executeRaw();
    assert.deepEqual([made.status, made.data.name], [200, name]);
    const one = await SecretApi.kubesubmitV4GenericSecretsGet(name, scope).execute();
    assert.equal(one.data, undefined);
  }
  for (const scope of scopes) {
    assert.ok(names(await SecretApi.kubesubmitV4GenericSecretsGetAll({}, scope).execute()).includes(name));
    await SecretApi.kubesubmitV4GenericSecretsUpdate(name, { data }, scope).execute();
    await SecretApi.kubesubmitV4GenericSecretsDelete(name, scope).execute();
    await refused(SecretApi.kubesubmitV4GenericSecretsGet(name, scope), 404);
  }
}

export async function quotas() {
  for (const kind of ["ResourceGroup", "Application", "Repository", "GenericSecret", "DockerRegistrySecret"]) {
    const quota = await ResourceQuotaApi[`kubesubmitV4ResourceQuotaGet${kind}Quota`]({}).execute();
    assert.ok(quota.quota.maxCount > 0, kind);
  }
  assert.ok((await ResourceQuotaApi.kubesubmitV4ResourceQuotaGetExecutableQuota({}).execute()).quota);
  assert.ok((await ResourceQuotaApi.kubesubmitV4ResourceQuotaGetDeploymentQuota({}).execute()).quotas);
}

export async function theInstallation() {
  assert.ok((await TenantInfoApi.tenantInfoGet().execute()).tenantId);
  assert.ok((await ResourceApi.kubesubmitV4ResourcesGet().execute()).resourcePlans);
  const services = await ServiceApi.kubesubmitV4AiservicesGetAll().execute();
  const one = await ServiceApi.kubesubmitV4AiservicesGet(services.resources[0].name).execute();
  assert.equal(one.name, services.resources[0].name);
}
