// The question: a region at the edge of the page that moves nothing, with two answers of equal weight.
// Styled through the CSSOM, which a strict Content-Security-Policy allows.

import type { Purpose } from "./consent";
import type { Part } from "./start";

const WORDS = {
  "pt-PT": {
    title: "A sua privacidade",
    text: "Com a sua autorização medimos as visitas, mostramos publicidade adequada e guardamos preferências. Pode mudar de ideias quando quiser.",
    accept: "Aceitar tudo",
    refuse: "Recusar tudo",
    choose: "Escolher",
    save: "Guardar escolha",
    necessary: "Necessário (sempre ativo)",
    analytics: "Medição de visitas",
    marketing: "Novidades e publicidade",
    preferences: "Preferências",
    policy: "Política de privacidade",
  },
  en: {
    title: "Your privacy",
    text: "With your permission we measure visits, show fitting advertising and remember preferences. You can change your mind at any time.",
    accept: "Accept all",
    refuse: "Refuse all",
    choose: "Choose",
    save: "Save choice",
    necessary: "Necessary (always on)",
    analytics: "Measurement of visits",
    marketing: "News and advertising",
    preferences: "Preferences",
    policy: "Privacy policy",
  },
};

const STYLE = `.throughline-banner{--back:#fff;--front:#1b1b1b;position:fixed;inset:auto 0 0;z-index:2147483000;margin:0 auto;max-width:44rem;max-height:85vh;overflow:auto;box-sizing:border-box;padding:1rem 1.25rem;border:1px solid;border-radius:.6rem .6rem 0 0;background:var(--back);color:var(--front);font:1rem/1.45 system-ui,sans-serif;animation:throughline-in .2s}
.throughline-banner h2{margin:0 0 .3rem;font-size:1.1rem}
.throughline-banner p{margin:0 0 .7rem}
.throughline-banner a{color:inherit}
.throughline-banner div{display:flex;flex-wrap:wrap;gap:.6rem}
.throughline-banner button{flex:1 1 8rem;min-height:2.75rem;padding:.5rem .9rem;border:2px solid var(--front);border-radius:.4rem;background:var(--back);color:var(--front);font:inherit;font-weight:600;cursor:pointer}
.throughline-banner fieldset{margin:0 0 .7rem;padding:0;border:0}
.throughline-banner label{display:flex;gap:.6rem;align-items:center;min-height:2.2rem}
.throughline-banner input{width:1.25rem;height:1.25rem;margin:0}
.throughline-banner :focus-visible{outline:3px solid #1a66d6;outline-offset:2px}
.throughline-banner [hidden]{display:none}
@keyframes throughline-in{from{opacity:0}}
@media(prefers-color-scheme:dark){.throughline-banner{--back:#1b1b1b;--front:#f5f5f5}.throughline-banner :focus-visible{outline-color:#8ab8ff}}
@media(prefers-reduced-motion){.throughline-banner{animation:none}}`;

const PURPOSES: readonly Purpose[] = ["analytics", "marketing", "preferences"];

/** What a site may say about the banner. */
export interface BannerOptions {
  /** Whether the page waits for the answer. */
  modal?: boolean;
  /** The address of the privacy policy. */
  policy?: string;
}

/** Asks where there is no answer, and again whenever somebody presses `data-throughline-preferences`. */
export const banner = ({ modal, policy }: BannerOptions = {}): Part => ({ consent, language }) => {
  const words = WORDS[language];
  const asks = document.createElement(modal ? "dialog" : "section");
  let before: Element | null = null;

  const button = (name: string, press: () => void) => {
    const made = element("button", { type: "button", textContent: name });
    made.addEventListener("click", press);
    return made;
  };
  const boxes = PURPOSES.map((purpose) => element("input", { type: "checkbox", name: purpose }));
  const rows = boxes.map((box) => element("label", {}, box, words[box.name as Purpose]));
  const always = element("input", { type: "checkbox", checked: true, disabled: true });
  const details = element("fieldset", { hidden: true }, element("label", {}, always, words.necessary), ...rows);
  const answer = (allowed: (box: HTMLInputElement) => boolean) => {
    consent.setConsent(Object.fromEntries(boxes.map((box) => [box.name, allowed(box)])));
    close();
  };
  const choose = button(words.choose, () => (details.hidden ? unfold() : answer((box) => box.checked)));
  const title = element("h2", { textContent: words.title, id: "throughline-banner-title", tabIndex: -1 });
  asks.className = "throughline-banner";
  asks.setAttribute("aria-labelledby", title.id);
  asks.append(
    title,
    element("p", { textContent: `${words.text} ` }, ...(policy ? [element("a", { href: policy, textContent: words.policy })] : [])),
    details,
    element("div", {}, button(words.refuse, () => answer(() => false)), button(words.accept, () => answer(() => true)), choose),
  );

  function unfold(): void {
    for (const box of boxes) box.checked = consent.hasConsent(box.name as Purpose);
    details.hidden = false;
    choose.textContent = words.save;
    boxes[0].focus();
  }

  function open(): void {
    if (asks.isConnected) return;
    // First in the document: the first thing that a keyboard reaches.
    document.body.prepend(asks);
    if (asks instanceof HTMLDialogElement) asks.showModal();
    // What takes the focus underneath is scrolled clear of it.
    document.documentElement.style.scrollPaddingBottom = `${asks.offsetHeight}px`;
  }

  function close(): void {
    asks.remove();
    details.hidden = true;
    choose.textContent = words.choose;
    document.documentElement.style.scrollPaddingBottom = "";
    (before as HTMLElement | null)?.focus();
    before = null;
  }

  // Escape leaves a question that waits: nothing is allowed, and it comes again with the next page.
  asks.addEventListener("close", close);
  const style = new CSSStyleSheet();
  style.replaceSync(STYLE);
  document.adoptedStyleSheets.push(style);
  document.addEventListener("click", (event) => {
    const pressed = (event.target as Element).closest?.("[data-throughline-preferences]");
    if (!pressed) return;
    event.preventDefault();
    before = pressed;
    open();
    unfold();
    title.focus();
  });
  document.addEventListener("consent_update", () => (consent.shouldAsk() ? open() : before || close()));
};

/** An element with its properties and what is in it. */
function element<K extends keyof HTMLElementTagNameMap>(
  kind: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...inside);
  return made;
}
