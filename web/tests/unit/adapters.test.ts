// A site that has a consent tool of its own keeps it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { followKlaro } from "../../snippet/adapters/klaro";
import { begin, open } from "./visit";

/** Klaro's manager as its own source has it: boxes are told at once, answers when they are saved. */
function klaro() {
  const consents: Record<string, boolean> = {};
  const watchers: { update(manager: unknown, what: string): void }[] = [];
  const manager = {
    confirmed: false,
    getConsent: (name: string) => consents[name] || false,
    watch: (watcher: (typeof watchers)[0]) => void watchers.push(watcher),
    tick(name: string, value: boolean) {
      consents[name] = value;
      for (const watcher of watchers) watcher.update(manager, "consents");
    },
    save() {
      manager.confirmed = true;
      for (const watcher of watchers) watcher.update(manager, "saveConsents");
    },
  };
  return manager;
}

test("what is saved in Klaro is the answer, and what is only ticked is none", () => {
  open();
  const { consent } = begin();
  const manager = klaro();
  followKlaro(manager, consent, { analytics: "google-analytics" });
  manager.tick("google-analytics", true);
  assert.equal(consent.shouldAsk(), true);
  manager.save();
  assert.deepEqual([consent.hasConsent("analytics"), consent.hasConsent("marketing"), consent.shouldAsk()], [true, false, false]);
  manager.tick("google-analytics", false);
  manager.save();
  assert.equal(consent.hasConsent("analytics"), false);
});

test("the same answer again is told to nobody", () => {
  open();
  const { consent } = begin();
  const manager = klaro();
  manager.save();
  followKlaro(manager, consent);
  const first = consent.getConsent();
  manager.save();
  assert.equal(consent.getConsent(), first);
});
