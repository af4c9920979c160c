// Signs bodies as Stripe does, with Stripe's own library: JSON in, JSON out.
const Stripe = require("stripe");
const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const { webhooks } = new Stripe("sk_test_unused");
const headers = asked.payloads.map((payload) =>
  webhooks.generateTestHeaderString({ payload, secret: asked.secret }),
);
process.stdout.write(JSON.stringify({ headers, version: Stripe.PACKAGE_VERSION }));
