// What the `<script>` builds leave at `window`, and look for there.

import type { Payments } from "./checkout";
import type { Throughline } from "./start";

declare global {
  interface Window {
    /** What a page works with. */
    throughline?: Throughline;
    /** Another taker of cards than Stripe, set before the script starts. */
    throughline_payments?: Payments;
  }
}
