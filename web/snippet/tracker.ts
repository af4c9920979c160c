// What is measured, in `dataLayer`: nothing before analytics is allowed, and nobody in it.

import { clean, cleanText, permitted } from "./clean";
import { type Consent, push } from "./consent";
import type { Journey } from "./journey";
import { read, write } from "./store";

/** The parameters of an event. */
export type Parameters = Record<string, unknown>;

/** Measures. */
export interface Tracker {
  /** Measures an event, its name in snake_case. */
  track(event: string, parameters?: Parameters): void;
  /** Measures that a page is seen. */
  pageView(): void;
  /** Leaves the visits of this browser out of what is measured, or takes them in again. */
  internal(isInternal: boolean): void;
}

/** Opens the tracker: events queue in memory until there is an answer, then they go out or are dropped. */
export function openTracker(consent: Consent, journey: Journey, testMode?: boolean, tags?: string): Tracker {
  let queue: Parameters[] = [];
  let order = Promise.resolve();
  const excluded = () => testMode || read("localStorage", "internal");

  /** Pushes what may be pushed, drops what may not, keeps what nobody has answered. */
  const settle = () => {
    const measures = consent.hasConsent("analytics");
    if (consent.shouldAsk() && !measures) return;
    if (tags && (measures || consent.hasConsent("marketing")) && !excluded()) {
      push({ event: "gtm.js", "gtm.start": Date.now() });
      document.head.append(Object.assign(document.createElement("script"), { src: tags }));
      tags = "";
    }
    if (measures) push(...permitted(consent, queue));
    queue = [];
  };
  const track = (event: string, { user_id, ...parameters }: Parameters = {}) => {
    if (!/^[a-z][a-z0-9_]+$/.test(event)) throw TypeError("not in snake_case: " + event);
    if (excluded()) return;
    const told = { event, ...journey.ids(), ...(clean(parameters) as Parameters) };
    // In the order in which they happened, though a digest takes a moment.
    order = order.then(async () => {
      // Nobody does more than fifty things before answering.
      queue = [...queue.slice(-49), user_id ? { ...told, user_id: await digest("" + user_id) } : told];
      settle();
    });
  };
  document.addEventListener("consent_update", settle);
  return {
    track,
    pageView: () => track("page_view", { page_location: cleanText(location.href), page_title: document.title }),
    internal: (isInternal) => write("localStorage", "internal", isInternal),
  };
}

/** SHA-256, in hexadecimal digits. */
export const digest = async (text: string): Promise<string> => {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
};
