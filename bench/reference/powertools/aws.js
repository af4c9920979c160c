// What the handlers with Powertools share: the client, the secrets, and where idempotency is kept.

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { getParameter } from "@aws-lambda-powertools/parameters/ssm";

export const table = process.env.LEDGER_TABLE;
export const dynamo = new DynamoDBClient({});

export const persistenceStore = new DynamoDBPersistenceLayer({ tableName: "idempotency", awsSdkV3Client: dynamo });

export function secret(name) {
  return getParameter(`${process.env.SECRETS_PREFIX}/${name}`, { decrypt: true, maxAge: 900 });
}
