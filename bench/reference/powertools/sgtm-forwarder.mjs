// A queue with Powertools: partial batches, and each delivery made once by its effect.

import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { factKey, moved, tell } from "../shared/forward.js";
import { log } from "../shared/http.js";
import { dynamo, persistenceStore, secret, table } from "./aws.js";

const processor = new BatchProcessor(EventType.SQS);
const config = new IdempotencyConfig({ eventKeyJmesPath: "[effect, destination]", expiresAfterSeconds: 14 * 86400 });
await secret("SGTM_API_SECRET");

const forward = makeIdempotent(
  async (message) => {
    const { Item } = await dynamo.send(new GetItemCommand(factKey(message, table)));
    await tell(JSON.parse(Item.fact.S), await secret("SGTM_API_SECRET"));
    await dynamo.send(new UpdateItemCommand(moved(message, table, "queued", "delivered")));
    log({ message: "delivered", effect: message.effect });
    return null;
  },
  { persistenceStore, config },
);

export async function handler(batch, context) {
  config.registerLambdaContext(context);
  return processPartialResponse(batch, (record) => forward(JSON.parse(record.body)), processor, { context });
}
