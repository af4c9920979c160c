// The browser's storage, which may be forbidden, full, or hold somebody else's text.

/** For the tab, or for the site. */
export type Kind = "sessionStorage" | "localStorage";

/** Reads a value; nothing where there is none that can be read. */
export function read<T>(kind: Kind, key: string): T | undefined {
  try {
    return JSON.parse(window[kind]["throughline_" + key]);
  } catch {
    return;
  }
}

/** Keeps a value, or takes it away where there is none. What cannot be kept stays in memory alone. */
export function write(kind: Kind, key: string, value?: unknown): void {
  try {
    if (value) window[kind]["throughline_" + key] = JSON.stringify(value);
    else delete window[kind]["throughline_" + key];
  } catch {
    // A visitor who forbids storage can buy all the same.
  }
}
