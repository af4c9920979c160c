// A site that asks with vanilla-cookieconsent (3.x) keeps it: its answers are ours.
// https://cookieconsent.orestbida.com/advanced/callbacks-events.html

import type { Consent, Purpose } from "../consent";

/** The part of the library that is used. */
export interface CookieConsentLibrary {
  acceptedCategory(name: string): boolean;
  validConsent(): boolean;
}

/** Which of the library's categories stands for which purpose. */
export type Categories = Record<Purpose, string>;

const SAME: Categories = { analytics: "analytics", marketing: "marketing", preferences: "preferences" };

/** Follows the library from now on. Start it with `data-banner="none"`. */
export function followCookieConsent(library: CookieConsentLibrary, consent: Consent, categories: Partial<Categories> = {}): void {
  const names = { ...SAME, ...categories };
  const follow = () => {
    if (!library.validConsent()) return;
    const choice = {
      analytics: library.acceptedCategory(names.analytics),
      marketing: library.acceptedCategory(names.marketing),
      preferences: library.acceptedCategory(names.preferences),
    };
    const same = !consent.shouldAsk() && (Object.keys(choice) as Purpose[]).every((purpose) => choice[purpose] === consent.hasConsent(purpose));
    if (!same) consent.setConsent(choice);
  };
  addEventListener("cc:onConsent", follow);
  addEventListener("cc:onChange", follow);
  follow();
}
