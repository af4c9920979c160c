// From the first click to the last euro, as visitors live it: refusing, accepting, in a hurry, on a bad
// network, with a card that is declined.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { DESKTOP, MOBILE, go, ids, layer, leaveLead, outcomes, payNow, press, readyToPay, stack, state, stored, timeline, told, until, visitor } from "./stage";

// Whatever came of the drawer's test, nobody after it meets what it broke.
after(() => fetch(`${stack.sandbox_url}/_control/faults`, { method: "POST", body: JSON.stringify({ vendor: "mailerlite", times: 0 }) }));

for (const [size, options] of [["a desktop", DESKTOP], ["a phone", MOBILE]] as const) {
  test(`on ${size}: who refuses and buys is in the CRM and has a receipt, and is nowhere else`, async () => {
    const someone = await visitor(options);
    const { page, complaints } = someone;
    await go(page);
    await press(page, "Recusar tudo");
    await readyToPay(someone);
    await payNow(page);
    await page.waitForURL("**/thanks.html");
    const { event_id } = await ids(page);
    const paid = await outcomes(event_id, "payment_succeeded");
    assert.deepEqual(paid, {
      hubspot: "delivered", mailerlite: "skipped consent", sgtm: "skipped consent", sendgrid: "delivered", slack: "delivered",
    });
    assert.deepEqual(await layer(page), ["consent default", "consent update"]);
    assert.deepEqual(complaints, []);
  });
}

test("who accepts and buys, and buys again, is everywhere, once for each journey", async () => {
  const someone = await visitor();
  const { page } = someone;
  await go(page);
  await press(page, "Aceitar tudo");
  const journeys: string[] = [];
  for (const turn of [1, 2]) {
    await go(page);
    await readyToPay(someone);
    await payNow(page);
    await page.waitForURL("**/thanks.html");
    journeys.push((await ids(page)).event_id);
    const paid = await outcomes(journeys[turn - 1], "payment_succeeded");
    assert.deepEqual(Object.values(paid).map((word) => word.split(" ")[0]), ["delivered", "delivered", "accepted_unverifiable", "delivered", "delivered"], JSON.stringify(paid));
  }
  assert.notEqual(journeys[0], journeys[1]);
  for (const event_id of journeys) assert.equal((await told("sgtm", event_id)).filter((hit) => JSON.stringify(hit).includes("purchase")).length, 1);
});

test("one event_id is in dataLayer, in the lead, in Stripe's metadata and in what tagging received", async () => {
  const someone = await visitor();
  const { page } = someone;
  await go(page, "/?utm_source=newsletter");
  await press(page, "Aceitar tudo");
  const lead = page.waitForRequest((request) => request.url().endsWith("/leads") && request.method() === "POST");
  await readyToPay(someone);
  const { event_id } = await ids(page);
  const body = (await lead).postDataJSON();
  assert.equal(body.event_id, event_id);
  assert.equal(body.utm_source, "newsletter");
  assert.match(body.client_id, /^\d+\.\d+$/);
  const events: any[] = await page.evaluate(() => (window.dataLayer as any[]).filter((entry) => entry.event_id));
  assert.deepEqual(events.map(({ event }) => event), ["page_view", "form_submit", "begin_checkout"]);
  for (const event of events) assert.equal(event.event_id, event_id);
  assert.ok(!/ana\.silva|351912/.test(JSON.stringify(events)), "and nobody in it");
  await payNow(page);
  await page.waitForURL("**/thanks.html");
  await outcomes(event_id, "payment_succeeded");
  const made = (await told("stripe", event_id)).filter(({ path, method }) => method === "POST" && /payment_intents/.test(path));
  assert.ok(decodeURIComponent(JSON.stringify(made)).includes(`metadata[event_id]`), "Stripe's metadata");
  const hits = await told("sgtm", event_id);
  assert.deepEqual(hits.map((hit) => JSON.stringify(hit).match(/generate_lead|begin_checkout|purchase/)?.[0]).sort(), ["begin_checkout", "generate_lead", "purchase"]);
  for (const hit of hits) assert.ok(JSON.stringify(hit).includes(body.client_id), "the browser's own client");
});

test("a declined card is said in plain words, and another one pays the same checkout", async () => {
  const someone = await visitor();
  const { page } = someone;
  await go(page, "/en.html");
  await press(page, "Refuse all");
  await readyToPay(someone, /Declines/);
  await payNow(page);
  await page.getByText("The payment was declined and nothing was charged. Try another card.").waitFor();
  await page.getByLabel(/^Pays$/).check();
  await payNow(page);
  await page.waitForURL("**/thanks-en.html");
  const { facts } = await timeline((await ids(page)).event_id);
  assert.equal(facts.filter(({ kind }) => kind === "checkout_started").length, 1);
});

