/**
 * Sends JSON responses that take minutes to compute. Both sides notice early if the other one disconnects.
 *
 * The server sends white space before the answer, which JSON allows. A client that receives none detects that the
 * server is dead, long before its timeout. Because the response has started, the server also notices when the
 * connection closes. Before that, Deno's `request.signal` does not fire for requests whose head and body arrive in
 * separate packets, as httpx sends them.
 */

/** Settings of {@linkcode slowJson}. */
export interface SlowJsonOptions {
  /** The request's signal. */
  readonly client: AbortSignal;
  /** The interval between keep-alive bytes. Default: 1000. */
  readonly everyMs?: number;
}

const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(" ");

/**
 * Answers at once with status 200, and sends the result of `work` as the body when it is ready.
 * @param work Receives a signal that aborts when the client disconnects. A result of bytes is sent as JSON without
 * encoding. If it rejects, the body ends without a result.
 */
export function slowJson(
  work: (signal: AbortSignal) => Promise<unknown>,
  { client, everyMs = 1000 }: SlowJsonOptions,
): Response {
  const gone = new AbortController();
  const abort = () => gone.abort(new Error("The client has disconnected"));
  client.addEventListener("abort", abort, { once: true });
  let timer: ReturnType<typeof setInterval> | undefined;
  function settle(): void {
    clearInterval(timer);
    client.removeEventListener("abort", abort);
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => controller.enqueue(KEEP_ALIVE), everyMs);
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
