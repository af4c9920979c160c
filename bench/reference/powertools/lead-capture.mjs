// A lead with Powertools: count the caller, check what is said, keep it once by its id.

import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { bodyOf, counted, log, reply } from "../shared/http.js";
import { item, read } from "../shared/lead.js";
import { dynamo, persistenceStore, table } from "./aws.js";

const config = new IdempotencyConfig({ eventKeyJmesPath: "[event_id, revision]", expiresAfterSeconds: 30 * 86400 });

const keep = makeIdempotent(
  async (said) => {
    const Item = item("lead_captured", `lead#${said.revision}`, said);
    await dynamo.send(new PutItemCommand({ TableName: table, Item }));
    return { event_id: said.event_id, status: "accepted" };
  },
  { persistenceStore, config },
);

export async function handler(request, context) {
  config.registerLambdaContext(context);
  try {
    await dynamo.send(new UpdateItemCommand(counted(table, "leads", request, 100)));
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return reply(429, { error: "too many" });
    log({ message: "the caller could not be counted" });
  }
  const { said, wrong } = read(bodyOf(request));
  if (wrong) return reply(422, { error: wrong });
  const answer = await keep(said);
  log({ message: "lead", event_id: said.event_id });
  return reply(202, answer);
}
