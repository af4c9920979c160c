// What every handler at the edge shares: the body, the answer, one log line.

export function bodyOf(request) {
  return request.isBase64Encoded ? Buffer.from(request.body, "base64") : request.body;
}

export function reply(statusCode, body) {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

export function log(fields) {
  console.log(JSON.stringify({ level: "INFO", timestamp: new Date().toISOString(), ...fields }));
}

export function retention() {
  return String(Math.floor(Date.now() / 1000) + 730 * 86400);
}

// One conditional counter for each address and minute.
export function counted(table, route, request, most) {
  const minute = Math.floor(Date.now() / 60000);
  return {
    TableName: table,
    Key: { pk: { S: `RATE#${route}#${request.requestContext.identity.sourceIp}#${minute}` }, sk: { S: "-" } },
    UpdateExpression: "ADD calls :one SET expires_at = :until",
    ConditionExpression: "attribute_not_exists(calls) OR calls < :most",
    ExpressionAttributeValues: {
      ":one": { N: "1" },
      ":most": { N: String(most) },
      ":until": { N: String((minute + 2) * 60) },
    },
  };
}