for (const [answer, outcome] of [["Autorizar", "succeeded"], ["Recusar", "declined"]] as const) {
  test(`3-D Secure, and the bank's answer is "${answer}": the journey is the same, the secret is gone from the address`, async () => {
    const someone = await visitor();
    const { page, context } = someone;
    await go(page, "/?utm_source=newsletter");
    await press(page, "Aceitar tudo");
    await readyToPay(someone, /3-D Secure/);
    const before = await ids(page);
    const states: string[] = [];
    await context.exposeFunction("heard", (state: string) => void states.push(state));
    await context.addInitScript(() => addEventListener("throughline:payment", (event) => (window as any).heard((event as CustomEvent).detail.state)));
    await payNow(page);
    await page.waitForURL("**/bank.html**");
    await press(page, answer);
    if (answer === "Autorizar") await page.waitForURL("**/thanks.html");
    else await page.getByText(/O pagamento foi recusado/).waitFor();
    assert.deepEqual(states.slice(-1), [outcome]);
    assert.deepEqual(await ids(page), before);
    assert.ok(!page.url().includes("secret"));
    if (answer === "Recusar") {
      // The same payment is offered again, with its price.
      await page.getByLabel("Paga", { exact: true }).check();
      await payNow(page);
      await page.waitForURL("**/thanks.html");
    }
    await outcomes(before.event_id, "payment_succeeded");
    const held = await page.evaluate(() => JSON.stringify([window.dataLayer, { ...localStorage }, { ...sessionStorage }]));
    assert.ok(!held.includes("_secret_"));
  });
}

test("a payment that takes its time is said so, and cannot be paid twice", async () => {
  const someone = await visitor();
  const { page } = someone;
  await go(page);
  // A page that says thanks in place.
  await page.locator("[data-throughline-checkout]").evaluate((place) => place.removeAttribute("data-thanks"));
  await readyToPay(someone, /Fica a tratar/);
  await payNow(page);
  await state(page, "processing");
  assert.match((await page.textContent("[data-throughline-checkout]"))!, /não precisa de pagar outra vez/);
  assert.equal(await page.getByRole("button", { name: /^Pagar/ }).count(), 0);
});

test("the API takes calls from this page's origin, asked as browsers ask", async () => {
  const someone = await visitor(DESKTOP, true);
  const { page, complaints } = someone;
  await go(page);
  await press(page, "Recusar tudo");
  await leaveLead(someone);
  await state(page, "ready");
  assert.deepEqual(complaints, []);
});

test("a double click sends one lead and opens one checkout, and a second one pays once", async () => {
  const someone = await visitor();
  const { page, elsewhere, email } = someone;
  await go(page);
  await press(page, "Recusar tudo");
  await page.getByLabel("Nome").fill("Ana Silva");
  await page.getByLabel("E-mail", { exact: true }).fill(email);
  await page.getByLabel("Telemóvel").fill("+351912345678");
  await page.getByRole("button", { name: /Continuar/ }).dblclick();
  await state(page, "ready");
  assert.equal(elsewhere.filter((url) => url.endsWith("/payment-intents")).length, elsewhere.filter((url) => url.endsWith("/leads")).length);
  const paid: string[] = [];
  page.on("request", (request) => request.url().endsWith("/sandbox/pay") && paid.push(request.url()));
  await page.getByRole("button", { name: /^Pagar/ }).dblclick();
  await page.waitForURL("**/thanks.html");
  assert.equal(paid.length, 1);
  const { event_id } = await ids(page);
  await outcomes(event_id, "payment_succeeded");
  const kinds = (await timeline(event_id)).facts.map(({ kind }) => kind);
  assert.deepEqual(kinds.sort(), ["checkout_started", "lead_captured", "payment_succeeded"]);
});

test("who goes back and corrects the phone is the same journey with the next revision", async () => {
  const someone = await visitor();
  const { page } = someone;
  await go(page);
  await press(page, "Recusar tudo");
  await leaveLead(someone);
  await state(page, "ready");
  const before = await ids(page);
  await page.getByRole("link", { name: "Política de privacidade" }).last().click();
  await page.goBack();
  await page.getByLabel("Nome").fill("Ana Silva");
  await page.getByLabel("E-mail", { exact: true }).fill(someone.email);
  await page.getByLabel("Telemóvel").fill("+351912345679");
  await page.getByRole("button", { name: /Continuar/ }).click();
  await state(page, "ready");
  assert.deepEqual(await ids(page), before);
  const kinds = (await timeline(before.event_id)).facts.map(({ kind }) => kind).sort();
  assert.deepEqual(kinds, ["checkout_started", "lead_captured", "lead_corrected"]);
});

