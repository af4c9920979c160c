// What both dispatchers share: which destinations hear of a fact, the records and the messages.

import { retention } from "./http.js";

const destinations = [
  ["hubspot", "CRM_SYNC"],
  ["mailerlite", "ESP_SYNC"],
  ["sgtm", "SGTM_FORWARDER"],
  ["sendgrid", "NOTIFIER"],
  ["slack", "NOTIFIER"],
];

export function plan(image) {
  const fact = JSON.parse(image.fact.S);
  const consented = fact.metadata?.analytics_consent === "true";
  const to = destinations.filter(([name]) => name !== "sgtm" || consented);
  const effect = `payment_succeeded:${fact.payment_intent}`;
  return { pk: image.pk, sk: image.sk, fact, to, effect };
}

export function routing(plan, table) {
  return {
    TableName: table,
    Item: {
      pk: plan.pk,
      sk: { S: `ROUTE#${plan.sk.S}` },
      routes: { S: JSON.stringify(plan.to.map(([name]) => name)) },
      expires_at: { N: retention() },
    },
  };
}

export function person(plan, table) {
  return {
    TableName: table,
    Key: { pk: { S: `PERSON#${plan.fact.metadata.email}` }, sk: { S: plan.pk.S } },
    UpdateExpression: "SET seen_at = :now, expires_at = :until",
    ExpressionAttributeValues: { ":now": { S: new Date().toISOString() }, ":until": { N: retention() } },
  };
}

export function deliveries(plan, table) {
  return plan.to.map(([name]) => ({
    TableName: table,
    Item: {
      pk: plan.pk,
      sk: { S: `DELIVERY#${plan.effect}#${name}` },
      state: { S: "queued" },
      fact: plan.sk,
      queued_at: { S: new Date().toISOString() },
      expires_at: { N: retention() },
    },
  }));
}

// One batch for each queue.
export function messages(plan) {
  const byQueue = new Map();
  for (const [name, queue] of plan.to) {
    const url = process.env[`QUEUE_${queue}`];
    const entries = byQueue.get(url) ?? [];
    const body = { pk: plan.pk.S, fact: plan.sk.S, effect: plan.effect, destination: name };
    entries.push({ Id: String(entries.length), MessageBody: JSON.stringify(body) });
    byQueue.set(url, entries);
  }
  return [...byQueue].map(([QueueUrl, Entries]) => ({ QueueUrl, Entries }));
}

export function dispatched(plan, table) {
  return {
    TableName: table,
    Key: { pk: plan.pk, sk: plan.sk },
    UpdateExpression: "SET dispatched_at = :now",
    ConditionExpression: "attribute_exists(pk)",
    ExpressionAttributeValues: { ":now": { S: new Date().toISOString() } },
  };
}
