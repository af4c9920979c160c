// The `<script>` build with checkout and banner. Payments are Stripe's with `data-stripe-key`; a page
// may register another taker of cards at `throughline_payments` before this script starts.

import { banner } from "./banner";
import { checkout } from "./checkout";
import { fromScript } from "./script";
import { stripe } from "./stripe";
import "./window";

fromScript(({ stripeKey, banner: kind, policy }) => {
  const payments = stripeKey ? stripe(stripeKey) : undefined;
  const taker = checkout(() => payments ?? window.throughline_payments);
  return kind === "none" ? [taker] : [banner({ modal: kind === "modal", policy }), taker];
});
