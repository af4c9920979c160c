// `data-throughline-checkout`: the payment, every state of it in plain words. The amount comes from
// the server; the card's data never come near this file.

import { post } from "./call";
import { type Returned, permitted } from "./clean";
import { type Person, about } from "./forms";
import { type Price, inUnits, written } from "./money";
import type { Part, Throughline } from "./start";

/** What came of a payment, or of the attempt. */
export interface Outcome {
  state: "succeeded" | "processing" | "declined" | "incomplete" | "lost";
  /** The provider's own words to the buyer, in the buyer's language. */
  message?: string;
}

/** Whoever takes the card's data: Stripe's Payment Element, or a stand-in. */
export interface Payments {
  /** Shows the fields for a card in a box. */
  mount(box: HTMLElement, secret: string, language: string): Promise<void>;
  /** Pays. A bank may take the visitor away, and brings them back to this address. */
  confirm(returnTo: string): Promise<Outcome>;
  /** Looks what became of a payment. */
  look(secret: string): Promise<Outcome>;
}

/** What the server answers to a checkout. */
interface Payable extends Price {
  payment_intent_id: string;
  client_secret: string;
}

declare global {
  interface HTMLElementEventMap {
    /** The payment's state changed. */
    "throughline:payment": CustomEvent<{ state: string; payment_intent_id: string }>;
  }
}

const WORDS = {
  "pt-PT": {
    pay: "Pagar",
    preparing: "A preparar o pagamento…",
    ready: "Escolha como quer pagar.",
    paying: "A processar o pagamento. Não feche a página.",
    succeeded: "Pagamento recebido. Obrigado! Enviámos o recibo por e-mail.",
    processing: "O seu banco está a tratar do pagamento. Avisamos por e-mail assim que terminar; não precisa de pagar outra vez.",
    declined: "O pagamento foi recusado e nada foi cobrado. Tente outro cartão.",
    incomplete: "Complete os dados de pagamento.",
    lost: "A ligação perdeu-se. Verifique a ligação e tente outra vez; não será cobrado duas vezes.",
    waiting: "A ligação falhou. Tentamos outra vez.",
    unavailable: "O pagamento não está disponível neste momento. Nada foi cobrado. Tente mais tarde.",
    many: "Houve demasiadas tentativas. Nada foi cobrado. Tente mais tarde.",
    again: "Tentar outra vez",
  },
  en: {
    pay: "Pay",
    preparing: "Preparing the payment…",
    ready: "Choose how to pay.",
    paying: "Paying. Keep this page open.",
    succeeded: "Payment received. Thank you! The receipt is in your e-mail.",
    processing: "Your bank is working on the payment. We write to you as soon as it is done; you need not pay again.",
    declined: "The payment was declined and nothing was charged. Try another card.",
    incomplete: "Complete the payment details.",
    lost: "The connection was lost. Check it and try again; you will not be charged twice.",
    waiting: "The connection failed. We are trying again.",
    unavailable: "Payment is not available right now. Nothing was charged. Try later.",
    many: "There were too many attempts. Nothing was charged. Try later.",
    again: "Try again",
  },
};

/** Wires the page's checkout to whoever takes the card's data. */
export const checkout = (payments: () => Payments | undefined): Part => (throughline) => {
  const place = document.querySelector<HTMLElement>("[data-throughline-checkout]");
  if (place) new Checkout(place, payments, throughline).begin();
};

class Checkout {
  private readonly words: typeof WORDS.en;
  private readonly box = document.createElement("div");
  private readonly button = document.createElement("button");
  private readonly status = document.createElement("p");
  private payable?: Payable;
  private action?: () => Promise<void>;

  constructor(
    private readonly place: HTMLElement,
    private readonly payments: () => Payments | undefined,
    private readonly page: Throughline,
  ) {
    this.words = WORDS[page.language];
    this.button.type = "button";
    this.button.hidden = true;
    this.status.role = "status";
    this.status.tabIndex = -1;
    this.button.addEventListener("click", () => this.once());
  }

  begin(): void {
    const { returned } = this.page;
    if (returned) {
      this.show();
      this.say("paying");
      this.offer(() => this.comeBack(returned));
      void this.once();
    }
    document.addEventListener("throughline:accepted", (event) => {
      const person = (event as CustomEvent<Person>).detail;
      this.show();
      this.offer(() => this.open(person));
      void this.once();
    });
  }

  /** What the button does next, under which name. */
  private offer(action: () => Promise<void>, name = this.words.again): void {
    this.action = action;
    this.button.textContent = name;
  }

