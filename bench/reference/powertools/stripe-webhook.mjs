// Stripe's webhook with Powertools: the signature is checked, then the event is handled once by its id.

import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import Stripe from "stripe";
import { bodyOf, log, reply } from "../shared/http.js";
import { item } from "../shared/webhook.js";
import { dynamo, persistenceStore, secret, table } from "./aws.js";

const config = new IdempotencyConfig({ eventKeyJmesPath: "id", expiresAfterSeconds: 30 * 86400 });
await secret("STRIPE_WEBHOOK_SECRET");

const keep = makeIdempotent(
  async (event) => {
    await dynamo.send(new PutItemCommand({ TableName: table, Item: item(event) }));
    return { received: true };
  },
  { persistenceStore, config },
);

export async function handler(request, context) {
  config.registerLambdaContext(context);
  let event;
  try {
    event = Stripe.webhooks.constructEvent(
      bodyOf(request),
      request.headers["Stripe-Signature"],
      await secret("STRIPE_WEBHOOK_SECRET"),
    );
  } catch {
    return reply(400, { error: "signature" });
  }
  const answer = await keep(event);
  log({ message: "webhook", stripe_event_id: event.id });
  return reply(200, answer);
}
