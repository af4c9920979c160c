// A stand-in for Google's tag, in the sandbox alone. Like the real one it is loaded once something is
// allowed, reads `dataLayer` from its beginning, obeys consent, and leaves the cookies that the snippet
// reads. It calls nobody.

interface Heard {
  commands: string[];
  events: Record<string, unknown>[];
}

declare global {
  interface Window {
    /** What the stand-in heard, in order. */
    sandbox_tags?: Heard;
  }
}

const heard: Heard = (window.sandbox_tags = { commands: [], events: [] });
let mayMeasure = false;

function hear(entry: unknown): void {
  const [command, kind, states] = Array.from((entry as ArrayLike<unknown>).length ? (entry as ArrayLike<unknown>) : []) as [string?, string?, Record<string, string>?];
  if (command === "consent") {
    heard.commands.push(`${kind}`);
    mayMeasure = states?.analytics_storage === "granted";
    if (mayMeasure) leaveCookies();
  } else {
    const event = entry as Record<string, unknown>;
    if (mayMeasure || event.event === "gtm.js") heard.events.push(event);
  }
}

/** As Google's tag does: a client for two years, a session for this visit. */
function leaveCookies(): void {
  if (/\b_ga=/.test(document.cookie)) return;
  const now = Math.floor(Date.now() / 1000);
  const client = Math.floor(Math.random() * 2 ** 31);
  document.cookie = `_ga=GA1.1.${client}.${now}; path=/; max-age=63072000; samesite=lax`;
  document.cookie = `_ga_LOCAL00000=GS2.1.s${now}$o1$g0$t${now}$j60$l0$h0; path=/; max-age=63072000; samesite=lax`;
}

const layer = (window.dataLayer ||= []);
const push = layer.push.bind(layer);
layer.forEach(hear);
layer.push = (...entries: unknown[]) => {
  entries.forEach(hear);
  return push(...entries);
};

export {};
