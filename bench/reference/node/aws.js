// What the plain handlers share: clients that are made once, and secrets that are read once.

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";

export const table = process.env.LEDGER_TABLE;
export const dynamo = new DynamoDBClient({});

export async function secret(name) {
  const ssm = new SSMClient({});
  const command = new GetParameterCommand({ Name: `${process.env.SECRETS_PREFIX}/${name}`, WithDecryption: true });
  return (await ssm.send(command)).Parameter.Value;
}
