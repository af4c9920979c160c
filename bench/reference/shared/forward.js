// What both forwarders share: the delivery's item, and the call to the tagging server.

export function keyOf(message) {
  return { pk: { S: message.pk }, sk: { S: `DELIVERY#${message.effect}#${message.destination}` } };
}

export function moved(message, table, from, to) {
  return {
    TableName: table,
    Key: keyOf(message),
    UpdateExpression: "SET #state = :to, changed_at = :now",
    ConditionExpression: "#state = :from",
    ExpressionAttributeNames: { "#state": "state" },
    ExpressionAttributeValues: {
      ":to": { S: to },
      ":from": { S: from },
      ":now": { S: new Date().toISOString() },
    },
  };
}

export function factKey(message, table) {
  return { TableName: table, Key: { pk: { S: message.pk }, sk: { S: message.fact } }, ConsistentRead: true };
}

export async function tell(fact, apiSecret) {
  const url = new URL(process.env.SGTM_ENDPOINT);
  url.searchParams.set("measurement_id", process.env.SGTM_MEASUREMENT_ID);
  url.searchParams.set("api_secret", apiSecret);
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_id: fact.metadata.client_id,
      timestamp_micros: fact.created * 1_000_000,
      events: [
        {
          name: "purchase",
          params: {
            transaction_id: fact.payment_intent,
            value: fact.amount / 100,
            currency: fact.currency.toUpperCase(),
            session_id: fact.metadata.ga_session_id,
            event_id: fact.metadata.event_id,
          },
        },
      ],
    }),
    signal: AbortSignal.timeout(5000),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the tagging server answered ${answer.status}`);
}
