// A checkout with Powertools: the same as the plain one, once for each journey and order.

import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { bodyOf, counted, log, reply } from "../shared/http.js";
import { item, read } from "../shared/lead.js";
import { client, intent, price } from "../shared/stripe.js";
import { dynamo, persistenceStore, secret, table } from "./aws.js";

const config = new IdempotencyConfig({ eventKeyJmesPath: "[event_id, product_id, quantity]" });
const [key, catalogue] = await Promise.all([secret("STRIPE_SECRET_KEY"), secret("CATALOGUE").then(JSON.parse)]);
const stripe = client(key);

const begin = makeIdempotent(
  async (said) => {
    const made = await intent(stripe, said, price(catalogue, said));
    const Item = item("checkout_started", `checkout#${made.id}`, { ...said, payment_intent: made.id });
    await dynamo.send(new PutItemCommand({ TableName: table, Item }));
    const { id, client_secret, amount, currency } = made;
    return { event_id: said.event_id, payment_intent_id: id, client_secret, amount, currency };
  },
  { persistenceStore, config },
);

export async function handler(request, context) {
  config.registerLambdaContext(context);
  try {
    await dynamo.send(new UpdateItemCommand(counted(table, "payment-intents", request, 10)));
  } catch {
    return reply(429, { error: "too many" });
  }
  const { said, wrong } = read(bodyOf(request));
  if (wrong) return reply(422, { error: wrong });
  if (!price(catalogue, said)) return reply(404, { error: "product_id" });
  const answer = await begin(said);
  log({ message: "checkout", event_id: said.event_id });
  return reply(200, answer);
}
