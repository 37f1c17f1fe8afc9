/**
 * Creates the HTTP app of a policy server. The app serves OpenAI's chat completions API and the SGLang endpoints that
 * slime, its router and taulab's client use.
 */

import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { streamSSE } from "hono/streaming";
import { answerChat, chatChunks, readChatBody } from "./chat_completions.ts";
import { answerGenerate, readGenerateBody } from "./sglang_generate.ts";
import { guard } from "./request_guard.ts";
import { type BodyLimits, jsonOf } from "./bounded_json.ts";
import { answerErrors } from "./http_errors.ts";
import { prefixSessions } from "./prefix_sessions.ts";
import { RequestError, type ServedPolicy } from "./served_policy.ts";
import { InFlight } from "./in_flight.ts";

/** Options for {@linkcode policyApp}. */
export interface PolicyAppOptions {
  readonly policy: ServedPolicy;
  /**
   * The token that requests to `/v1/*`, `/generate`, `/abort_request` and `/flush_cache` must carry. Health checks and
   * the other requests for information require none. Default: no request requires a token.
   */
  readonly token?: string;
  /** The limits on request bodies. Default: 1 MiB plus 64 bytes per token of the context, within 30 s. */
  readonly limits?: BodyLimits;
  /** The counter of requests in flight, so that a shutdown can wait for them. Default: a new counter. */
  readonly inFlight?: InFlight;
}

/** Creates the app of a policy server. Serve it with `Deno.serve(options, app.fetch)`. */
export function policyApp(
  { policy, token, limits: given, inFlight = new InFlight() }: PolicyAppOptions,
): Hono {
  // No prompt that fits the context is larger, even if JSON escapes every character.
  const maxBytes = 2 ** 20 + 64 * policy.model.contextLength;
  const limits = { maxBytes, ...given };
  const app = new Hono();
  const sessions = prefixSessions(policy.model);
  const running = new Running(inFlight);
  guard(app, { token });
  if (token !== undefined) {
    app.use("/v1/*", bearerAuth({ token }));
    app.use("/generate", bearerAuth({ token }));
    app.use("/abort_request", bearerAuth({ token }));
    app.use("/flush_cache", bearerAuth({ token }));
  }
  answerErrors(app);

  app.post("/v1/chat/completions", async (c) => {
    const body = readChatBody(await jsonOf(c, limits), policy);
    const id = `chatcmpl-${crypto.randomUUID()}`;
    const completion = await running.run(
      id,
      c.req.raw.signal,
      (signal) => answerChat(body, { policy, sessions, signal, id }),
    );
    if (body.stream !== true) return c.json(completion);
    return streamSSE(c, async (stream) => {
      for (const chunk of chatChunks(completion)) {
        await stream.writeSSE({ data: JSON.stringify(chunk) });
      }
      await stream.writeSSE({ data: "[DONE]" });
    });
  });
  app.get("/v1/models", (c) =>
    c.json({
      object: "list",
      data: [{
        id: policy.name,
        object: "model",
        owned_by: "taulab",
        max_model_len: policy.model.contextLength,
      }],
    }));

  app.post("/generate", async (c) => {
    const body = readGenerateBody(await jsonOf(c, limits));
    const id = body.rid ?? crypto.randomUUID();
    const answer = await running.run(
      id,
      c.req.raw.signal,
      (signal) => answerGenerate(body, { policy, sessions, signal, id }),
    );
    if (!body.stream) return c.json(answer);
    return streamSSE(c, async (stream) => {
      await stream.writeSSE({ data: JSON.stringify(answer) });
      await stream.writeSSE({ data: "[DONE]" });
    });
  });
  app.post("/abort_request", async (c) => {
    const body = await jsonOf(c, limits) as {
      rid?: unknown;
      abort_all?: unknown;
    };
    if (body?.abort_all === true) running.abortAll();
    else if (typeof body?.rid === "string") running.abort(body.rid);
    else {
      throw new RequestError('The body must have "rid" or "abort_all": true');
    }
    return c.body(null, 200);
  });
  app.on(["GET", "POST"], "/flush_cache", (c) => {
    sessions.flush();
    return c.text("Cache flushed.\n");
  });

  app.get("/health", (c) => c.body(null, 200));
  app.get("/health_generate", async (c) => {
    const [first = 0] = policy.codec.tokenizer.encode("hi");
    await sessions.generate({
      ids: [first],
      maxTokens: 1,
      temperature: 0,
      stopIds: [],
      seed: 0,
      signal: c.req.raw.signal,
    });
    return c.body(null, 200);
  });
  const info = {
    model_path: policy.name,
    tokenizer_path: policy.name,
    served_model_name: policy.name,
    is_generation: true,
    weight_version: policy.weightVersion,
    /** Whether the policy sees a client's system message and tools (`full`) or not (`none`). */
    prompt: policy.prompt,
    max_total_num_tokens: policy.model.contextLength,
    context_length: policy.model.contextLength,
  };
  for (
    const path of [
      "/get_model_info",
      "/model_info",
      "/get_server_info",
      "/server_info",
    ]
  ) {
    app.get(path, (c) => c.json(info));
  }
  app.get(
    "/get_weight_version",
    (c) => c.json({ weight_version: policy.weightVersion }),
  );
  app.get("/v1/loads", (c) =>
    c.json({
      loads: [{
        dp_rank: 0,
        num_running_reqs: sessions.running,
        num_waiting_reqs: 0,
        num_total_reqs: sessions.running,
      }],
    }));
  return app;
}

/** The running requests, keyed by id, so that they can be aborted. */
class Running {
  readonly #controllers = new Map<string, AbortController>();
  readonly #inFlight: InFlight;

  constructor(inFlight: InFlight) {
    this.#inFlight = inFlight;
  }

  async run<T>(
    id: string,
    client: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    this.#controllers.set(id, controller);
    try {
      const signal = AbortSignal.any([controller.signal, client]);
      return await this.#inFlight.run(() => work(signal));
    } finally {
      this.#controllers.delete(id);
    }
  }

  abort(id: string): void {
    this.#controllers.get(id)?.abort();
  }

  abortAll(): void {
    for (const controller of this.#controllers.values()) controller.abort();
  }
}
