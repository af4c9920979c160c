// `data-throughline-form`: a plain form that becomes a lead. Without this script it posts by itself;
// with it, faults are shown beside their fields, and a lost network costs neither the words nor the ids.

import type { Attribution } from "./attribution";
import { post } from "./call";
import type { Consent, Purpose } from "./consent";
import type { Journey } from "./journey";
import { type Tracker, digest } from "./tracker";

/** What a visitor says of themselves, as the API names it. */
export type Person = Record<string, string>;

/** The languages that the texts are in, by tags that `Intl`, Stripe and the API know. */
export type Language = "pt-PT" | "en";

/** What a form works with. */
export interface Parts {
  api: string;
  language: Language;
  consent: Consent;
  journey: Journey;
  attribution: Attribution;
  tracker: Tracker;
}

declare global {
  interface HTMLElementEventMap {
    /** A form's lead is kept by the server. */
    "throughline:accepted": CustomEvent<Person>;
  }
}

const WORDS = {
  "pt-PT": {
    missing: "Preencha este campo.",
    wrong: "Verifique este campo.",
    email: "Um e-mail é como nome@exemplo.pt.",
    sending: "A enviar…",
    waiting: "Sem ligação. Vamos tentar outra vez.",
    failed: "Não foi enviado. Tente outra vez.",
    sent: "Recebido. Obrigado!",
  },
  en: {
    missing: "Fill in this field.",
    wrong: "Check this field.",
    email: "An e-mail is like name@example.com.",
    sending: "Sending…",
    waiting: "No connection. We will try again.",
    failed: "Not sent. Try again.",
    sent: "Received. Thank you!",
  },
};

type Field = HTMLInputElement;

/** The body every call shares: who, where from, and what is allowed. */
export const about = ({ journey, consent, attribution, language }: Parts, person: Person): object => ({
  ...journey.ids(),
  language,
  ...attribution.context(),
  ...person,
  consent: consent.getConsent(),
});

/** Takes over one form. */
export function attach(form: HTMLFormElement, parts: Parts): void {
  const { api, consent, journey, tracker, language } = parts;
  const words = WORDS[language];
  // The last line of the form, unless the page has a place for it.
  const status = form.querySelector("[role=status]") || form.appendChild(Object.assign(document.createElement("p"), { role: "status" }));
  const boxes = [...form.querySelectorAll<Field>("[name^=consent_][type=checkbox]")];
  const purpose = (box: Field) => box.name.slice(8) as Purpose;
  form.noValidate = true;
  form.addEventListener("input", ({ target }) => show(target as Field, ""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy || !check(form, words)) return;
    form.ariaBusy = "true";
    await submit();
    form.ariaBusy = null;
  });
  // A box shows what is allowed already, and is an answer once the form is sent.
  document.addEventListener("consent_update", ({ detail }) => {
    if (detail) for (const box of boxes) box.checked = detail[purpose(box)];
  });

  const correct = () => journey.note({ revision: journey.notes().revision + 1, accepted: false });

  async function submit(): Promise<void> {
    const changed = boxes.filter((box) => box.checked !== consent.hasConsent(purpose(box)));
    if (changed[0]) consent.setConsent(Object.fromEntries(changed.map((box) => [purpose(box), box.checked])), "checkbox");
    journey.renew();
    // The fields that are the API's: not the boxes, and not what only a form without a script needs.
    const person = Object.fromEntries([...new FormData(form)].filter(([name]) => !/^consent_|^redirect/.test(name))) as Person;
    const sent = await digest(journey.ids().user_session_id + JSON.stringify(person));
    const before = journey.notes().sent;
    if (before && before !== sent) correct();
    journey.note({ sent });
    if (!journey.notes().accepted && !(await send(person))) return;
    status.textContent = words.sent;
    form.dispatchEvent(new CustomEvent("throughline:accepted", { detail: person, bubbles: true }));
  }

  async function send(person: Person): Promise<boolean> {
    status.textContent = words.sending;
    const told = consent.getConsent()?.timestamp;
    const tell = () => {
      const { revision, created_at } = journey.notes();
      const lead = { ...about(parts, person), revision, lead_created_at: created_at };
      return post(api + "/leads", lead, () => (status.textContent = words.waiting));
    };
    let said = await tell();
    if (/revision-conflict/.test(said.type)) {
      // An earlier attempt was kept, its answer lost, and something has changed since.
      correct();
      said = await tell();
    }
    const accepted = said.status === 202;
    status.textContent = words.failed;
    for (const { field } of said.body.errors || []) {
      const wrong = form.elements.namedItem(field) as Field | null;
      if (wrong) show(wrong, words.wrong).focus();
    }
    if (accepted) {
      journey.note({ accepted, told });
      tracker.track("form_submit", { form_id: form.id, revision: journey.notes().revision });
    }
    return accepted;
  }
}

/** Whether every field is filled in; if not, each says why and the first takes the focus. */
function check(form: HTMLFormElement, words: typeof WORDS.en): boolean {
  const wrong = ([...form.elements] as Field[]).filter((field) => field.willValidate && !field.validity.valid);
  for (const field of wrong) {
    const { valueMissing, typeMismatch } = field.validity;
    show(field, valueMissing ? words.missing : typeMismatch ? words.email : words.wrong);
  }
  wrong[0]?.focus();
  return !wrong[0];
}

/** Shows what is wrong with a field, or that nothing is. */
function show(field: Field, fault: string): Field {
  const id = field.name + "-fault";
  const note = document.getElementById(id) || Object.assign(document.createElement("p"), { id });
  note.textContent = fault;
  if (fault) field.after(note);
  field.ariaInvalid = fault && "true";
  field.setAttribute("aria-describedby", id);
  return field;
}
