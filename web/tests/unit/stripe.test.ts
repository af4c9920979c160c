// What Stripe.js answers, and what the buyer is told. A stand-in for Stripe.js: the real one was not run.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { checkout } from "../../snippet/checkout";
import { stripe } from "../../snippet/stripe";
import { type Api, api, begin, layer, open, until } from "./visit";

let server: Api | undefined;
afterEach(() => server?.close());

interface Answer {
  paymentIntent?: { status: string };
  error?: { type: string; message: string };
}

/** A page on which Stripe's script is loaded at once, and answers this to everything. */
function load(answer: Answer, html?: string) {
  const page = open(undefined, html);
  page.happyDOM.settings.handleDisabledFileLoadingAsSuccess = true;
  const asked: unknown[] = [];
  const elements = { create: () => ({ mount: () => {} }) };
  const answered = async (question: unknown) => {
    asked.push(question);
    return answer;
  };
  const made = { elements: () => elements, confirmPayment: answered, retrievePaymentIntent: answered };
  Object.assign(page, { Stripe: (key: string) => key === "pk_test_1" && made });
  return { asked, elements, payments: stripe("pk_test_1") };
}

for (const [status, state] of [
  ["succeeded", "succeeded"],
  ["processing", "processing"],
  ["requires_payment_method", "declined"],
  ["requires_action", "incomplete"],
  ["requires_confirmation", "incomplete"],
  ["requires_capture", "incomplete"],
  ["canceled", "incomplete"],
] as const)
  test(`a payment that Stripe calls ${status} is ${state}, when it is paid and when it is looked up`, async () => {
    const { asked, elements, payments } = load({ paymentIntent: { status } });
    await payments.mount(document.createElement("div"), "pi_1_secret_2", "pt-PT");
    assert.deepEqual(await payments.confirm("https://www.example.pt/"), { state });
    assert.deepEqual(await payments.look("pi_1_secret_2"), { state });
    const confirmed = { elements, confirmParams: { return_url: "https://www.example.pt/" }, redirect: "if_required" };
    assert.deepEqual(asked, [confirmed, "pi_1_secret_2"]);
  });

for (const [type, outcome] of [
  ["card_error", { state: "declined", message: "Stripe's words" }],
  ["validation_error", { state: "incomplete", message: "Stripe's words" }],
  ["api_connection_error", { state: "lost", message: undefined }],
] as const)
  test(`Stripe's ${type} is ${outcome.state}`, async () => {
    const { payments } = load({ error: { type, message: "Stripe's words" } });
    assert.deepEqual(await payments.confirm("https://www.example.pt/"), outcome);
    assert.deepEqual(await payments.look("pi_1_secret_2"), outcome);
  });

for (const [status, says, conversions] of [
  ["processing", /O seu banco está a tratar do pagamento/, 0],
  ["succeeded", /Pagamento recebido/, 1],
] as const)
  test(`a buyer whose payment is ${status} is told so, and it is measured as ${conversions} conversions`, async () => {
    server = await api();
    const { payments } = load({ paymentIntent: { status } }, "<div data-throughline-checkout></div>");
    server.next.push({ status: 200, body: { payment_intent_id: "pi_1", client_secret: "pi_1_secret_2", amount: 9700, currency: "eur" } });
    const { consent, journey, tracker } = begin({ api: server.url, parts: [checkout(() => payments)] });
    consent.setConsent({ analytics: true, marketing: true, preferences: true });
    const place = document.querySelector<HTMLElement>("[data-throughline-checkout]")!;
    document.dispatchEvent(new CustomEvent("throughline:accepted", { detail: {} }));
    await until("one can pay", () => place.dataset.state === "ready" && !place.ariaBusy);
    place.querySelector("button")!.click();
    await until("it is paid", () => journey.notes().paid);
    assert.equal(place.dataset.state, status);
    assert.match(place.querySelector("[role=status]")!.textContent!, says);
    assert.equal(place.querySelector("button")!.hidden, true, "nobody pays twice");
    // What is measured comes in its order: before this one.
    tracker.track("afterwards");
    await until("the last event is there", () => layer().at(-1).event === "afterwards");
    assert.equal(layer().filter(({ event }) => event === "conversion").length, conversions);
  });
