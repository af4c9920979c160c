// What the page has in the sandbox alone: the stand-in for Stripe's fields, and the drawer.

import "../snippet/window";
import { openDrawer } from "./drawer";
import { standIn } from "./payments";

window.throughline_payments = standIn();
// Deferred scripts run before this: the snippet has started.
document.addEventListener("DOMContentLoaded", openDrawer);
