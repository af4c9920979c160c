// A lead, plain: count the caller, check what is said, keep it under its own id, answer.

import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { bodyOf, counted, log, reply } from "../shared/http.js";
import { item, read } from "../shared/lead.js";
import { dynamo, table } from "./aws.js";

export async function handler(request) {
  try {
    await dynamo.send(new UpdateItemCommand(counted(table, "leads", request, 100)));
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return reply(429, { error: "too many" });
    log({ message: "the caller could not be counted" });
  }
  const { said, wrong } = read(bodyOf(request));
  if (wrong) return reply(422, { error: wrong });
  const duplicate = await keep(said);
  log({ message: "lead", event_id: said.event_id, duplicate });
  return reply(202, { event_id: said.event_id, status: "accepted" });
}

async function keep(said) {
  const Item = item("lead_captured", `lead#${said.revision}`, said);
  try {
    await dynamo.send(new PutItemCommand({ TableName: table, Item, ConditionExpression: "attribute_not_exists(pk)" }));
    return false;
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return true;
    throw error;
  }
}
