// The table's stream with Powertools: partial batches, and each fact handled once by its key.

import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { deliveries, dispatched, messages, person, plan, routing } from "../shared/dispatch.js";
import { log } from "../shared/http.js";
import { dynamo, persistenceStore, table } from "./aws.js";

const sqs = new SQSClient({});
const processor = new BatchProcessor(EventType.DynamoDBStreams);
const config = new IdempotencyConfig({ eventKeyJmesPath: "[pk.S, sk.S]", expiresAfterSeconds: 86400 });

const dispatch = makeIdempotent(
  async (image) => {
    const decided = plan(image);
    await dynamo.send(new PutItemCommand(routing(decided, table)));
    await dynamo.send(new UpdateItemCommand(person(decided, table)));
    await Promise.all(deliveries(decided, table).map((put) => dynamo.send(new PutItemCommand(put))));
    await Promise.all(messages(decided).map((batch) => sqs.send(new SendMessageBatchCommand(batch))));
    await dynamo.send(new UpdateItemCommand(dispatched(decided, table)));
    log({ message: "dispatched", fact: decided.sk.S });
    return null;
  },
  { persistenceStore, config },
);

export async function handler(batch, context) {
  config.registerLambdaContext(context);
  return processPartialResponse(batch, (record) => dispatch(record.dynamodb.NewImage), processor, { context });
}
