// A plain form that becomes a lead: once, whatever the network and the visitor's finger do.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Api, api, begin, kept, open, until } from "./visit";

const FORM = `<form data-throughline-form id="lead">
  <input name="full_name" required value="Ana Silva">
  <input name="email" type="email" required value="ana.silva@example.pt">
  <input name="phone" value="+351912345678">
  <input name="website" value="">
  <input type="hidden" name="redirect_to" value="/x">
  <input type="hidden" name="consent_version" value="1">
  <input type="checkbox" name="consent_marketing">
  <p role="status"></p><button></button></form>`;

let server: Api;
beforeEach(async () => void (server = await api()));
afterEach(() => server.close());

const form = () => document.querySelector("form") as HTMLFormElement;
const field = (name: string) => form().elements.namedItem(name) as HTMLInputElement;
const submit = () => form().dispatchEvent(new Event("submit", { cancelable: true }));
const idle = () => until("the form is done", () => !form().ariaBusy);
const says = () => form().querySelector("[role=status]")!.textContent;

test("a lead carries the ids, the context and the answer, and begins the journey", async () => {
  const page = open("https://www.example.pt/?utm_source=newsletter", FORM);
  const { consent, journey } = begin({ api: server.url });
  consent.setConsent({ analytics: true, marketing: false, preferences: false });
  submit();
  await idle();
  const { path, body } = server.told[0];
  const { event_id, user_session_id } = journey.ids();
  assert.equal(path, "/leads");
  assert.deepEqual(
    [body.event_id, body.user_session_id, body.revision, body.full_name, body.email, body.phone, body.language, body.utm_source, body.consent.analytics],
    [event_id, user_session_id, 1, "Ana Silva", "ana.silva@example.pt", "+351912345678", "pt-PT", "newsletter", true],
  );
  assert.ok(!("redirect_to" in body) && !("consent_version" in body));
  assert.equal(says(), "Recebido. Obrigado!");
  const stored = JSON.stringify(kept(page));
  assert.ok(stored.includes(event_id) && !/silva|351912/i.test(stored), "ids, and nobody in them");
});

test("a lead's addresses hold a click's id only with marketing", async () => {
  for (const marketing of [undefined, false, true]) {
    open("https://www.example.pt/?utm_source=a&gclid=Cj0-click&fbclid=Cj0-click", FORM);
    const { consent } = begin({ api: server.url });
    if (marketing !== undefined) consent.setConsent({ analytics: true, marketing, preferences: true });
    field("consent_marketing").checked = !!marketing;
    submit();
    await idle();
    const { body } = server.told.at(-1)!;
    const address = `https://www.example.pt/?utm_source=a${marketing ? "&gclid=Cj0-click&fbclid=Cj0-click" : ""}`;
    assert.deepEqual([body.landing_page, body.page_url, body.gclid], [address, address, marketing ? "Cj0-click" : undefined]);
    assert.equal(JSON.stringify(body).includes("Cj0-click"), !!marketing);
  }
});

test("a double click is one lead, and so is the same form again", async () => {
  open(undefined, FORM);
  begin({ api: server.url });
  submit();
  submit();
  await idle();
  submit();
  await idle();
  assert.equal(server.told.length, 1);
});

test("a correction raises the revision under the same event_id", async () => {
  open(undefined, FORM);
  begin({ api: server.url });
  submit();
  await idle();
  field("phone").value = "+351912345679";
  submit();
  await idle();
  const [one, two] = server.told.map(({ body }) => body);
  assert.deepEqual([one.revision, two.revision, one.event_id], [1, 2, two.event_id]);
});

test("a lost answer is asked for again with the very same words", async () => {
  open(undefined, FORM);
  begin({ api: server.url });
  server.next.push("hang up", { status: 503 });
  submit();
  await until("it says that it waits", () => says()?.startsWith("Sem ligação"));
  await idle();
  const [one, two, three] = server.told.map(({ body }) => body);
  assert.deepEqual(two, one);
  assert.deepEqual(three, one);
  assert.equal(says(), "Recebido. Obrigado!");
});

test("a revision that was kept while its answer was lost makes room for the next", async () => {
  open(undefined, FORM);
  begin({ api: server.url });
  server.next.push({ status: 409, body: { type: "urn:throughline:problem:revision-conflict" } });
  submit();
  await idle();
  assert.deepEqual(server.told.map(({ body }) => body.revision), [1, 2]);
});

test("an empty field is named beside it and takes the focus, and nothing is sent", async () => {
  open(undefined, FORM);
  begin({ api: server.url });
  field("full_name").value = "";
  field("email").value = "ana";
  submit();
  assert.equal(field("full_name").ariaInvalid, "true");
  const note = document.getElementById(field("full_name").getAttribute("aria-describedby")!);
  assert.equal(note?.textContent, "Preencha este campo.");
  assert.equal(document.getElementById("email-fault")?.textContent, "Um e-mail é como nome@exemplo.pt.");
  assert.equal(document.activeElement, field("full_name"));
  assert.equal(server.told.length, 0);
});

test("what the server refuses is shown beside its field", async () => {
  open(undefined, FORM);
  begin({ api: server.url });
  server.next.push({ status: 422, body: { type: "urn:throughline:problem:invalid-field", errors: [{ field: "phone", detail: "x" }] } });
  submit();
  await idle();
  assert.equal(document.getElementById("phone-fault")?.textContent, "Verifique este campo.");
  assert.equal(says(), "Não foi enviado. Tente outra vez.");
});

test("a ticked box is an answer once the form is sent, and shows what the banner was told", async () => {
  open(undefined, FORM);
  const { consent } = begin({ api: server.url });
  field("consent_marketing").checked = true;
  submit();
  await idle();
  assert.deepEqual([server.told[0].body.consent.marketing, server.told[0].body.consent.method], [true, "checkbox"]);
  consent.setConsent({ analytics: false, marketing: false, preferences: false });
  assert.equal(field("consent_marketing").checked, false);
});

test("whoever is told of an accepted lead hears the words once more", async () => {
  open(undefined, FORM);
  begin({ api: server.url });
  let heard: Record<string, string> = {};
  document.addEventListener("throughline:accepted", (event) => (heard = (event as CustomEvent).detail));
  submit();
  await idle();
  assert.equal(heard.email, "ana.silva@example.pt");
});
