// Stripe's Payment Element, the only file that knows Stripe.js. Not run here: it was written by
// Stripe's documents, without an account. The tests drive the stand-in of `web/page/payments.ts`.
// https://docs.stripe.com/js/payment_intents/confirm_payment

import type { Outcome, Payments } from "./checkout";

/** Always from Stripe itself, as Stripe asks. https://docs.stripe.com/js/including */
const ADDRESS = "https://js.stripe.com/clover/stripe.js";

interface Intent {
  status: string;
}

interface Fault {
  type: string;
  message?: string;
}

interface Answer {
  paymentIntent?: Intent;
  error?: Fault;
}

interface StripeJs {
  elements(options: { clientSecret: string; locale: string }): StripeElements;
  confirmPayment(options: object): Promise<Answer>;
  retrievePaymentIntent(secret: string): Promise<Answer>;
}

interface StripeElements {
  create(kind: "payment"): { mount(box: HTMLElement): void };
}

/** Stripe, for a publishable key. Nothing is loaded before the visitor wants to pay. */
export function stripe(key: string): Payments {
  let loading: Promise<StripeJs> | undefined;
  let elements: StripeElements | undefined;
  const loaded = () => {
    loading ??= load().then((make) => make(key));
    // A script that was blocked once may come through later.
    loading.catch(() => (loading = undefined));
    return loading;
  };
  return {
    async mount(box, clientSecret, locale) {
      elements = (await loaded()).elements({ clientSecret, locale });
      elements.create("payment").mount(box);
    },
    async confirm(return_url) {
      return outcome(await (await loaded()).confirmPayment({ elements, confirmParams: { return_url }, redirect: "if_required" }));
    },
    async look(secret) {
      return outcome(await (await loaded()).retrievePaymentIntent(secret));
    },
  };
}

function load(): Promise<(key: string) => StripeJs> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = ADDRESS;
    script.onload = () => resolve((window as unknown as { Stripe: (key: string) => StripeJs }).Stripe);
    script.onerror = reject;
    document.head.append(script);
  });
}

function outcome({ paymentIntent, error }: Answer): Outcome {
  if (error) {
    const state = error.type === "api_connection_error" ? "lost" : error.type === "validation_error" ? "incomplete" : "declined";
    return { state, message: state === "lost" ? undefined : error.message };
  }
  switch (paymentIntent?.status) {
    case "succeeded":
    case "processing":
      return { state: paymentIntent.status };
    case "requires_payment_method":
      return { state: "declined" };
    default:
      return { state: "incomplete" };
  }
}
