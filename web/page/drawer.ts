// The drawer: this journey's timeline out of the ledger, live, and what else may happen to it: a
// payment, its webhook five times in any order, a refund, a destination that breaks. Sandbox only.

import "../snippet/window";
import { webhooks } from "./payments";

interface Fact {
  kind: string;
  effect: string;
  occurred_at: string;
  routes: { destination: string; decision: string; reason?: string; detail?: string }[];
}

interface Delivery {
  effect: string;
  destination: string;
  state: string;
  reason: string;
  detail: string;
  attempts: number;
}

interface Timeline {
  facts: Fact[];
  deliveries: Delivery[];
}

const DESTINATIONS = ["hubspot", "mailerlite", "sgtm", "sendgrid", "slack"];
/** As often as a person can read. */
const EVERY = 1000;

/** Opens the drawer at the page's edge, folded until there is something to see. */
export function openDrawer(): void {
  document.head.append(make("link", { rel: "stylesheet", href: "/drawer.css" }));
  const list = make("ol", {});
  const says = make("p", { role: "status" });
  const chosen = make("select", { ariaLabel: "Destination" }, ...DESTINATIONS.map((name) => make("option", { textContent: name })));
  let intent = "";
  let shown = "";

  const ask = async (call: string, body: object, done: string) => {
    const reply = await fetch(`/sandbox/${call}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const said = reply.ok ? done : ((await reply.json().catch(() => ({}))) as { error?: string }).error;
    says.textContent = said || `not done (${reply.status})`;
  };
  const pay = (deliveries: number, shuffle: boolean) =>
    ask("pay", { payment_intent_id: intent, outcome: "succeeded", deliveries, shuffle }, `paid; Stripe says so ${deliveries} times`);
  const press = (name: string, action: () => unknown) => {
    const button = make("button", { type: "button", textContent: name });
    button.addEventListener("click", action);
    return button;
  };
  const whenPayable = [
    press("Pay", () => pay(1, false)),
    press("Pay, webhook 5 times shuffled", () => pay(5, true)),
    press("Refund", () => ask("refund", { payment_intent_id: intent }, "refunded")),
  ];
  const five = make("input", { type: "checkbox" });
  five.addEventListener("change", () => Object.assign(webhooks, { deliveries: five.checked ? 5 : 1, shuffle: five.checked }));
  const drawer = make(
    "details",
    { className: "drawer", lang: "en", open: window.throughline?.journey.begun() ?? false },
    make("summary", { textContent: "Sandbox: this journey" }),
    make(
      "div",
      {},
      list,
      make("div", {}, ...whenPayable),
      make("label", {}, five, "what the page pays comes five times, shuffled"),
      make(
        "div",
        {},
        chosen,
        press("Break", () => ask("faults", { vendor: chosen.value, status: 503, times: 1000 }, `${chosen.value} answers 503`)),
        press("Mend", () => ask("faults", { vendor: chosen.value, times: 0 }, `${chosen.value} works again`)),
      ),
      says,
    ),
  );
  document.body.append(make("aside", { ariaLabel: "Sandbox" }, drawer));
  document.addEventListener("throughline:payment", (event) => (intent = (event as CustomEvent).detail.payment_intent_id));
  document.addEventListener("throughline:accepted", () => (drawer.open = innerWidth > 1200 || drawer.open));

  const look = async () => {
    const journey = window.throughline?.journey;
    if (drawer.open && journey?.begun()) {
      const reply = await fetch(`/sandbox/timeline/${journey.ids().event_id}`).catch(() => undefined);
      const text = reply?.ok ? await reply.text() : shown;
      if (text !== shown) show(JSON.parse((shown = text)));
    } else if (!journey?.begun()) {
      list.replaceChildren(make("li", { textContent: "Nothing yet: submit the form." }));
    }
    setTimeout(look, EVERY);
  };
  const show = (timeline: Timeline) => {
    intent = /pi_\w+/.exec(shown)?.[0] ?? intent;
    list.replaceChildren(...timeline.facts.map((fact) => told(fact, timeline.deliveries)));
    for (const button of whenPayable) button.disabled = !intent;
  };
  for (const button of whenPayable) button.disabled = true;
  document.addEventListener("throughline:payment", () => whenPayable.forEach((button) => (button.disabled = false)));
  void look();
}

/** A fact, whether it is routed, and under it every destination with what came of it. */
function told(fact: Fact, deliveries: Delivery[]): HTMLLIElement {
  const rows = fact.routes.map(({ destination, decision, reason, detail }) => {
    const delivery = deliveries.find((one) => one.effect === fact.effect && one.destination === destination);
    const state = decision === "skip" ? "skipped" : (delivery?.state ?? "asked for");
    const why = [decision === "skip" ? reason : delivery?.reason, decision === "skip" ? detail : delivery?.detail].filter(Boolean).join(": ");
    const row = make("li", {}, make("strong", { textContent: destination }), ` ${state}`, why ? ` (${why})` : "");
    row.dataset.destination = destination;
    row.dataset.state = state;
    return row;
  });
  const item = make("li", {}, `${fact.occurred_at.slice(11, 19)} `, make("strong", { textContent: fact.kind }), rows.length ? ": captured, routed" : ": captured", make("ul", {}, ...rows));
  item.dataset.fact = fact.kind;
  return item;
}

function make<K extends keyof HTMLElementTagNameMap>(
  kind: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...inside);
  return made;
}
