// Before consent there is nothing; after it there is what was allowed, in every tab, until it is withdrawn.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { go, layer, leaveLead, MOBILE, press, readyToPay, rest, stack, stored, until, visitor } from "./stage";

const banner = "A sua privacidade";

test("before consent nothing is stored and nobody else is called", async () => {
  const { page, elsewhere, complaints } = await visitor();
  await go(page, "/?utm_source=newsletter&gclid=Cj0");
  await page.getByRole("region", { name: banner }).waitFor();
  await page.waitForLoadState("networkidle");
  assert.deepEqual(await stored(page), { local: [], session: [], cookie: "" });
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(await layer(page), ["consent default"]);
  assert.deepEqual(complaints, []);
});

test("a refusal is kept, asks no more, and no tag is loaded", async () => {
  const { page, elsewhere } = await visitor();
  await go(page);
  await press(page, "Recusar tudo");
  assert.deepEqual(await stored(page), { local: ["throughline_consent"], session: [], cookie: "" });
  await page.reload();
  assert.equal(await page.getByRole("region", { name: banner }).count(), 0);
  assert.deepEqual(await layer(page), ["consent default", "consent update"]);
  assert.equal(await page.locator("script[src*=tags]").count(), 0);
  assert.deepEqual(elsewhere, []);
});

test("with consent the layer holds default, update, the first tag, and the page, in this order", async () => {
  const { page, complaints } = await visitor();
  await go(page);
  await press(page, "Aceitar tudo");
  await page.waitForFunction(() => (window as any).sandbox_tags?.events.length > 1);
  assert.deepEqual(await layer(page), ["consent default", "consent update", "gtm.js", "page_view"]);
  const heard = await page.evaluate(() => (window as any).sandbox_tags);
  assert.deepEqual(heard.commands, ["default", "update"]);
  assert.match((await stored(page)).cookie, /_ga=GA1\.1\.\d+\.\d+/);
  const defaults = await page.evaluate(() => (window.dataLayer as any[])[0][2]);
  assert.deepEqual(Object.values(defaults), [...Array(6).fill("denied"), 500]);
  assert.deepEqual(complaints, []);
});

test("a withdrawal through the preferences clears what was left behind, and nothing is measured after it", async () => {
  const { page } = await visitor();
  await go(page, "/?utm_source=newsletter");
  await press(page, "Aceitar tudo");
  await page.waitForFunction(() => document.cookie.includes("_ga"));
  await press(page, "Preferências de privacidade");
  assert.ok(await page.getByLabel("Medição de visitas").isChecked());
  await press(page, "Recusar tudo");
  assert.deepEqual(await stored(page), { local: ["throughline_consent"], session: [], cookie: "" });
  const before = (await layer(page)).length;
  await page.evaluate(() => (window as any).throughline.tracker.track("later"));
  await rest(page);
  assert.deepEqual((await layer(page)).slice(before), []);
  assert.equal((await layer(page)).at(-1), "consent update");
});

test("purposes are allowed one by one", async () => {
  const { page } = await visitor();
  await go(page);
  await press(page, "Escolher");
  await page.getByLabel("Medição de visitas").check();
  await press(page, "Guardar escolha");
  const answer = await page.evaluate(() => (window as any).throughline.consent.getConsent());
  assert.deepEqual([answer.analytics, answer.marketing, answer.preferences, answer.method], [true, false, false, "modal"]);
});

test("a new version of the text asks again, and until then nothing is allowed", async () => {
  const { page, context } = await visitor();
  await go(page);
  await press(page, "Aceitar tudo");
  await context.route(`${stack.page_url}/`, async (route) => {
    const reply = await route.fetch();
    await route.fulfill({ response: reply, body: (await reply.text()).replace("data-api=", 'data-version="2" data-api=') });
  });
  await page.reload();
  await page.getByRole("region", { name: banner }).waitFor();
  assert.deepEqual(await layer(page), ["consent default"]);
  assert.equal((await stored(page)).cookie, "", "what tags had left behind is gone");
});

test("what one tab answers holds in the other", async () => {
  const { page, context } = await visitor();
  await go(page);
  const other = await context.newPage();
  await go(other, "/en.html");
  await other.getByRole("region", { name: "Your privacy" }).waitFor();
  await press(page, "Aceitar tudo");
  await other.waitForFunction(() => (window as any).throughline.consent.hasConsent("analytics"));
  assert.equal(await other.getByRole("region", { name: "Your privacy" }).count(), 0);
  await press(other, "Privacy preferences");
  await press(other, "Refuse all");
  await page.waitForFunction(() => !(window as any).throughline.consent.hasConsent("analytics"));
});

test("an answer is told to the server once there is a journey, and every change after it", async () => {
  const someone = await visitor();
  const { page, elsewhere } = someone;
  await go(page);
  await press(page, "Recusar tudo");
  await leaveLead(someone);
  await page.getByText("Recebido. Obrigado!").waitFor();
  assert.equal(elsewhere.filter((url) => url.endsWith("/consents")).length, 0);
  await press(page, "Preferências de privacidade");
  const reply = page.waitForResponse((reply) => reply.url().endsWith("/consents") && reply.request().method() === "POST");
  await press(page, "Aceitar tudo");
  assert.equal((await reply).status(), 202);
});

