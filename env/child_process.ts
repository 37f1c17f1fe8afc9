/** Reads a child process's output, and ends the process: first with SIGTERM, then with SIGKILL if it does not exit. */

/**
 * The time between SIGTERM and SIGKILL in milliseconds, long enough for Jupyter to end its kernels and for an
 * evaluation to save its episodes.
 */
const GRACE_MS = 15_000;

/** Yields the lines of a stream as they arrive, without the final `\n` of each line. */
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
 * Waits for a child to exit. On abort it sends SIGTERM and, if the child has not exited 15 s later, SIGKILL.
 * @param options.onKilled Called after SIGKILL, when processes that the child started may still be running.
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
    // It has already exited.
  }
}
