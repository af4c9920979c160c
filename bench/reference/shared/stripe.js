// What both checkouts share: Stripe's client, the catalogue's price, the intent.

import Stripe from "stripe";

export function client(key) {
  const base = new URL(process.env.STRIPE_BASE_URL);
  const over = { host: base.hostname, port: Number(base.port), protocol: base.protocol.slice(0, -1) };
  return { stripe: new Stripe(key, { ...over, telemetry: false, maxNetworkRetries: 2 }), prefix: base.pathname };
}

export function price(catalogue, said) {
  return catalogue.products.find((product) => product.id === said.product_id)?.price;
}

export function intent({ stripe }, said, price) {
  const { event_id, session_id, full_name, email, phone, language, context, product_id, quantity } = said;
  const params = {
    amount: price.amount * quantity,
    currency: price.currency.toLowerCase(),
    automatic_payment_methods: { enabled: true },
    metadata: { event_id, user_session_id: session_id, full_name, email, phone, language, product_id, quantity, ...context },
  };
  return stripe.paymentIntents.create(params, { idempotencyKey: `${event_id}:${product_id}:${quantity}` });
}
