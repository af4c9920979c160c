// What both lead captures share: what a page may say, and the item it becomes.

import { retention } from "./http.js";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const context = [
  "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "gclid", "gbraid", "wbraid",
  "fbclid", "referrer", "landing_page", "page_url", "client_id", "ga_session_id",
];

// The contact and its context, or the name of the first field that is wrong.
export function read(text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return { wrong: "body" };
  }
  if (!uuid.test(body.event_id)) return { wrong: "event_id" };
  if (!uuid.test(body.user_session_id)) return { wrong: "user_session_id" };
  if (!body.full_name?.trim()) return { wrong: "full_name" };
  if (!email.test(body.email ?? "")) return { wrong: "email" };
  const phone = String(body.phone ?? "").replace(/[^\d+]/g, "");
  if (!/^\+\d{8,15}$/.test(phone)) return { wrong: "phone" };
  const said = {
    event_id: body.event_id,
    session_id: body.user_session_id,
    revision: body.revision ?? 1,
    full_name: body.full_name.trim(),
    email: body.email.toLowerCase(),
    phone,
    language: body.language,
    consent: body.consent,
    product_id: body.product_id,
    quantity: body.quantity ?? 1,
    context: {},
  };
  for (const name of context) if (body[name]) said.context[name] = String(body[name]).slice(0, 500);
  return { said };
}

export function item(kind, source, said) {
  return {
    pk: { S: `JOURNEY#${said.event_id}` },
    sk: { S: `FACT#${source}` },
    fact: { S: JSON.stringify({ kind, recorded_at: new Date().toISOString(), ...said }) },
    kind: { S: kind },
    expires_at: { N: retention() },
  };
}
