// What both webhooks share: how an event of Stripe's becomes an item, and what is answered.

export function item(event) {
  const intent = event.data.object;
  const metadata = intent.metadata ?? {};
  const fact = {
    id: event.id,
    type: event.type,
    created: event.created,
    livemode: event.livemode,
    payment_intent: intent.id,
    amount: intent.amount,
    currency: intent.currency,
    charge: intent.latest_charge,
    metadata,
  };
  return {
    pk: { S: `JOURNEY#${metadata.event_id}` },
    sk: { S: `FACT#stripe#${event.id}` },
    fact: { S: JSON.stringify(fact) },
    kind: { S: event.type },
    expires_at: { N: String(Math.floor(Date.now() / 1000) + 730 * 86400) },
  };
}

export function bodyOf(request) {
  return request.isBase64Encoded ? Buffer.from(request.body, "base64") : request.body;
}

export function reply(statusCode, body) {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

export function log(fields) {
  console.log(JSON.stringify({ level: "INFO", timestamp: new Date().toISOString(), ...fields }));
}
