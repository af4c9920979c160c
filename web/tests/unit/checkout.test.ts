// The checkout: what it costs, in which language, and what it says when it cannot begin.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { type Payments, checkout } from "../../snippet/checkout";
import { inUnits, written } from "../../snippet/money";
import type { Options } from "../../snippet/start";
import { type Api, api, begin, layer, open, until } from "./visit";

const PLACE = `<div data-throughline-checkout data-product="ticket"></div>`;
const PAYABLE = { payment_intent_id: "pi_1", client_secret: "pi_1_secret_2", amount: 9700, currency: "eur" };
const ALL = { analytics: true, marketing: true, preferences: true };

let server: Api;
beforeEach(async () => void (server = await api()));
afterEach(() => server.close());

const place = () => document.querySelector<HTMLElement>("[data-throughline-checkout]")!;
const button = () => place().querySelector("button")!;
const idle = () => until("the checkout is done", () => !place().ariaBusy);
const label = () => button().textContent!.replace(/\s/g, " ");

/** A taker of cards that is always paid. */
const taker = (more: Partial<Payments> = {}): Payments => ({
  mount: async () => {},
  confirm: async () => ({ state: "succeeded" }),
  look: async () => ({ state: "succeeded" }),
  ...more,
});

/** What the server answers to the next checkout. */
const next = (payable: object) => server.next.splice(0, 1, { status: 200, body: payable });

/** A page with a checkout. */
function visit(payable: object, payments: () => Payments, options: Partial<Options> = {}) {
  next(payable);
  return begin({ api: server.url, parts: [checkout(payments)], ...options });
}

/** What a form does once its lead is kept. */
async function accepted(): Promise<void> {
  document.dispatchEvent(new CustomEvent("throughline:accepted", { detail: { email: "ana.silva@example.pt" } }));
  await idle();
}

async function press(): Promise<void> {
  button().click();
  await idle();
}

for (const [currency, amount, value, price] of [
  ["eur", 9700, 97, "97,00"],
  ["jpy", 9700, 9700, "9700"],
  ["huf", 9750, 97.5, "97,50"],
  ["isk", 9700, 97, "97,00"],
  ["ugx", 9700, 97, "97,00"],
  ["kwd", 9700, 9.7, "9,700"],
] as const)
  test(`${amount} of ${currency.toUpperCase()} are ${value} in the events, and ${price} on the button`, async () => {
    open(undefined, PLACE);
    visit({ ...PAYABLE, amount, currency }, taker).consent.setConsent(ALL);
    await accepted();
    assert.equal(label().split(" ")[1], price);
    await press();
    const priced = () => layer().filter((entry) => "value" in entry);
    await until("both events are there", () => priced().length === 2);
    const told = { value, currency: currency.toUpperCase() };
    assert.deepEqual(
      priced().map(({ event, value, currency }) => [event, { value, currency }]),
      [["begin_checkout", told], ["conversion", told]],
    );
  });

test("every currency has the decimals that the server counts", () => {
  const source = readFileSync(new URL("../../../shared/domain/src/money.rs", import.meta.url), "utf8");
  const listed = (name: string) => {
    const [, list] = new RegExp(`const ${name}[^=]*=([^;]*);`).exec(source)!;
    return [...list.matchAll(/b"(\w+)"/g)].map(([, code]) => code);
  };
  const [zero, three] = [listed("ZERO_DECIMAL"), listed("THREE_DECIMAL")];
  assert.ok(zero.includes("JPY") && three.includes("KWD"), "the lists are read");
  for (const currency of new Set([...zero, ...three, ...Intl.supportedValuesOf("currency")])) {
    const decimals = zero.includes(currency) ? 0 : three.includes(currency) ? 3 : 2;
    assert.equal(inUnits({ amount: 1000, currency: currency.toLowerCase() }), 1000 / 10 ** decimals, currency);
    const [number] = /\d[\d,.]*/.exec(written({ amount: 1111, currency }, "en"))!;
    assert.equal(number.replace(",", ""), (1111 / 10 ** decimals).toFixed(decimals), currency);
  }
});

for (const [tag, language, price] of [
  ["pt-PT", "pt-PT", "Pagar 97,00 €"],
  ["pt_PT", "pt-PT", "Pagar 97,00 €"],
  [" pt_BR.UTF-8", "pt-PT", "Pagar 97,00 €"],
  ["PT", "pt-PT", "Pagar 97,00 €"],
  ["", "en", "Pay €97.00"],
  ["en_US", "en", "Pay €97.00"],
  ["-", "en", "Pay €97.00"],
  ["fr", "en", "Pay €97.00"],
] as const)
  test(`one can pay on a page whose language is "${tag}"`, async () => {
    for (const options of [{}, { language: tag }]) {
      open(undefined, PLACE);
      document.documentElement.lang = "language" in options ? "de" : tag;
      let shown = "";
      visit(PAYABLE, () => taker({ mount: async (_box, _secret, language) => void (shown = language) }), options);
      await accepted();
      assert.deepEqual([place().dataset.state, label(), shown], ["ready", price, language]);
      assert.equal(server.told.at(-1)!.body.language, language, "the server writes in the same one");
      await press();
      assert.equal(place().dataset.state, "succeeded");
    }
  });

const thrown = (): never => {
  throw new Error("broken");
};
for (const [what, payable, broken] of [
  ["the price is in no currency", { ...PAYABLE, currency: "?" }, taker],
  ["the answer has no payment in it", {}, taker],
  ["the fields for a card cannot be shown", PAYABLE, () => taker({ mount: thrown })],
  ["nobody takes cards", PAYABLE, thrown],
] as const)
  test(`where ${what} the checkout says so, and a second press tries again`, async () => {
    open(undefined, PLACE);
    let payments: () => Payments = broken;
    visit(payable, () => payments());
    await accepted();
    for (const _press of [1, 2]) {
      assert.deepEqual([place().dataset.state, button().hidden, label()], ["unavailable", false, "Tentar outra vez"]);
      next(payable);
      await press();
    }
    payments = taker;
    next(PAYABLE);
    await press();
    assert.deepEqual([place().dataset.state, label()], ["ready", "Pagar 97,00 €"]);
  });

test("the address that a bank comes back to holds a click's id only with marketing", async () => {
  for (const [marketing, expected] of [[false, "https://www.example.pt/?utm_source=a&b=1"], [true, "https://www.example.pt/?utm_source=a&fbclid=x&b=1"]] as const) {
    open("https://www.example.pt/?utm_source=a&fbclid=x&b=1#pagar", PLACE);
    const asked: string[] = [];
    const confirm: Payments["confirm"] = async (returnTo) => {
      asked.push(returnTo);
      return { state: "declined" };
    };
    visit(PAYABLE, () => taker({ confirm })).consent.setConsent({ ...ALL, marketing });
    await accepted();
    await press();
    assert.deepEqual(asked, [expected]);
  }
});
