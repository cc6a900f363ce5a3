// Loads the model's OpenAPI document and hands it to Swagger UI. Behind a gateway the document needs a token: then
// it is asked for, exchanged at the origin's /oauth/token if need be, and added to every call to this origin.
"use strict";

const TOKEN_KEY = "mooring.token";
const RETRY_MILLISECONDS = 1000;
const documentUrl = new URL("openapi.json", location.href);
const $ = (id) => document.getElementById(id);

function authorization() {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function say(text) {
  $("status").textContent = text;
  $("status").hidden = !text;
}

async function load() {
  let answer;
  try {
    answer = await fetch(documentUrl, { headers: { Accept: "application/json", ...authorization() }, cache: "no-store" });
  } catch {
    return retry("The model server does not answer. Trying again…");
  }
  if (answer.status === 401 || answer.status === 403) return askForAccess(answer);
  if (answer.status === 503 || answer.status === 502 || answer.status === 504) {
    return retry("The model is still loading…");
  }
  if (!answer.ok) return say(`The description cannot be loaded: the server answered ${answer.status}.`);
  show(await answer.json());
}

function retry(text) {
  say(text);
  setTimeout(load, RETRY_MILLISECONDS);
}

function askForAccess(answer) {
  const hadToken = sessionStorage.getItem(TOKEN_KEY) !== null;
  sessionStorage.removeItem(TOKEN_KEY);
  say("");
  $("access").hidden = false;
  // A model server that runs alone knows its own tokens only.
  const isAlone = (answer.headers.get("www-authenticate") ?? "").includes('realm="model-server"');
  for (const id of ["client-help", "client-form", "client-or"]) $(id).hidden = isAlone;
  $("token-help").hidden = !isAlone;
  const reason = answer.status === 403 ? "This token may not use the model." : "The token is not valid, or no longer.";
  $("access-error").textContent = hadToken ? reason : "";
  $(isAlone ? "token" : "client-id").focus();
}

function show(description) {
  // Relative server URLs mean "relative to the document": made absolute, as Swagger UI gets the document by hand.
  for (const server of description.servers ?? []) {
    server.url = new URL(server.url, documentUrl).href.replace(/\/$/, "");
  }
  const name = description.info.title;
  document.title = name;
  $("model-name").textContent = name;
  $("access").hidden = true;
  $("sign-out").hidden = sessionStorage.getItem(TOKEN_KEY) === null;
  say("");
  const ui = SwaggerUIBundle({
    spec: description,
    dom_id: "#swagger-ui",
    deepLinking: false,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: authorize,
    // What people come for is open already, with the model's own example filled in.
    onComplete: () => ui.layoutActions.show(["operations", "Predictions", "predict"], true),
  });
}

function authorize(request) {
  // Never to another origin, whatever a document may say.
  if (new URL(request.url, location.href).origin === location.origin) Object.assign(request.headers, authorization());
  return request;
}

async function exchange(clientId, clientSecret) {
  const encoded = btoa(String.fromCharCode(...new TextEncoder().encode(`${clientId}:${clientSecret}`)));
  const answer = await fetch(new URL("/oauth/token", location.origin), {
    method: "POST",
    headers: { Authorization: `Basic ${encoded}`, "Content-Type": "application/x-www-form-urlencoded" },
    body: "grant_type=client_credentials",
  });
  if (answer.status === 404) throw new Error("There is no token service here: paste a token instead.");
  if (!answer.ok) throw new Error("Client id or secret is wrong.");
  return (await answer.json()).access_token;
}

async function enter(event, takeToken) {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  $("access-error").textContent = "";
  try {
    sessionStorage.setItem(TOKEN_KEY, await takeToken());
    event.target.reset();
    await load();
  } catch (error) {
    $("access-error").textContent = error instanceof TypeError ? "The token service does not answer." : error.message;
  } finally {
    button.disabled = false;
  }
}

$("client-form").addEventListener("submit", (event) =>
  enter(event, () => exchange($("client-id").value.trim(), $("client-secret").value.trim())));
$("token-form").addEventListener("submit", (event) =>
  enter(event, async () => $("token").value.trim().replace(/^Bearer\s+/i, "")));
$("sign-out").addEventListener("click", () => {
  sessionStorage.removeItem(TOKEN_KEY);
  location.reload();
});
$("document-link").addEventListener("click", async (event) => {
  // A plain link cannot carry the token.
  if (!sessionStorage.getItem(TOKEN_KEY)) return;
  event.preventDefault();
  const answer = await fetch(documentUrl, { headers: authorization() });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = "openapi.json";
  link.click();
  URL.revokeObjectURL(link.href);
});

load();
