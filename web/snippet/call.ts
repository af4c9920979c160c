// Calls to the API. Every call may be repeated: a lost answer is asked for again with the same ids.

/** What came of a call; status 0 is no answer at all. */
export interface Said {
  status: number;
  /** The kind of problem, if it is one. */
  type: string;
  body: { errors?: { field: string }[] };
}

/** The longest that one attempt waits: a slow mobile network takes its time. */
const PATIENCE = 30_000;

/** Posts JSON. Where the network or the server fails it says so to `waiting` and tries again. */
export async function post(url: string, content: object, waiting?: () => void, tries = 7): Promise<Said> {
  for (let wait = 1000; ; wait *= 2) {
    let status = 0;
    let body: Said["body"] & { type?: string } = {};
    try {
      const reply = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(content),
        keepalive: true,
        signal: AbortSignal.timeout(PATIENCE),
      });
      status = reply.status;
      body = await reply.json();
    } catch {
      // No answer, or one without a body: the status says it.
    }
    const type = "" + body.type;
    if ((status && status < 500 && !/rate-limited/.test(type)) || --tries < 1) return { status, type, body };
    waiting?.();
    await pause(wait * (0.5 + Math.random() / 2));
  }
}

/** Waits for a while; where there is no network, until it is back. */
const pause = (milliseconds: number) =>
  new Promise((resolve) => {
    addEventListener("online", resolve, { once: true });
    setTimeout(() => navigator.onLine && resolve(0), milliseconds);
  });
