// A stand-in for Stripe's Payment Element, in the sandbox alone: no card is asked for, one chooses what
// the bank does. What it pays with is the sandbox's control API.

import type { Outcome, Payments } from "../snippet/checkout";

/** How often Stripe's webhook comes for the next payment, and whether in any order. */
export const webhooks = { deliveries: 1, shuffle: false };

const WORDS = {
  pt: ["Simulação: nada é cobrado. O que faz o banco?", "Paga", "Recusa", "Pergunta primeiro (3-D Secure)", "Fica a tratar do pagamento"],
  en: ["Simulation: nothing is charged. What does the bank do?", "Pays", "Declines", "Asks first (3-D Secure)", "Takes its time"],
};
const OUTCOMES = ["succeeded", "declined", "3ds", "processing"];

/** Plays the customer's card. */
export function standIn(): Payments {
  let secret = "";
  let box: HTMLElement | undefined;
  return {
    async mount(place, client_secret, language) {
      [secret, box] = [client_secret, place];
      const [title, ...names] = /^pt/.test(language) ? WORDS.pt : WORDS.en;
      const fields = document.createElement("fieldset");
      const legend = document.createElement("legend");
      legend.textContent = title;
      const rows = names.map((name, at) => {
        const row = document.createElement("label");
        const radio = Object.assign(document.createElement("input"), { type: "radio", name: "bank", value: OUTCOMES[at], checked: !at });
        row.className = "box";
        row.append(radio, name);
        return row;
      });
      fields.append(legend, ...rows);
      place.replaceChildren(fields);
    },
    async confirm(return_to) {
      const outcome = box?.querySelector<HTMLInputElement>(":checked")?.value ?? "succeeded";
      if (outcome !== "3ds") return pay(secret, outcome);
      const bank = new URL("/bank.html", location.href);
      bank.search = `${new URLSearchParams({ return_to, payment_intent_client_secret: secret })}`;
      location.assign(bank);
      // The bank has the visitor now.
      return new Promise<Outcome>(() => {});
    },
    look,
  };
}

/** The payment intent that a client secret belongs to. */
export const intentOf = (secret: string): string => secret.split("_secret_")[0];

/** Lets the sandbox's customer pay. */
export async function pay(secret: string, outcome: string): Promise<Outcome> {
  const order = { payment_intent_id: intentOf(secret), outcome, ...webhooks };
  const reply = await fetch("/sandbox/pay", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(order) });
  // Somebody has paid it already, or it is gone: look.
  if (!reply.ok) return look(secret);
  return { state: outcome as Outcome["state"] };
}

async function look(secret: string): Promise<Outcome> {
  const reply = await fetch(`/sandbox/payments/${intentOf(secret)}`);
  const { status } = await reply.json();
  if (status === "succeeded" || status === "processing") return { state: status };
  return { state: status === "requires_payment_method" ? "declined" : "incomplete" };
}
