// A page in a DOM without a browser, and a server that plays the API and remembers what it was told.

import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Window } from "happy-dom";
import type { Options, Throughline } from "../../snippet/start";
import { start } from "../../snippet/start";

/** What a server was told, and what it shall answer next instead of 202. */
export interface Api {
  url: string;
  told: { path: string; body: Record<string, any> }[];
  next: ({ status: number; body?: object } | "hang up")[];
  close(): void;
}

export async function api(): Promise<Api> {
  const told: Api["told"] = [];
  const next: Api["next"] = [];
  const server: Server = createServer(async (request, reply) => {
    let text = "";
    for await (const piece of request) text += piece;
    const answer = next.shift() ?? { status: 202, body: { status: "accepted" } };
    told.push({ path: request.url ?? "", body: JSON.parse(text) });
    if (answer === "hang up") return void request.socket.destroy();
    reply.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, told, next, close: () => void (server.closeAllConnections(), server.close()) };
}

const NAMES = [
  "window", "document", "location", "history", "localStorage", "sessionStorage", "navigator", "CustomEvent", "Event",
  "FormData", "addEventListener", "removeEventListener", "HTMLDialogElement", "CSSStyleSheet", "HTMLElement",
];

/** What a browser keeps from one page to the next. */
export interface Kept {
  local?: Record<string, string>;
  session?: Record<string, string>;
  cookie?: string;
}

/** Opens a page and makes it the world's. */
export function open(url = "https://www.example.pt/", html = "", kept: Kept = {}): Window {
  const page = new Window({ url, settings: { disableErrorCapturing: true } });
  page.document.documentElement.lang = "pt-PT";
  page.document.body.innerHTML = html;
  for (const [key, value] of Object.entries(kept.local ?? {})) page.localStorage.setItem(key, value);
  for (const [key, value] of Object.entries(kept.session ?? {})) page.sessionStorage.setItem(key, value);
  for (const cookie of kept.cookie?.split("; ") ?? []) page.document.cookie = `${cookie}; path=/`;
  for (const name of NAMES) {
    const value = name === "window" ? page : (page as any)[name];
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: typeof value === "function" && /^(add|remove)/.test(name) ? value.bind(page) : value });
  }
  return page;
}

/** What the next page of the same tab finds. */
export const kept = (page: Window): Kept => ({
  local: { ...page.localStorage } as unknown as Record<string, string>,
  session: { ...page.sessionStorage } as unknown as Record<string, string>,
  cookie: page.document.cookie,
});

export const begin = (options: Partial<Options> = {}): Throughline => start({ api: "http://127.0.0.1:9", ...options });

/** Waits for something to become so. */
export async function until(what: string, so: () => unknown, patience = 8000): Promise<void> {
  for (const begun = Date.now(); !so(); await new Promise((resolve) => setTimeout(resolve, 5)))
    if (Date.now() - begun > patience) throw new Error(`never came to be: ${what}`);
}

/** The events in `dataLayer`, and the commands to Google's tags as [name, kind]. */
export const layer = (): any[] => (window.dataLayer ?? []).map((entry: any) => (entry.event ? entry : [entry[0], entry[1], entry[2]]));