  /** One thing at a time, however often the button is pressed. */
  private async once(): Promise<void> {
    const { action } = this;
    if (!action || this.place.ariaBusy) return;
    this.place.ariaBusy = "true";
    this.button.setAttribute("aria-disabled", "true");
    try {
      await action();
    } finally {
      this.place.ariaBusy = null;
      this.button.removeAttribute("aria-disabled");
    }
  }

  /** Back from a bank: says what it answered, and where it refused, offers the same payment again. */
  private async comeBack({ intent, secret }: Returned): Promise<void> {
    const { order } = this.page.journey.notes();
    const outcome = await this.look(secret);
    if (order && /declined|incomplete/.test(outcome.state)) {
      const payable = { payment_intent_id: intent, client_secret: secret, ...order };
      await this.mount(payable).catch(() => undefined);
      this.button.hidden = false;
    }
    this.settle(outcome, intent);
  }

  /** Shows the fields for a card, and the price on the button. */
  private async mount(payable: Payable): Promise<void> {
    this.box.replaceChildren();
    await this.payments()?.mount(this.box, payable.client_secret, this.page.language);
    this.offerToPay(payable);
    this.payable = payable;
  }

  private offerToPay(payable: Payable): void {
    this.offer(() => this.pay(payable), `${this.words.pay} ${written(payable, this.page.language)}`);
  }

  /** Starts a checkout. Whatever goes wrong in it, the visitor is told, and may try again. */
  private async open(person: Person): Promise<void> {
    this.say("preparing");
    try {
      await this.prepare(person);
    } catch {
      this.button.hidden = false;
      this.say("unavailable");
    }
  }

  /** Asks the server for the payment, and shows the fields for a card. */
  private async prepare(person: Person): Promise<void> {
    const { dataset } = this.place;
    const payments = this.payments();
    const order = { product_id: dataset.product, quantity: Number(dataset.quantity) || 1 };
    const said = await post(`${this.page.api}/payment-intents`, { ...about(this.page, person), ...order }, () => this.say("waiting"), 4);
    this.button.hidden = false;
    const payable = said.body as unknown as Payable;
    if (said.status !== 200 || !payments) return this.say(said.status === 429 ? "many" : said.status ? "unavailable" : "lost");
    const { amount, currency } = payable;
    if (payable.client_secret === this.payable?.client_secret) this.offerToPay(payable);
    else {
      await this.mount(payable);
      this.page.journey.note({ order: { amount, currency } });
      this.page.tracker.track("begin_checkout", { ...this.measured(payable), ...order });
    }
    this.say("ready");
    this.status.focus();
    this.tell("ready", payable.payment_intent_id);
  }

  private async pay(payable: Payable): Promise<void> {
    this.say("paying");
    const payments = this.payments() as Payments;
    const returnTo = permitted(this.page.consent, location.href.split("#")[0]);
    let outcome = await payments.confirm(returnTo).catch((): Outcome => ({ state: "lost" }));
    // Nobody knows what a lost answer said: look, before anybody pays again.
    if (outcome.state === "lost") {
      const seen = await this.look(payable.client_secret);
      if (seen.state === "succeeded" || seen.state === "processing") outcome = seen;
    }
    this.settle(outcome, payable.payment_intent_id);
  }

  private async look(secret: string): Promise<Outcome> {
    const payments = this.payments();
    return (await payments?.look(secret).catch(() => undefined)) ?? { state: "lost" };
  }

  /** Shows what came of it, and leaves only what makes sense to do next. */
  private settle({ state, message }: Outcome, intent: string): void {
    const { journey, tracker } = this.page;
    const { order } = journey.notes();
    const paid = state === "succeeded" || state === "processing";
    this.say(state, message);
    this.status.focus();
    this.button.hidden = paid || (state !== "lost" && !this.payable);
    this.box.hidden = paid;
    if (paid) {
      this.action = undefined;
      if (state === "succeeded" && !journey.notes().paid)
        tracker.track("conversion", { transaction_id: intent, ...(order && this.measured(order)) });
      journey.note({ paid: true });
    }
    this.tell(state, intent);
    const { thanks } = this.place.dataset;
    if (paid && thanks) location.assign(thanks);
  }

  private measured(price: Price): { value: number; currency: string } {
    return { value: inUnits(price), currency: price.currency.toUpperCase() };
  }

  private say(state: Exclude<keyof typeof WORDS.en, "pay" | "again">, message?: string): void {
    this.place.dataset.state = state;
    this.status.textContent = message || this.words[state];
  }

  private tell(state: string, payment_intent_id: string): void {
    this.place.dispatchEvent(new CustomEvent("throughline:payment", { detail: { state, payment_intent_id }, bubbles: true }));
  }

  private show(): void {
    if (!this.box.isConnected) this.place.replaceChildren(this.status, this.box, this.button);
  }
}
