// What another tool was answered, taken over where it says something new.

import type { Choice, Consent, Purpose } from "../consent";

const PURPOSES: readonly Purpose[] = ["analytics", "marketing", "preferences"];

/** Takes an answer over. The same again is no answer: it would be told to the server anew. */
export function take(consent: Consent, allowed: (purpose: Purpose) => boolean): void {
  const choice = Object.fromEntries(PURPOSES.map((purpose) => [purpose, allowed(purpose)])) as Choice;
  const known = !consent.shouldAsk() && PURPOSES.every((purpose) => choice[purpose] === consent.hasConsent(purpose));
  if (!known) consent.setConsent(choice);
}
