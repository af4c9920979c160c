// What is measured, and what never is; where the visitor came from; one journey's ids.

import assert from "node:assert/strict";
import { test } from "node:test";
import { googleIds } from "../../snippet/attribution";
import { clean, cleanText, permitted } from "../../snippet/clean";
import type { Throughline } from "../../snippet/start";
import { digest } from "../../snippet/tracker";
import { begin, kept, layer, open, until } from "./visit";

const all = { analytics: true, marketing: true, preferences: true };
const none = { analytics: false, marketing: false, preferences: false };
const events = () => layer().filter((entry) => entry.event);

test("events wait in memory for the answer, and go out in their order under one event_id", async () => {
  open();
  const { consent, tracker, journey } = begin();
  tracker.track("begin_checkout", { value: 97 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(events(), []);
  consent.setConsent(all);
  await until("both events are there", () => events().length === 2);
  assert.deepEqual(events().map(({ event }) => event), ["page_view", "begin_checkout"]);
  for (const event of events()) assert.equal(event.event_id, journey.ids().event_id);
  assert.equal(layer()[0][1], "update", "the tags hear of the answer first");
});

test("a refusal drops what was queued, for good", async () => {
  open();
  const { consent, tracker } = begin();
  tracker.track("video_play");
  consent.setConsent(none);
  await new Promise((resolve) => setTimeout(resolve, 20));
  consent.setConsent(all);
  tracker.track("later");
  await until("the later event is there", () => events().length === 1);
  assert.deepEqual(events().map(({ event }) => event), ["later"]);
});

test("after a withdrawal nothing is measured", async () => {
  open();
  const { consent, tracker } = begin();
  consent.setConsent(all);
  await until("the page is seen", () => events().length === 1);
  consent.setConsent(none);
  tracker.track("more");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(events().length, 1);
});

test("test mode and internal traffic are left out, tags and all", async () => {
  const page = open();
  const first = begin({ testMode: true, tags: "https://tags.example.com/gtm.js" });
  first.consent.setConsent(all);
  await new Promise((resolve) => setTimeout(resolve, 20));
  first.tracker.internal(true);
  open("https://www.example.pt/", "", kept(page));
  begin({ tags: "https://tags.example.com/gtm.js" });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(events(), []);
  assert.equal(document.querySelector("script"), null);
});

test("tags are loaded once, after the answer, and not after a refusal", async () => {
  open();
  const { consent } = begin({ tags: "https://tags.example.com/gtm.js?id=GTM-1" });
  consent.setConsent(none);
  assert.equal(document.querySelector("script"), null);
  consent.setConsent(all);
  consent.setConsent({ preferences: false });
  assert.equal(document.querySelectorAll("script").length, 1);
  const order = layer().map((entry) => entry.event ?? entry[1]).filter((word) => /update|gtm/.test(word));
  assert.deepEqual(order, ["update", "update", "gtm.js", "update"]);
});

test("an event's name is in snake_case", () => {
  open();
  assert.throws(() => begin().tracker.track("Buy Now"), /snake_case/);
});

test("a user's id leaves as a digest", async () => {
  open();
  const { consent, tracker } = begin();
  consent.setConsent(all);
  tracker.track("login", { user_id: "ana.silva@example.pt" });
  await until("it is there", () => events().length === 2);
  assert.equal(events()[1].user_id, await digest("ana.silva@example.pt"));
  assert.equal(await digest("person@example.com"), "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345");
});

test("people are taken out by the names of fields and by what values look like", () => {
  const told = {
    email: "a", user_email: "a", Phone: "1", full_name: "Ana", first_name: "Ana", telefone: "9", nif: "1",
    item_name: "Café com Vendas", page_title: "Café", note: "ligue a ana.silva@example.pt ou +351 912 345 678",
    items: [{ item_id: "ticket-1", price: 97, owner: "ana.silva@example.pt" }], count: 912345678,
    transaction_id: "912345678901", created_at: "20261120100000", value: 97.5, ok: true, nothing: null,
  };
  assert.deepEqual(clean(told), {
    item_name: "Café com Vendas", page_title: "Café", note: "ligue a redacted ou redacted",
    items: [{ item_id: "ticket-1", price: 97, owner: "redacted" }], count: "redacted",
    transaction_id: "912345678901", created_at: "20261120100000", value: 97.5, ok: true, nothing: null,
  });
});

test("addresses lose people and secrets and keep everything else", () => {
  for (const [text, expected] of [
    ["https://example.pt/?email=ana.silva%40example.pt&tel=+351912345678&x=1", "https://example.pt/?email=redacted&tel=redacted&x=1"],
    ["https://example.pt/?tel=%2B351%20912%20345%20678", "https://example.pt/?tel=redacted"],
    ["/obrigado?payment_intent_client_secret=pi_1_secret_2&ok=1", "/obrigado?payment_intent_client_secret=redacted&ok=1"],
    ["3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11", "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11"],
    ["2026-11-20T10:00:05.123Z", "2026-11-20T10:00:05.123Z"],
    ["lisboa-2026, 97,00 €", "lisboa-2026, 97,00 €"],
  ]) assert.equal(cleanText(text), expected);
});

test("Stripe's secret is out of the address before anything is measured", async () => {
  open("https://www.example.pt/?utm_source=x&payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_2&redirect_status=succeeded");
  const { consent, returned } = begin();
  consent.setConsent(all);
  await until("the page is seen", () => events().length === 1);
  assert.equal(location.href, "https://www.example.pt/?utm_source=x");
  assert.deepEqual(returned, { intent: "pi_1", secret: "pi_1_secret_2" });
  assert.ok(!JSON.stringify([layer(), kept(window as never)]).includes("secret_2"));
});

test("first and last touch stay in memory until they may be kept", () => {
  let page = open("https://www.example.pt/?utm_source=newsletter&gclid=Cj0");
  const first = begin();
  assert.equal(first.attribution.touches()[0].utm_source, "newsletter");
  assert.deepEqual(kept(page).local, {});
  first.consent.setConsent(all);
  page = open("https://www.example.pt/?utm_source=anuncio&fbclid=x", "", kept(page));
  begin();
  page = open("https://www.example.pt/precos", "", kept(page));
  const [one, last] = begin().attribution.touches();
  assert.deepEqual([one.utm_source, last.utm_source, last.landing_page], ["newsletter", "anuncio", "https://www.example.pt/?utm_source=anuncio&fbclid=x"]);
});

test("a call's context holds a click's id only with marketing, and Google's ids only with analytics", () => {
  open("https://www.example.pt/?utm_source=a&gclid=Cj0&wbraid=1");
  const { consent, attribution } = begin();
  assert.deepEqual(Object.keys(attribution.context()).sort(), ["landing_page", "page_url", "utm_source"]);
  consent.setConsent(all);
  document.cookie = "_ga=GA1.1.1234567890.1700000000";
  document.cookie = "_ga_ABC123=GS2.1.s1700000001$o1$g0$t1700000001$j60$l0$h0";
  const { gclid, wbraid, client_id, ga_session_id } = attribution.context();
  assert.deepEqual([gclid, wbraid, client_id, ga_session_id], ["Cj0", "1", "1234567890.1700000000", "1700000001"]);
});

/** Whatever could leave the page or stay in the browser. */
const everything = ({ attribution }: Throughline) => JSON.stringify([attribution.context(), attribution.touches(), layer(), kept(window as never)]);

for (const id of ["gclid", "gbraid", "wbraid", "fbclid", "dclid", "ttclid", "twclid", "yclid"])
  test(`${id} needs marketing, as a field and in every address`, async () => {
    const address = `https://www.example.pt/caf%C3%A9?utm_source=a&${id}=Cj0-click&b=1+%2C2&b=#tarifas`;
    const bare = "https://www.example.pt/caf%C3%A9?utm_source=a&b=1+%2C2&b=#tarifas";
    for (const choice of [undefined, none, { ...none, analytics: true }, { ...none, marketing: true }, all]) {
      const page = open(address);
      Object.defineProperty(page.document, "referrer", { value: `https://search.example/?${id}=Cj0-click&q=caf%C3%A9` });
      const here = begin();
      here.tracker.track("link", { link_url: `/precos?${id}=Cj0-click`, items: [{ [id]: "Cj0-click" }] });
      if (choice) here.consent.setConsent(choice);
      if (choice?.analytics) await until("the events are there", () => events().length === 2);
      const context = here.attribution.context();
      if (choice?.marketing) {
        assert.deepEqual([context[id], context.landing_page, context.page_url], ["Cj0-click", address, address]);
        assert.equal(context.referrer, `https://search.example/?${id}=Cj0-click&q=caf%C3%A9`);
        if (choice.analytics) assert.equal(events()[0].page_location, address);
      } else {
        assert.ok(!everything(here).includes("Cj0-click"), everything(here));
        assert.deepEqual([context.landing_page, context.page_url, context.referrer], [bare, bare, "https://search.example/?q=caf%C3%A9"]);
        if (choice?.analytics) assert.deepEqual([events()[0].page_location, events()[1].link_url], [bare, "/precos"]);
      }
    }
  });

test("a click's id that was stored with marketing comes back no more once it is refused", () => {
  const page = open("https://www.example.pt/?utm_source=a&gclid=Cj0-click&fbclid=Cj0-click");
  const first = begin();
  first.consent.setConsent(all);
  const before = kept(page);
  assert.ok(before.local!.throughline_attribution.includes("Cj0-click"));
  first.consent.setConsent({ marketing: false });
  assert.match(kept(page).local!.throughline_attribution, /utm_source/);
  assert.ok(!JSON.stringify([kept(page), first.attribution.context(), first.attribution.touches()]).includes("Cj0-click"));
  // It was refused where this page's storage could not be reached.
  const consent = before.local!.throughline_consent.replace('"marketing":true', '"marketing":false');
  open("https://www.example.pt/precos", "", { local: { ...before.local, throughline_consent: consent } });
  const next = begin();
  assert.ok(!everything(next).includes("Cj0-click"), everything(next));
  assert.equal(next.attribution.context().landing_page, "https://www.example.pt/?utm_source=a");
  assert.equal(next.attribution.touches()[0].utm_source, "a");
});

test("without marketing an address loses its clicks' ids and not one byte more", () => {
  const { consent } = (open(), begin());
  for (const [address, expected] of [
    ["https://e.pt/?msclkid=1&ScCid=2&li_fat_id=3&b=2", "https://e.pt/?b=2"],
    ["https://e.pt/?gclid=1", "https://e.pt/"],
    ["https://e.pt/?gclid=1#a", "https://e.pt/#a"],
    ["https://e.pt/?gclid=1&b=2", "https://e.pt/?b=2"],
    ["https://e.pt/?a=1&gclid=1", "https://e.pt/?a=1"],
    ["https://e.pt/?gclid=1&fbclid=2", "https://e.pt/"],
    ["https://e.pt/?a=1&gclid=1&fbclid=2&b=2", "https://e.pt/?a=1&b=2"],
    ["https://e.pt/?gclid=1&a=1&gclid=2&b&fbclid=3#c", "https://e.pt/?a=1&b#c"],
    ["https://e.pt/?a=1&FBCLID=ab==&b=2", "https://e.pt/?a=1&b=2"],
    ["https://e.pt/#/precos?gclid=1&a=1", "https://e.pt/#/precos?a=1"],
    ["https://e.pt/?b=1#gclid=1&a=1", "https://e.pt/?b=1#a=1"],
    ["ver /precos?gclid=1 e depois", "ver /precos e depois"],
  ]) assert.equal(permitted(consent, address), expected, address);
  for (const address of ["https://e.pt/?", "https://e.pt/?&a=%c3%A9+&&b=#", "https://e.pt/gclid=1?a=gclid=1", "https://e.pt/?clid_no=1&gclid", "gclid=1"])
    assert.equal(permitted(consent, address), address);
});

test("Google's cookies are read in both of their forms", () => {
  assert.deepEqual(googleIds("a=b; _ga=GA1.2.1.2; _ga_X=GS1.1.1700000000.3.1"), { client_id: "1.2", ga_session_id: "1700000000" });
  assert.deepEqual(googleIds("x_ga=1; _gat=1"), {});
});

test("a journey keeps its ids over pages once it was begun, and only then", () => {
  let page = open();
  const { journey } = begin();
  const ids = journey.ids();
  for (const id of Object.values(ids)) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(kept(page).session, {});
  journey.note({ sent: "x" });
  page = open("https://www.example.pt/b", "", kept(page));
  assert.deepEqual(begin().journey.ids(), ids);
  open("https://www.example.pt/b");
  assert.notEqual(begin().journey.ids().event_id, ids.event_id, "another tab is another journey");
});

test("after a payment the next form begins another journey of the same session", () => {
  const page = open("https://www.example.pt/");
  const first = begin();
  first.journey.note({ sent: "x", paid: true });
  const ids = first.journey.ids();
  open("https://www.example.pt/obrigado", "", kept(page));
  assert.deepEqual(begin().journey.ids(), ids, "the thank-you page is still the same one");
  open("https://www.example.pt/", "<form data-throughline-form></form>", kept(page));
  const next = begin().journey.ids();
  assert.notEqual(next.event_id, ids.event_id);
  assert.equal(next.user_session_id, ids.user_session_id);
});
