// A site that asks with vanilla-cookieconsent (3.x) keeps it: its answers are ours.
// https://cookieconsent.orestbida.com/advanced/callbacks-events.html

import type { Consent, Purpose } from "../consent";
import { take } from "./take";

/** The part of the library that is used. */
export interface CookieConsentLibrary {
  /** Whether the visitor has answered, and the answer still holds. */
  validConsent(): boolean;
  acceptedCategory(name: string): boolean;
}

/** Follows the library from now on. Name the category that stands for each purpose where it is called
 * otherwise, and start the snippet with `data-banner="none"`. */
export function followCookieConsent(library: CookieConsentLibrary, consent: Consent, categories: Partial<Record<Purpose, string>> = {}): void {
  const follow = () => {
    if (library.validConsent()) take(consent, (purpose) => library.acceptedCategory(categories[purpose] ?? purpose));
  };
  addEventListener("cc:onConsent", follow);
  addEventListener("cc:onChange", follow);
  follow();
}
