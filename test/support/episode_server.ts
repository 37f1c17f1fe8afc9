/**
 * Starts a fake episode server whose episodes take milliseconds. The reward of an episode is 0 or 1, drawn from its
 * seed, and some episodes fail. The server also answers the requests that slime sends to engines at the end of a
 * rollout.
 */

/** A running fake episode server. Disposing of it stops the server. */
export interface EpisodeServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The number of requested episodes, keyed by split. */
  readonly asked: Map<string, number>;
  /** Makes the server answer all later requests for episodes with the given response. */
  refuse(answer: { readonly status: number; readonly text: string }): void;
  /**
   * Prevents the next episode from ending.
   * @returns A function that lets the episode end.
   */
  holdNext(): () => void;
}

/** Starts a fake episode server on a free port. */
export function serveEpisodes(): EpisodeServer {
  const asked = new Map<string, number>();
  let refusal: Parameters<EpisodeServer["refuse"]>[0] | undefined;
  let held: Promise<void> | undefined;
  let release: (() => void) | undefined;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/loads") {
        return Response.json({ loads: [{ num_total_reqs: 0 }] });
      }
      if (pathname !== "/episodes") return Response.json({ status: "ok" });
      const { split, seed } = await request.json();
      asked.set(split, (asked.get(split) ?? 0) + 1);
      if (refusal !== undefined) return new Response(refusal.text, refusal);
      const hold = held;
      held = undefined;
      await hold;
      await new Promise((resolve) => setTimeout(resolve, seed % 7));
      return Response.json(episode(seed));
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    port: server.addr.port,
    asked,
    refuse(answer) {
      refusal = answer;
    },
    holdNext() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      release = resolve;
      return resolve;
    },
    async [Symbol.asyncDispose]() {
      release?.(); // a request that is still held would keep the server open
      await server.shutdown();
    },
  };
}

function episode(seed: number): Record<string, unknown> {
  const isLost = seed % 41 === 0;
  const reward = isLost ? 0 : Math.imul(seed + 1, 2654435761) >>> 31;
  return {
    tokens: [5, 6, 7, 8, 9],
    prompt_length: 2,
    response_length: 3,
    loss_mask: [1, 1, 0],
    rollout_log_probs: [-0.5, -0.25, 0],
    spans: [
      {
        length: 2,
        trainable: true,
        text: "a",
        meta_info: {
          finish_reason: { type: "stop" },
          weight_version: "0",
          prompt_tokens: 2,
          cached_tokens: 0,
        },
      },
      { length: 1, trainable: false, text: "b" },
    ],
    response: "ab",
    reward,
    status: isLost ? "failed" : "completed",
    remove_sample: isLost,
    non_generation_time: 0.001,
    metadata: { taulab: { stop_reason: isLost ? "failed" : "completed" } },
  };
}
