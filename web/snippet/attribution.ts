// Where the visitor came from: first and last touch. In memory until consent, then in localStorage.

import { cleanText } from "./clean";
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

/** An advertisement's click follows a person: its id needs consent to marketing. */
const CLICK = /clid$|braid$/;

/** Reads the address now, what is kept once it is allowed. */
export function openAttribution({ hasConsent }: Consent): Attribution {
  const allowed = () => hasConsent("analytics") || hasConsent("marketing");
  const here = arrival();
  const kept = allowed() && read<[Touch, Touch]>("localStorage", "attribution");
  let touches: [Touch, Touch] = [here, here];
  // Whoever comes straight here, or from this very site, comes from where they came last.
  if (kept) touches = [kept[0], here.referrer || Object.keys(here).length > 1 ? here : kept[1]];
  document.addEventListener("consent_update", () => write("localStorage", "attribution", allowed() && touches));
  return {
    touches: () => touches,
    context() {
      const context: Touch = {};
      for (const [name, value] of Object.entries(touches[1]))
        if (hasConsent("marketing") || !CLICK.test(name)) context[name] = value;
      return { ...context, page_url: cleanText(location.href), ...(hasConsent("analytics") && googleIds(document.cookie)) };
    },
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
