// One journey's ids. In memory until the visitor submits something; from then on in sessionStorage,
// because a journey that was begun must survive a bank's redirect. Holds no personal data.

import { read, write } from "./store";

/** What every call and every event of one journey carries. */
export interface Ids {
  /** The journey. */
  event_id: string;
  /** The browser session: the same for every journey of one tab. */
  user_session_id: string;
}

/** What is remembered of a journey that was begun. */
export interface Notes {
  /** When it came to be, by the visitor's clock. */
  created_at: string;
  /** How often the form was sent with other words in it; 1 is the lead. */
  revision: number;
  /** A digest of the form as it was sent last. */
  sent?: string;
  /** Whether that was accepted. */
  accepted?: boolean;
  /** The time of the consent that the server heard of last. */
  told?: string;
  /** What is being paid, in the currency's smallest unit: known again after a bank's redirect. */
  order?: { amount: number; currency: string };
  /** It ended in a payment: the next form begins another journey. */
  paid?: boolean;
}

/** The journey of this tab. */
export interface Journey {
  /** Its ids, as they are now. */
  ids(): Ids;
  /** What is remembered of it. */
  notes(): Readonly<Notes>;
  /** Whether the visitor has submitted something. */
  begun(): boolean;
  /** Remembers. This is what begins a journey. */
  note(notes: Partial<Notes>): void;
  /** Begins another journey of the same session where the last one ended in a payment. */
  renew(): void;
}

/** Takes up the journey that this tab has begun, or else makes one up in memory. */
export function openJourney(): Journey {
  const kept = read<[Ids, Notes]>("sessionStorage", "journey");
  let begun = !!kept;
  let [ids, notes] = kept || fresh();
  return {
    ids: () => ids,
    notes: () => notes,
    begun: () => begun,
    note(more) {
      begun = true;
      notes = { ...notes, ...more };
      write("sessionStorage", "journey", [ids, notes]);
    },
    renew() {
      if (notes.paid) {
        [ids, notes] = fresh(ids.user_session_id);
        write("sessionStorage", "journey", (begun = false));
      }
    },
  };
}

const fresh = (user_session_id: string = crypto.randomUUID()): [Ids, Notes] => [
  { event_id: crypto.randomUUID(), user_session_id },
  { created_at: new Date().toISOString(), revision: 1 },
];
