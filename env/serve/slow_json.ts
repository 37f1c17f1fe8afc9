/**
 * Sends JSON responses that take minutes to compute, so that client and server notice early if the other side
 * disconnects.
 *
 * The server sends white space before the answer, which JSON allows. If the white space stops, the client knows long
 * before its timeout that the server is dead. The server can rely on `request.signal` only after the response has
 * started. Before that, Deno does not abort the signal of a closed connection if the head and the body of the request
 * arrived in separate packets, as httpx sends them.
 */

/** Options for {@linkcode slowJson}. */
export interface SlowJsonOptions {
  /** The signal of the request, which is aborted when the client disconnects. */
  readonly client: AbortSignal;
  /** The interval between two bytes of white space, in milliseconds. Default: 1000. */
  readonly everyMs?: number;
}

const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(" ");

/**
 * Creates a response with status 200 that starts at once and ends with the result of `work` when it is ready.
 * @param work Receives a signal that is aborted when the client disconnects. If its result is bytes, they must be JSON
 * and are sent unchanged. If it rejects, the body ends without a result.
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
          // Deno cancels the body in enqueue() if it finds the connection closed there.
          if (!gone.signal.aborted) controller.close();
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
