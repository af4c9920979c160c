// Takes people out of what is measured: e-mail addresses, telephone numbers and Stripe's secrets in
// any text or address, and whole fields by their names. Without marketing, the ids of clicks, too.

import type { Consent } from "./consent";

/** Fields about a person; an item's or a page's name is none. */
const PERSONAL = /^(?!item_|product_|page_).*(mail|phone|^tel|name$|address|morada|^nif|birth|password)/i;
/** Ids and times are made of digits, too. */
const DIGITS = /_id$|clid$|braid$|_at$|time/;
const EMAIL_OR_SECRET = /[^\s=&?#/;,<>"]+(@|%40)[^\s=&?#/;,<>"]+\.[^\s=&?#/;,<>"]+|\w+_secret_\w+/gi;
/** Nine to fifteen digits with what people write between them, and no letter, digit or dash beside. */
const PHONE = /(?<![\w-])(\+|%2b|00)?(\d([\s().-]|%20)*){9,15}(?![\w-])/gi;

/** An advertisement's click follows a person: its id needs consent to marketing. */
const CLICK = /clid$|braid$/;
/** Such parameters of an address, one or more in a row, with the marks before the first and behind the last. */
const CLICKS = /([?&#])([^\s=&?#]*(clk?id|braid|sccid|fat_id)=[^\s&#]*(&?))+/gi;

/** A text without people in it. */
export const cleanText = (text: string, field = ""): string => {
  const clean = text.replace(EMAIL_OR_SECRET, "redacted");
  return DIGITS.test(field) ? clean : clean.replace(PHONE, "redacted");
};

/** A value without people in it, at any depth: fields go by their names, and texts are changed. */
export const clean = (value: unknown, field?: string, names = PERSONAL, change = cleanText): unknown => {
  if (Array.isArray(value)) return value.map((each) => clean(each, field, names, change));
  if (value instanceof Object)
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, each]) => (names.test(name) ? [] : [[name, clean(each, name, names, change)]])),
    );
  const text = change("" + value, field);
  return text === "" + value ? value : text;
};

/** What may leave the page: without marketing no field and no address of it holds a click's id. */
export const permitted = <T>(consent: Consent, value: T): T =>
  consent.hasConsent("marketing") ? value : (clean(value, "", CLICK, withoutClicks) as T);

const withoutClicks = (text: string) => text.replace(CLICKS, (_, before, _last, _name, behind) => behind && before);

/** What Stripe's return put into the address. */
export interface Returned {
  /** The payment intent. */
  intent: string;
  /** What it is looked up with. */
  secret: string;
}

/** Takes Stripe's parameters out of the address, before anybody can read it, and hands them over. */
export function takeReturn(): Returned | undefined {
  const address = new URL(location.href);
  const given = address.searchParams;
  const secret = given.get("payment_intent_client_secret");
  if (!secret) return;
  const intent = given.get("payment_intent") || "";
  for (const name of [...given.keys()]) if (/^payment_intent|^redirect_status/.test(name)) given.delete(name);
  history.replaceState(history.state, "", address);
  return { intent, secret };
}
