// Asks for a token, loads the OpenAPI document with it, and hands both to Swagger UI.
"use strict";

// The pages of models keep it under the same name: who has signed in there has signed in here.
const TOKEN_KEY = "mooring.token";
const DOCUMENT = "/openapi.json";
const byId = (id) => document.getElementById(id);
const token = () => sessionStorage.getItem(TOKEN_KEY);
const authorization = () => ({ Authorization: `Bearer ${token()}` });

async function load() {
  if (!token()) return ask("");
  say("Loading the description…");
  const answer = await fetch(DOCUMENT, { headers: authorization(), cache: "no-store" });
  if (answer.status === 401) {
    sessionStorage.removeItem(TOKEN_KEY);
    return ask("The token is not valid, or no longer.");
  }
  if (!answer.ok) return say(`The description cannot be loaded: the server answered ${answer.status}.`);
  show(await answer.json());
}

function say(text) {
  byId("status").textContent = text;
  byId("status").hidden = !text;
}

function ask(problem) {
  say("");
  byId("access").hidden = false;
  byId("access-error").textContent = problem;
  byId("client-id").focus();
}

function show(description) {
  say("");
  byId("access").hidden = true;
  byId("sign-out").hidden = false;
  SwaggerUIBundle({
    spec: description,
    dom_id: "#swagger-ui",
    deepLinking: false,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    docExpansion: "list",
    validatorUrl: null,
    requestInterceptor: authorize,
  });
}

function authorize(request) {
  // Never to another origin, whatever a document may say.
  if (new URL(request.url, location.href).origin === location.origin) Object.assign(request.headers, authorization());
  return request;
}

async function exchange(clientId, clientSecret) {
  const answer = await fetch("/oauth/token", {
    method: "POST",
    body: new URLSearchParams({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }),
  });
  if (!answer.ok) throw new Error("Client id or secret is wrong.");
  return (await answer.json()).access_token;
}

async function enter(event, takeToken) {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  byId("access-error").textContent = "";
  try {
    sessionStorage.setItem(TOKEN_KEY, await takeToken());
    event.target.reset();
    await load();
  } catch (error) {
    byId("access-error").textContent = error instanceof TypeError ? "The server does not answer." : error.message;
  } finally {
    button.disabled = false;
  }
}

async function download(event) {
  event.preventDefault(); // a plain link cannot carry the token
  if (!token()) return ask("The document needs a token, too.");
  const answer = await fetch(DOCUMENT, { headers: authorization() });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = "openapi.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

byId("client-form").addEventListener("submit", (event) =>
  enter(event, () => exchange(byId("client-id").value.trim(), byId("client-secret").value.trim())));
byId("token-form").addEventListener("submit", (event) =>
  enter(event, async () => byId("token").value.trim().replace(/^Bearer\s+/i, "")));
byId("document-link").addEventListener("click", download);
byId("sign-out").addEventListener("click", () => {
  sessionStorage.removeItem(TOKEN_KEY);
  location.reload();
});

load().catch(() => say("The server does not answer. Reload this page to try again."));
