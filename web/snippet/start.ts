// The whole of it, wired: nothing is stored and nobody is called before the visitor allows or submits.

import { openAttribution } from "./attribution";
import { post } from "./call";
import { type Returned, takeReturn } from "./clean";
import { openConsent } from "./consent";
import { type Language, type Parts, attach } from "./forms";
import { openJourney } from "./journey";
import { openTracker } from "./tracker";

/** What a site may say. */
export interface Options {
  /** The stack's output ApiUrl, without a slash at its end. */
  api: string;
  /** The version of the text that visitors answer: CONSENT_VERSION of the deployment. Another one asks again. */
  version?: string;
  /** Any Portuguese, or else English; the page's own language where it is missing. */
  language?: string;
  /** The address of the site's tags, loaded once something is allowed: Google's gtm.js, or the tagging server's. */
  tags?: string;
  /** Measures nothing. */
  testMode?: boolean;
  /** What else to wire: `banner()`, `checkout()`. */
  parts?: Part[];
}

/** Something that is wired when everything else is. */
export type Part = (throughline: Throughline) => void;

/** What a page works with. */
export interface Throughline extends Parts {
  /** The payment that Stripe's redirect came back from, if it did. */
  returned?: Returned;
}

/** Starts. Called once, when the document is parsed. */
export function start(options: Options): Throughline {
  // First of all: nobody may read Stripe's secret in the address.
  const returned = takeReturn();
  const { api, version = "1", language: tag = document.documentElement.lang, parts = [] } = options;
  const language: Language = /^\s*pt/i.test(tag) ? "pt-PT" : "en";
  const consent = openConsent(version, language);
  const journey = openJourney();
  const attribution = openAttribution(consent);
  const tracker = openTracker(consent, journey, options.testMode, options.tags);
  const throughline = { api, language, consent, journey, attribution, tracker, returned };
  document.addEventListener("consent_update", () => tell(throughline));
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-throughline-form]")) {
    journey.renew();
    attach(form, throughline);
  }
  tracker.pageView();
  for (const part of parts) part(throughline);
  consent.announce();
  return throughline;
}

/** Tells the server of an answer that it has not heard, once there is a journey to tell it of. */
async function tell({ api, consent, journey, language }: Throughline): Promise<void> {
  const answer = consent.getConsent();
  const told = answer?.timestamp;
  if (!told || !journey.begun() || journey.notes().told === told) return;
  const said = await post(api + "/consents", { ...journey.ids(), language, consent: answer });
  if (said.status === 202) journey.note({ told });
}
