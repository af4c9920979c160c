// What both webhooks share: how an event of Stripe's becomes an item.

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