test("a lost network keeps the words, says so, and sends one lead when it is back", async () => {
  const someone = await visitor();
  const { page, context } = someone;
  await go(page);
  await press(page, "Recusar tudo");
  await context.setOffline(true);
  await leaveLead(someone);
  await page.getByText("Sem ligação. Vamos tentar outra vez.").waitFor();
  const { event_id } = await ids(page);
  await context.setOffline(false);
  await state(page, "ready");
  assert.equal((await ids(page)).event_id, event_id);
  assert.equal((await timeline(event_id)).facts.filter(({ kind }) => kind === "lead_captured").length, 1);
});

test("an answer that is lost on the way is asked for again: one lead, one checkout", async () => {
  const someone = await visitor();
  const { page, context } = someone;
  await go(page);
  await press(page, "Recusar tudo");
  for (const call of ["leads", "payment-intents"]) {
    let lost = false;
    await context.route(`**/${call}`, async (route) => {
      if (lost || route.request().method() !== "POST") return route.fallback();
      lost = true;
      // It arrives, and its answer does not.
      await fetch(route.request().url(), { method: "POST", headers: { "content-type": "application/json", origin: stack.page_url }, body: route.request().postData() });
      await route.abort("connectionreset");
    });
  }
  await leaveLead(someone);
  await state(page, "ready");
  const { event_id } = await ids(page);
  const kinds = (await timeline(event_id)).facts.map(({ kind }) => kind).sort();
  assert.deepEqual(kinds, ["checkout_started", "lead_captured"]);
});

test("the network that is lost while paying charges nobody twice", async () => {
  const someone = await visitor();
  const { page, context } = someone;
  await go(page);
  await press(page, "Recusar tudo");
  await readyToPay(someone);
  await context.route("**/sandbox/pay", async (route) => {
    await route.fetch();
    await route.abort("connectionreset");
  });
  // The payment went through; its answer was lost. Looking tells so.
  await payNow(page);
  await page.waitForURL("**/thanks.html");
  const { event_id } = await ids(page);
  await outcomes(event_id, "payment_succeeded");
  assert.equal((await timeline(event_id)).facts.filter(({ kind }) => kind === "payment_succeeded").length, 1);
});

test("on a slow third-generation network one can buy", async () => {
  const someone = await visitor(MOBILE);
  const { page, context } = someone;
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 2000, downloadThroughput: 50_000, uploadThroughput: 50_000 });
  page.setDefaultTimeout(60_000);
  await go(page);
  await press(page, "Recusar tudo");
  await readyToPay(someone);
  await payNow(page);
  await page.waitForURL("**/thanks.html");
});

test("where the script is blocked, or JavaScript is off, the form posts by itself", async () => {
  for (const [path, options] of [["/", { javaScriptEnabled: false }], ["/en.html", {}]] as const) {
    const someone = await visitor({ ...DESKTOP, ...options });
    const { page, context } = someone;
    await context.route("**/*.js", (route) => route.abort());
    await go(page, path);
    await leaveLead(someone);
    await page.waitForURL(path === "/" ? "**/thanks.html" : "**/thanks-en.html");
    const requests = await until("the CRM hears of it", async () => {
      const known = await told("hubspot", someone.email);
      return known.length ? known : undefined;
    });
    assert.ok(requests.length);
  }
});

test("the drawer shows the timeline, breaks and mends a destination, pays with five shuffled webhooks, and refunds", async () => {
  const someone = await visitor();
  const { page } = someone;
  await go(page);
  await press(page, "Aceitar tudo");
  await leaveLead(someone);
  await state(page, "ready");
  await page.locator(".drawer[open]").waitFor();
  await page.getByLabel("Destination").selectOption("mailerlite");
  await press(page, "Break");
  await page.getByText("mailerlite answers 503").waitFor();
  await press(page, "Pay, webhook 5 times shuffled");
  await page.locator("[data-fact=payment_succeeded] [data-destination=sendgrid][data-state=delivered]").waitFor();
  await page.locator("[data-fact=payment_succeeded] [data-destination=mailerlite][data-state=waiting]").waitFor();
  await press(page, "Mend");
  await page.locator("[data-fact=payment_succeeded] [data-destination=mailerlite][data-state=delivered]").waitFor({ timeout: 60_000 });
  // The page did not see it: whoever presses there is told that it is paid.
  await payNow(page);
  await page.waitForURL("**/thanks.html");
  await page.locator("[data-fact=payment_succeeded]").waitFor();
  await press(page, "Refund");
  await page.locator("[data-fact=payment_refunded] [data-destination=hubspot][data-state=delivered]").waitFor();
  const { event_id } = await ids(page);
  assert.equal((await told("sgtm", event_id)).filter((hit) => JSON.stringify(hit).includes("purchase")).length, 1);
  assert.deepEqual((await stored(page)).session, ["throughline_journey"]);
});
