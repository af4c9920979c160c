// A queue, plain: claim the delivery, read the fact, call the vendor, keep that it was told. The
// messages of a batch are worked together.

import { GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { factKey, moved, tell } from "../shared/forward.js";
import { log } from "../shared/http.js";
import { dynamo, secret, table } from "./aws.js";

const apiSecret = await secret("SGTM_API_SECRET");

export async function handler(batch) {
  const results = await Promise.allSettled(batch.Records.map((record) => forward(JSON.parse(record.body))));
  const failed = batch.Records.filter((_, at) => results[at].status === "rejected");
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

async function forward(message) {
  try {
    await dynamo.send(new UpdateItemCommand(moved(message, table, "queued", "calling")));
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return;
    throw error;
  }
  const { Item } = await dynamo.send(new GetItemCommand(factKey(message, table)));
  await tell(JSON.parse(Item.fact.S), apiSecret);
  await dynamo.send(new UpdateItemCommand(moved(message, table, "calling", "delivered")));
  log({ message: "delivered", effect: message.effect });
}
