// Stripe's webhook, plain: check the signature, keep the event under its own id, answer.

import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import Stripe from "stripe";
import { bodyOf, log, reply } from "../shared/http.js";
import { item } from "../shared/webhook.js";
import { dynamo, secret, table } from "./aws.js";

const signingSecret = await secret("STRIPE_WEBHOOK_SECRET");

export async function handler(request) {
  let event;
  try {
    event = Stripe.webhooks.constructEvent(bodyOf(request), request.headers["Stripe-Signature"], signingSecret);
  } catch {
    return reply(400, { error: "signature" });
  }
  const duplicate = await keep(event);
  log({ message: "webhook", stripe_event_id: event.id, duplicate });
  return reply(200, { received: true, duplicate });
}

async function keep(event) {
  const put = { TableName: table, Item: item(event), ConditionExpression: "attribute_not_exists(pk)" };
  try {
    await dynamo.send(new PutItemCommand(put));
    return false;
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return true;
    throw error;
  }
}