test("the banner is the first thing a keyboard reaches, keeps the focus in sight and gives it back", async () => {
  const { page } = await visitor();
  await go(page);
  await page.getByRole("region", { name: banner }).waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
  const reached: (string | undefined)[] = [];
  while (reached.length < 5 && !reached.includes("Escolher")) {
    await page.keyboard.press("Tab");
    reached.push(await focused());
  }
  assert.deepEqual(reached, ["Política de privacidade", "Recusar tudo", "Aceitar tudo", "Escolher"]);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Space");
  assert.ok(await page.getByLabel("Medição de visitas").isChecked());
  await press(page, "Guardar escolha");
  await page.getByRole("button", { name: "Preferências de privacidade" }).focus();
  await page.keyboard.press("Enter");
  await press(page, "Recusar tudo");
  assert.equal(await focused(), "Preferências de privacidade");
});

test("to accept and to refuse weigh the same, and the banner moves nothing", async () => {
  for (const options of [undefined, MOBILE]) {
    const { page, context } = await visitor(options);
    await context.addInitScript(() => {
      (window as any).shifts = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) (window as any).shifts += (entry as any).value;
      }).observe({ type: "layout-shift", buffered: true });
    });
    await go(page);
    const [refuse, accept] = await Promise.all(["Recusar tudo", "Aceitar tudo"].map(async (name) => {
      const button = page.getByRole("button", { name, exact: true });
      const style = await button.evaluate((element) => {
        const { color, backgroundColor, borderColor, fontSize, fontWeight } = getComputedStyle(element);
        return { color, backgroundColor, borderColor, fontSize, fontWeight };
      });
      return { ...style, size: Math.round((await button.boundingBox())!.width) };
    }));
    assert.deepEqual(refuse, accept);
    await press(page, "Aceitar tudo");
    await rest(page);
    assert.equal(await page.evaluate(() => (window as any).shifts), 0);
  }
});

test("no motion for whoever wants none", async () => {
  const { page } = await visitor({ reducedMotion: "reduce" });
  await go(page);
  const animation = await page.getByRole("region", { name: banner }).evaluate((element) => getComputedStyle(element).animationName);
  assert.equal(animation, "none");
});

test("a banner that is blocked means denied, and a page on which one can buy", async () => {
  const someone = await visitor();
  const { page, context } = someone;
  // As filter lists do: the element is hidden by its class.
  await context.addInitScript(() => addEventListener("DOMContentLoaded", () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(".throughline-banner{display:none!important}");
    document.adoptedStyleSheets.push(sheet);
  }));
  await go(page);
  await readyToPay(someone);
  assert.deepEqual(await layer(page), ["consent default"]);
  assert.deepEqual((await stored(page)).local, []);
  await until("the journey is stored", async () => (await stored(page)).session.includes("throughline_journey"));
});

test("a site that asks with vanilla-cookieconsent keeps it, and its answers are ours", async () => {
  const { page } = await visitor();
  await go(page);
  // The library's own build, run beside the page.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("vanilla-cookieconsent/dist/cookieconsent.umd.js"), "utf8"));
  await page.evaluate(async () => {
    const library = (window as any).CookieConsent;
    const texts = { consentModal: { title: "x", acceptAllBtn: "sim" }, preferencesModal: { sections: [] } };
    await library.run({ categories: { necessary: { readOnly: true, enabled: true }, analytics: {}, ads: {} }, language: { default: "pt", translations: { pt: texts } } });
    const adapter = await import(`${location.origin}/vanilla-cookieconsent.mjs`);
    adapter.followCookieConsent(library, (window as any).throughline.consent, { marketing: "ads" });
    library.acceptCategory(["analytics"]);
  });
  const allowed = () => page.evaluate(() => ["analytics", "marketing"].map((purpose) => (window as any).throughline.consent.hasConsent(purpose)));
  assert.deepEqual(await allowed(), [true, false]);
  await page.evaluate(() => (window as any).CookieConsent.acceptCategory(["ads"]));
  assert.deepEqual(await allowed(), [false, true]);
});

test("a banner that waits holds the focus, and Escape leaves it without an answer", async () => {
  const { page, context } = await visitor();
  await context.route(`${stack.page_url}/`, async (route) => {
    const reply = await route.fetch();
    await route.fulfill({ response: reply, body: (await reply.text()).replace("data-api=", 'data-banner="modal" data-api=') });
  });
  await go(page);
  await page.getByRole("dialog", { name: banner }).waitFor();
  assert.ok(await page.evaluate(() => document.querySelector("dialog")?.contains(document.activeElement)));
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.deepEqual(await stored(page), { local: [], session: [], cookie: "" });
  await press(page, "Preferências de privacidade");
  await press(page, "Guardar escolha");
  assert.equal(await page.evaluate(() => (window as any).throughline.consent.shouldAsk()), false);
});
