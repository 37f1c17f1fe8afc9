/**
 * JSON answers that take minutes: either side notices when the other has gone.
 *
 * White space goes ahead of the answer, which JSON allows. A client that hears none knows that the server is
 * dead, long before the answer would be late. And since the response is under way, the server sees a
 * connection close; while nothing of it was sent, Deno's `request.signal` stays silent for requests whose head
 * and body came in separate packets, as httpx sends them.
 */

/** Settings of {@linkcode slowJson}. */
export interface SlowJsonOptions {
  /** The request's own signal. */
  readonly client: AbortSignal;
  /** Between signs of life. Default: 1000. */
  readonly everyMs?: number;
}

const encoder = new TextEncoder();
const SIGN_OF_LIFE = encoder.encode(" ");

/**
 * Answers at once with status 200, and with what `work` comes to when it is there.
 * @param work Is given a signal that is aborted when the client has gone. Bytes that it comes to are JSON already. If it
 * rejects, the body breaks off.
 */
export function slowJson(
  work: (signal: AbortSignal) => Promise<unknown>,
  { client, everyMs = 1000 }: SlowJsonOptions,
): Response {
  const gone = new AbortController();
  const abort = () => gone.abort(new Error("The client has gone"));
  client.addEventListener("abort", abort, { once: true });
  let timer: ReturnType<typeof setInterval> | undefined;
  function settle(): void {
    clearInterval(timer);
    client.removeEventListener("abort", abort);
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => controller.enqueue(SIGN_OF_LIFE), everyMs);
      work(gone.signal).then(
        (value) => {
          settle();
          if (gone.signal.aborted) return;
          controller.enqueue(
            value instanceof Uint8Array
              ? value
              : encoder.encode(JSON.stringify(value)),
          );
          controller.close();
        },
        (error) => {
          settle();
          if (!gone.signal.aborted) controller.error(error);
        },
      );
    },
    cancel() {
      settle();
      abort();
    },
  });
  return new Response(body, {
    headers: { "content-type": "application/json" },
  });
}
