// The visitor's answer: denied until given, remembered by version, told to everybody.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { type Api, api, begin, kept, layer, open, until } from "./visit";

let server: Api | undefined;
afterEach(() => server?.close());

test("before an answer everything but the necessary is denied and nothing is stored", () => {
  const page = open();
  const { consent } = begin();
  assert.deepEqual([consent.hasConsent("necessary"), consent.hasConsent("analytics"), consent.shouldAsk()], [true, false, true]);
  assert.equal(consent.getConsent(), undefined);
  assert.deepEqual(kept(page), { local: {}, session: {}, cookie: "" });
  assert.deepEqual(layer(), []);
});

test("an answer is kept with its version, method, time and language, and Google's tags are told once", () => {
  const page = open();
  const { consent } = begin({ version: "3" });
  const heard: unknown[] = [];
  document.addEventListener("consent_update", ({ detail }) => heard.push(detail));
  consent.setConsent({ analytics: true, marketing: false, preferences: false });
  const { timestamp, ...answer } = consent.getConsent()!;
  assert.deepEqual(answer, { necessary: true, analytics: true, marketing: false, preferences: false, method: "modal", version: "3", language: "pt-PT", partial: false });
  assert.ok(Math.abs(Date.now() - Date.parse(timestamp)) < 5000);
  assert.equal(heard.length, 1);
  assert.ok("throughline_consent" in kept(page).local!);
  assert.deepEqual(layer(), [["consent", "update", {
    ad_storage: "denied", analytics_storage: "granted", ad_user_data: "denied", ad_personalization: "denied",
    functionality_storage: "denied", personalization_storage: "denied",
  }]].concat(layer().slice(1)));
});

test("a refusal is an answer: nobody is asked twice", () => {
  const page = open();
  begin().consent.setConsent({ analytics: false, marketing: false, preferences: false });
  open("https://www.example.pt/outra", "", kept(page));
  const { consent } = begin();
  assert.equal(consent.shouldAsk(), false);
  assert.equal(layer()[0][2].analytics_storage, "denied");
});

test("a new version of the text asks again, and until then everything is denied", () => {
  const page = open();
  begin().consent.setConsent({ analytics: true, marketing: true, preferences: true });
  open("https://www.example.pt/", "", kept(page));
  const { consent } = begin({ version: "2" });
  assert.equal(consent.shouldAsk(), true);
  assert.equal(consent.hasConsent("analytics"), false);
  assert.deepEqual(layer(), []);
});

test("a box in a form answers one purpose, and the banner still asks for the others", () => {
  open();
  const { consent } = begin();
  consent.setConsent({ marketing: true }, "checkbox");
  assert.deepEqual([consent.hasConsent("marketing"), consent.hasConsent("analytics"), consent.shouldAsk()], [true, false, true]);
  consent.setConsent({ analytics: false, marketing: true, preferences: false });
  assert.equal(consent.shouldAsk(), false);
});

test("a reset forgets the answer and denies everything again", () => {
  const page = open();
  const { consent } = begin();
  consent.setConsent({ analytics: true, marketing: true, preferences: true });
  consent.reset();
  assert.equal(consent.shouldAsk(), true);
  assert.equal(layer().at(-1)[2].ad_storage, "denied");
  assert.equal(kept(page).local!.throughline_consent, undefined);
});

test("a withdrawal takes away what tags and attribution have left behind", () => {
  const page = open("https://www.example.pt/?utm_source=x", "", { cookie: "_ga=GA1.1.1.2; _ga_X=GS1.1.3.1; _gcl_au=1; _fbp=2; basket=3" });
  const { consent } = begin();
  assert.equal(document.cookie, "basket=3", "nothing of theirs without consent");
  consent.setConsent({ analytics: true, marketing: true, preferences: false });
  for (const cookie of ["_ga=GA1.1.1.2", "_gid=1", "_gcl_au=1", "_fbp=1"]) document.cookie = `${cookie}; path=/`;
  consent.setConsent({ marketing: false });
  assert.equal(document.cookie, "basket=3; _ga=GA1.1.1.2; _gid=1");
  assert.ok("throughline_attribution" in kept(page).local!);
  consent.setConsent({ analytics: false });
  assert.equal(document.cookie, "basket=3");
  assert.equal(kept(page).local!.throughline_attribution, undefined);
});

test("what another tab answers holds here", () => {
  const page = open();
  const { consent } = begin();
  const there = { ...{ necessary: true, analytics: true, marketing: false, preferences: false }, method: "modal", timestamp: new Date().toISOString(), version: "1", language: "en", partial: false };
  page.localStorage.setItem("throughline_consent", JSON.stringify(there));
  page.dispatchEvent(new page.StorageEvent("storage", { key: "throughline_consent" }));
  assert.equal(consent.hasConsent("analytics"), true);
});

test("the server is told of every change once a journey exists, and of none before", async () => {
  server = await api();
  open();
  const { consent, journey } = begin({ api: server.url });
  consent.setConsent({ analytics: true, marketing: true, preferences: true });
  assert.equal(server.told.length, 0);
  journey.note({ sent: "x" });
  consent.setConsent({ marketing: false });
  await until("the server is told", () => server!.told.length === 1);
  const { path, body } = server.told[0];
  assert.equal(path, "/consents");
  assert.deepEqual([body.event_id, body.consent.marketing, body.consent.analytics], [journey.ids().event_id, false, true]);
});

test("a change that the server did not hear of is told by the next page", async () => {
  server = await api();
  const page = open();
  const first = begin();
  first.journey.note({ sent: "x" });
  page.localStorage.setItem("throughline_consent", JSON.stringify({ analytics: true, version: "1", timestamp: "2026-11-20T10:00:00Z", partial: false }));
  open("https://www.example.pt/b", "", kept(page));
  const { journey } = begin({ api: server.url });
  await until("the server is told", () => journey.notes().told === "2026-11-20T10:00:00Z");
  open("https://www.example.pt/c", "", kept(window as never));
  begin({ api: server.url });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(server.told.length, 1, "and by no page after that");
});

test("whoever forbids storage can go on", () => {
  const page = open();
  Object.defineProperty(page, "localStorage", { get: () => { throw new Error("forbidden"); } });
  Object.defineProperty(page, "sessionStorage", { get: () => { throw new Error("forbidden"); } });
  const { consent, journey } = begin();
  consent.setConsent({ analytics: true, marketing: false, preferences: false });
  journey.note({ sent: "x" });
  assert.ok(consent.hasConsent("analytics") && journey.begun());
});
