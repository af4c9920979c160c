// A real browser on a running stack: chromium, one visitor at a time, what they see and what everybody
// else was told.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after } from "node:test";
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium } from "playwright-core";

interface Stack {
  api_url: string;
  page_url: string;
  sandbox_url: string;
}

const file = process.env.THROUGHLINE_STACK ?? new URL("../../../.local/stack.json", import.meta.url).pathname;
if (!existsSync(file)) throw new Error("no stack runs: `cargo xtask up --detach`, or set THROUGHLINE_STACK to its stack.json");
export const stack: Stack = JSON.parse(readFileSync(file, "utf8"));

const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (!program) throw new Error("no chromium is installed (on Debian: apt install chromium)");

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
let browser: Browser | undefined;
after(() => browser?.close());

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
export const MOBILE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

/** Somebody at a browser that has never been here. */
export interface Visitor {
  context: BrowserContext;
  page: Page;
  email: string;
  /** Every request that left the page's own origin. */
  elsewhere: string[];
  /** What the browser complained about: blocked by policy, or thrown. */
  complaints: string[];
}

let count = 0;

/** Opens a fresh browser; everything it stores is gone afterwards. */
export async function visitor(options: BrowserContextOptions = DESKTOP, untouched = false): Promise<Visitor> {
  browser ??= await chromium.launch({ executablePath: program, args: QUIET });
  count += 1;
  const context = await browser.newContext({ locale: "pt-PT", ...options });
  // One address each: the API counts calls by address. A browser whose calls are touched asks no leave
  // of the API before them, so one visitor is left alone: see the test on CORS.
  const ip = `198.51.${process.pid % 200}.${count}`;
  if (!untouched) await context.route(`${stack.api_url}/**`, (route) => route.continue({ headers: { ...route.request().headers(), "x-forwarded-for": ip } }));
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const elsewhere: string[] = [];
  const complaints: string[] = [];
  context.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== stack.page_url && protocol !== "data:") elsewhere.push(request.url());
  });
  page.on("console", (message) => /Content Security Policy|Uncaught/.test(message.text()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  return { context, page, email: `ana.silva.${crypto.randomUUID().slice(0, 8)}@example.pt`, elsewhere, complaints };
}

export const go = (page: Page, path = "/") => page.goto(stack.page_url + path);

export const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

/** Fills in the form and sends it. */
export async function leaveLead({ page, email }: Visitor): Promise<void> {
  await page.getByLabel(/^(Nome|Name)$/).fill("Ana Silva");
  await page.getByLabel(/^E-mail$/).fill(email);
  await page.getByLabel(/Telemóvel|Mobile/).fill("+351912345678");
  await page.getByRole("button", { name: /Continuar|Continue/ }).click();
}

/** From the form to the moment before the money, with what the bank will do. */
export async function readyToPay(visitor: Visitor, bank = /^(Paga|Pays)$/): Promise<void> {
  await leaveLead(visitor);
  await state(visitor.page, "ready");
  await visitor.page.getByLabel(bank).check();
}

/** Presses the button with the price on it. */
export const payNow = (page: Page) => page.getByRole("button", { name: /^(Pagar|Pay).*97/ }).click();

/** Waits for a state of the checkout. */
export const state = (page: Page, name: string) => page.locator(`[data-throughline-checkout][data-state=${name}]`).waitFor();

/** The ids of the journey, as the snippet holds them. */
export const ids = (page: Page): Promise<{ event_id: string; user_session_id: string }> => page.evaluate(() => (window as any).throughline.journey.ids());

/** Everything that the browser keeps for this site. */
export const stored = (page: Page): Promise<{ local: string[]; session: string[]; cookie: string }> =>
  page.evaluate(() => ({ local: Object.keys(localStorage).sort(), session: Object.keys(sessionStorage).sort(), cookie: document.cookie }));

/** What is in `dataLayer`: `consent default`, `consent update`, or an event's name. */
export const layer = (page: Page): Promise<string[]> =>
  page.evaluate(() => (window.dataLayer as any[]).map((entry) => entry.event ?? `${entry[0]} ${entry[1]}`));

/** What the vendors' stand-ins were told under a journey's id. */
export async function told(vendor: string, event_id: string): Promise<any[]> {
  const requests = (await (await fetch(`${stack.sandbox_url}/_control/requests?vendor=${vendor}`)).json()) as any[];
  return requests.filter((request) => JSON.stringify(request).includes(event_id));
}

interface Timeline {
  facts: { kind: string; effect: string; routes: { destination: string; decision: string; reason?: string }[] }[];
  deliveries: { effect: string; destination: string; state: string; reason: string }[];
}

export const timeline = async (event_id: string): Promise<Timeline> => (await fetch(`${stack.page_url}/sandbox/timeline/${event_id}`)).json() as Promise<Timeline>;

/** What became of a kind of fact at each destination, once all is settled. */
export async function outcomes(event_id: string, kind: string): Promise<Record<string, string>> {
  const read = async () => {
    const { facts, deliveries } = await timeline(event_id);
    const fact = facts.find((fact) => fact.kind === kind);
    if (!fact?.routes.length) return;
    const pairs = fact.routes.map(({ destination, decision, reason }) => {
      const delivery = deliveries.find((one) => one.effect === fact.effect && one.destination === destination);
      if (decision === "skip") return [destination, `skipped ${reason}`];
      return [destination, [delivery?.state, delivery?.reason].filter(Boolean).join(" ")];
    });
    const open = pairs.some(([, word]) => !/delivered|accepted|skipped|dead/.test(word));
    return open ? undefined : (Object.fromEntries(pairs) as Record<string, string>);
  };
  return (await until(`${kind} is settled`, read)) as Record<string, string>;
}

/** Waits for something to become so, and gives it. */
export async function until<T>(what: string, so: () => T | Promise<T>, patience = 20_000): Promise<NonNullable<T>> {
  for (const begun = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const now = await so();
    if (now) return now;
    assert.ok(Date.now() - begun < patience, `never came to be: ${what}`);
  }
}

/** Lets the page finish what it has begun: its animations, two frames, and what is queued behind them. */
export const rest = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
    for (let frames = 2; frames; frames--) await new Promise(requestAnimationFrame);
    await new Promise((resolve) => setTimeout(resolve));
  });
