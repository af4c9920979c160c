// A checkout, plain: count the caller, price the order, ask Stripe, keep that it began, answer.

import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { bodyOf, counted, log, reply } from "../shared/http.js";
import { item, read } from "../shared/lead.js";
import { client, intent, price } from "../shared/stripe.js";
import { dynamo, secret, table } from "./aws.js";

const [key, catalogue] = await Promise.all([secret("STRIPE_SECRET_KEY"), secret("CATALOGUE").then(JSON.parse)]);
const stripe = client(key);

export async function handler(request) {
  try {
    await dynamo.send(new UpdateItemCommand(counted(table, "payment-intents", request, 10)));
  } catch {
    return reply(429, { error: "too many" });
  }
  const { said, wrong } = read(bodyOf(request));
  if (wrong) return reply(422, { error: wrong });
  const asked = price(catalogue, said);
  if (!asked) return reply(404, { error: "product_id" });
  const made = await intent(stripe, said, asked);
  await keep(said, made);
  log({ message: "checkout", event_id: said.event_id });
  const { id, client_secret, amount, currency } = made;
  return reply(200, { event_id: said.event_id, payment_intent_id: id, client_secret, amount, currency });
}

async function keep(said, made) {
  const Item = item("checkout_started", `checkout#${made.id}`, { ...said, payment_intent: made.id });
  try {
    await dynamo.send(new PutItemCommand({ TableName: table, Item, ConditionExpression: "attribute_not_exists(pk)" }));
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
  }
}
