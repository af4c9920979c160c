// A stand-in for a bank's 3-D Secure page, in the sandbox alone: pays or declines, and sends the
// visitor back with the parameters that Stripe's redirect has.

import { intentOf, pay } from "./payments";

const given = new URLSearchParams(location.search);
const secret = given.get("payment_intent_client_secret") ?? "";
const back = new URL(given.get("return_to") ?? "/", location.href);

for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", async () => {
    const { state } = await pay(secret, button.value);
    if (back.origin !== location.origin) return;
    back.searchParams.set("payment_intent", intentOf(secret));
    back.searchParams.set("payment_intent_client_secret", secret);
    back.searchParams.set("redirect_status", state === "succeeded" ? "succeeded" : "failed");
    location.replace(back);
  });
}
