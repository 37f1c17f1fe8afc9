/** A child process that is listened to, and ended in order: asked first, then made to. */

/** How long a child has to end by itself once it is asked to; Jupyter ends its kernels in this time, and an evaluation saves what it has. */
const GRACE_MS = 15_000;

/** The lines of a stream, as they come, without their ends. */
export async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/**
 * Waits for a child to end. An abort asks it to by SIGTERM, and where it does not, ends it.
 * @param options.onKilled Called after it had to be made to end: what it started is still there.
 */
export async function endOf(
  child: Deno.ChildProcess,
  { signal, onKilled }: {
    readonly signal?: AbortSignal | undefined;
    readonly onKilled?: () => void;
  } = {},
): Promise<Deno.CommandStatus> {
  let grace: ReturnType<typeof setTimeout> | undefined;
  const ask = () => {
    send(child, "SIGTERM");
    grace = setTimeout(() => {
      send(child, "SIGKILL");
      onKilled?.();
    }, GRACE_MS);
  };
  if (signal?.aborted) ask();
  else signal?.addEventListener("abort", ask, { once: true });
  try {
    return await child.status;
  } finally {
    clearTimeout(grace);
    signal?.removeEventListener("abort", ask);
  }
}

function send(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended in the meantime.
  }
}
