// Options out of `<script data-api="…" data-version="2">`.

import { type Options, type Part, start } from "./start";
import "./window";

/** Starts with the script's own attributes, and leaves what a page works with at `throughline`. The
 * script is deferred, so that the document is parsed. */
export function fromScript(parts: (given: DOMStringMap) => Part[]): void {
  const given = (document.currentScript as HTMLScriptElement).dataset;
  window.throughline = start({ ...given, testMode: "testMode" in given, parts: parts(given) } as unknown as Options);
}
