// The table's stream, plain: for each fact its routing, its person, a delivery and a message for each
// destination, and the mark that it is done. Facts are worked together.

import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { deliveries, dispatched, messages, person, plan, routing } from "../shared/dispatch.js";
import { log } from "../shared/http.js";
import { dynamo, table } from "./aws.js";

const sqs = new SQSClient({});

export async function handler(batch) {
  await Promise.all(batch.Records.map((record) => dispatch(record.dynamodb.NewImage)));
  return null;
}

async function dispatch(image) {
  const decided = plan(image);
  await dynamo.send(new PutItemCommand(routing(decided, table)));
  await dynamo.send(new UpdateItemCommand(person(decided, table)));
  await Promise.all(deliveries(decided, table).map(open));
  await Promise.all(messages(decided).map((batch) => sqs.send(new SendMessageBatchCommand(batch))));
  await dynamo.send(new UpdateItemCommand(dispatched(decided, table)));
  log({ message: "dispatched", fact: decided.sk.S });
}

async function open(delivery) {
  try {
    await dynamo.send(new PutItemCommand({ ...delivery, ConditionExpression: "attribute_not_exists(pk)" }));
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
  }
}
