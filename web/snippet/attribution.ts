// Where the visitor came from: first and last touch. In memory until consent, then in localStorage.

import { cleanText, permitted } from "./clean";
import type { Consent } from "./consent";
import { read, write } from "./store";

/** One arrival: whatever of these was in the address, the page before, the page arrived at. */
export type Touch = Record<string, string>;

/** Both touches, and the context of a call. */
export interface Attribution {
  /** The first arrival and the last one. */
  touches(): [first: Touch, last: Touch];
  /** The last touch, this page, and Google's ids where they are allowed. */
  context(): Touch;
}

/** Reads the address now, what is kept once it is allowed. */
export function openAttribution(consent: Consent): Attribution {
  const allowed = () => consent.hasConsent("analytics") || consent.hasConsent("marketing");
  const here = arrival();
  const kept = allowed() && read<[Touch, Touch]>("localStorage", "attribution");
  let touches: [Touch, Touch] = [here, here];
  // Whoever comes straight here, or from this very site, comes from where they came last.
  if (kept) touches = [kept[0], Object.keys(here).length > 1 ? here : kept[1]];
  document.addEventListener("consent_update", () => write("localStorage", "attribution", allowed() && permitted(consent, touches)));
  return {
    touches: () => permitted(consent, touches),
    context: () =>
      permitted(consent, { ...touches[1], page_url: cleanText(location.href), ...(consent.hasConsent("analytics") && googleIds(document.cookie)) }),
  };
}

function arrival(): Touch {
  const touch: Touch = { landing_page: cleanText(location.href) };
  for (const [name, value] of new URLSearchParams(location.search))
    if (/^utm_|clid$|braid$/.test(name) && value) touch[name] = cleanText(value, name);
  const before = document.referrer;
  if (before && new URL(before).host !== location.host) touch.referrer = cleanText(before);
  return touch;
}

/** `client_id` and `ga_session_id` as Google's cookies hold them: `GA1.1.<client>` and
 * `GS1.1.<session>.…` or `GS2.1.s<session>$…`. */
export const googleIds = (cookies: string): Touch => {
  const ids: Touch = {};
  const [, client] = /\b_ga=GA\d\.\d\.(\d+\.\d+)/.exec(cookies) || [];
  const [, session] = /\b_ga_\w+=GS\d\.\d\.s?(\d+)/.exec(cookies) || [];
  if (client) ids.client_id = client;
  if (session) ids.ga_session_id = session;
  return ids;
};
