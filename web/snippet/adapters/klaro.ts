// A site that asks with Klaro (0.7) keeps it: what its visitors save is their answer to us.
// https://klaro.org/docs/api/js_api

import type { Consent, Purpose } from "../consent";
import { take } from "./take";

/** The part of Klaro's manager that is used: `klaro.getManager()`. */
export interface KlaroManager {
  /** Whether the visitor has answered. */
  confirmed: boolean;
  getConsent(service: string): boolean;
  watch(watcher: { update(manager: unknown, what: string): void }): void;
}

/** Follows Klaro from now on. Name the service that stands for each purpose, and start the snippet with
 * `data-banner="none"`. */
export function followKlaro(manager: KlaroManager, consent: Consent, services: Partial<Record<Purpose, string>> = {}): void {
  const follow = () => {
    if (manager.confirmed) take(consent, (purpose) => manager.getConsent(services[purpose] ?? purpose));
  };
  // `consents` is told at every box that is ticked; only what is saved is an answer.
  manager.watch({ update: (_manager, what) => what === "saveConsents" && follow() });
  follow();
}
