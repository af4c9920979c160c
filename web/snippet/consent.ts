// What the visitor allows. Everything but the necessary is denied until an answer says otherwise.
// Kept in localStorage once it was given, announced to Google's tags, to the page and to other tabs.

import { read, write } from "./store";

/** What may be allowed or refused, each by itself. */
export type Purpose = "analytics" | "marketing" | "preferences";

/** How an answer was given. */
export type Method = "modal" | "checkbox" | "implied";

/** Some purposes, each allowed or refused. */
export type Choice = Partial<Record<Purpose, boolean>>;

/** An answer. */
export interface Answer extends Record<Purpose, boolean> {
  necessary: true;
  method: Method;
  timestamp: string;
  version: string;
  language: string;
  /** Only some purposes were answered, by a box in a form: the banner still asks. */
  partial: boolean;
}

/** Asks, remembers and tells. */
export interface Consent {
  /** The answer to the present version of the text, if there is one. */
  getConsent(): Answer | undefined;
  /** Takes an answer. Purposes that it does not name stay as they are. */
  setConsent(choice: Choice, method?: Method): void;
  /** Forgets the answer: everything is denied again, and the visitor is asked again. */
  reset(): void;
  /** Whether the visitor is still to be asked: never answered, only in part, or to an older text. */
  shouldAsk(): boolean;
  /** Whether a purpose is allowed. What is necessary always is. */
  hasConsent(purpose: Purpose | "necessary"): boolean;
}

declare global {
  interface Window {
    dataLayer?: unknown[];
  }
  interface DocumentEventMap {
    /** The answer, or nothing, at the start and whenever it changes. */
    consent_update: CustomEvent<Answer | undefined>;
  }
}

/** What Google's and Meta's tags leave behind. Of the first three analytics decide, else marketing. */
const TRACES = /^_(?:(ga|gid|gat)|gcl|gac|fb)/;

/** Pushes to the page's tags. */
export const push = (...entries: unknown[]): void => {
  (window.dataLayer ||= []).push(...entries);
};

/** A command to Google's tags is the very list of arguments; an array would be an event. */
function gtag(..._command: unknown[]): void {
  push(arguments);
}

/** Opens the consent of this site; `announce` tells it to everybody, once everybody listens. */
export function openConsent(version: string, language: string): Consent & { announce(): void } {
  let answer: Answer | undefined;
  let told: string | undefined;

  const recall = () => {
    const kept = read<Answer>("localStorage", "consent");
    answer = kept?.version === version ? kept : undefined;
  };
  const hasConsent = (purpose: Purpose | "necessary") => purpose === "necessary" || !!answer?.[purpose];
  const shouldAsk = () => !answer || answer.partial;
  const announce = () => {
    const word = (purpose: Purpose) => (hasConsent(purpose) ? "granted" : "denied");
    const analytics_storage = word("analytics");
    const ad_storage = word("marketing");
    const functionality_storage = word("preferences");
    const now = analytics_storage + ad_storage + functionality_storage;
    // Until there is a first answer the stub's `default` says it all.
    if (now !== told && (answer || told)) {
      gtag("consent", "update", {
        ad_storage,
        analytics_storage,
        ad_user_data: ad_storage,
        ad_personalization: ad_storage,
        functionality_storage,
        personalization_storage: functionality_storage,
      });
      told = now;
    }
    sweep();
    document.dispatchEvent(new CustomEvent("consent_update", { detail: answer }));
  };
  const keep = () => {
    write("localStorage", "consent", answer);
    announce();
  };
  /** Takes away what tags have left behind and may not keep. */
  const sweep = () => {
    for (const cookie of document.cookie.split("; ")) {
      const trace = TRACES.exec(cookie);
      if (trace && !hasConsent(trace[1] ? "analytics" : "marketing")) {
        // It may belong to this host or to any domain above it.
        for (let host = "." + location.hostname, domain = ""; ; host = host.replace(/\.[^.]*/, "")) {
          document.cookie = cookie.split("=")[0] + "=;path=/;max-age=-1" + domain;
          if (!host) break;
          domain = ";domain=" + host;
        }
      }
    }
  };

  recall();
  // Another tab of this site has answered, or changed the answer.
  addEventListener("storage", ({ key }) => {
    if (!key || key === "throughline_consent") {
      recall();
      announce();
    }
  });
  return {
    getConsent: () => answer,
    hasConsent,
    shouldAsk,
    announce,
    setConsent(choice, method = "modal") {
      answer = {
        necessary: true,
        analytics: false,
        marketing: false,
        preferences: false,
        ...answer,
        ...choice,
        method,
        timestamp: new Date().toISOString(),
        version,
        language,
        partial: shouldAsk() && Object.keys(choice).length < 3,
      };
      keep();
    },
    reset() {
      answer = undefined;
      keep();
    },
  };
}
