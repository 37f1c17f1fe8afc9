/**
 * What many conversations at once cost beside the models that they wait for: agents and customers over HTTP,
 * against a server that answers after a fixed time.
 */

import { toolCallingAgent } from "../env/agents/tool_calling.ts";
import { createCaller } from "../env/models/call_policy.ts";
import { resolveEndpoint } from "../env/models/endpoints.ts";
import { createMeter } from "../env/models/meter.ts";
import { openaiChatModel } from "../env/models/openai.ts";
import { rolloutAll } from "../env/rollout.ts";
import type { ChatModel, Dataset } from "../env/types.ts";
import { llmUser } from "../env/users/llm.ts";
import type { Measured } from "./_bench_env.ts";

/** The figures. */
export interface HttpBench {
  readonly episodes: number;
  readonly latencyMs: number;
  /** Calls of an episode, one after the other. */
  readonly callsPerEpisode: number;
  /**
   * Of the time that the conversations took, the share that was ours: what they took beyond as many calls by
   * plain `fetch`, at once and one after the other alike, with bodies that are there already.
   */
  readonly ownShare: Measured;
  /** The same, beyond the latency alone: HTTP on this machine and the server's own work are in it. */
  readonly waitingShare: Measured;
  /** Answers a second, all conversations together. */
  readonly callsPerS: Measured;
}

/** Settings of {@linkcode benchHttp}. */
export interface HttpBenchOptions {
  readonly now: () => number;
  /** Conversations at once. Default: 200. */
  readonly episodes?: number;
  /** Default: 50. */
  readonly latencyMs?: number;
  /** Default: 5. */
  readonly repeats?: number;
}

/** Measures on the tasks of a dataset, again and again where it has fewer than there are conversations. */
export async function benchHttp(
  dataset: Dataset,
  { now, episodes = 200, latencyMs = 50, repeats = 5 }: HttpBenchOptions,
): Promise<HttpBench> {
  using server = await startServer(latencyMs);
  const model = (name: string, source: "model" | "user") =>
    modelAt(server.url, name, source);
  const specs = specsOf(dataset, episodes, model);
  const shares: number[] = [];
  const beyond: number[] = [];
  const rates: number[] = [];
  let callsPerEpisode = 0;
  // The first round compiles and opens connections.
  for (let round = 0; round <= repeats; round++) {
    const start = now();
    const done = await rolloutAll(specs, { concurrency: episodes, now });
    const wallMs = now() - start;
    const calls = done.reduce((sum, { usage, failure }) => {
      if (failure !== null) throw new Error(failure.message);
      return sum + usage.agent.calls + usage.user.calls;
    }, 0);
    const tookMs = done.reduce((sum, { durationMs }) => sum + durationMs, 0);
    if (round === 0) continue;
    callsPerEpisode = calls / episodes;
    const plainMs = await plainCalls(server.url, {
      now,
      episodes,
      calls: callsPerEpisode,
      body: typicalBody(dataset),
    });
    shares.push(1 - plainMs / tookMs);
    beyond.push(1 - calls * latencyMs / tookMs);
    rates.push(calls / (wallMs / 1000));
  }
  return {
    episodes,
    latencyMs,
    callsPerEpisode,
    ownShare: measured(shares),
    waitingShare: measured(beyond),
    callsPerS: measured(rates),
  };
}

interface Server extends Disposable {
  readonly url: string;
}

async function startServer(latencyMs: number): Promise<Server> {
  const url = new URL("./_bench_http_server.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const ready = Promise.withResolvers<number>();
  worker.onmessage = ({ data }) => ready.resolve(data.port);
  worker.onerror = ({ message }) => ready.reject(new Error(message));
  worker.postMessage({ latencyMs });
  const port = await ready.promise;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    [Symbol.dispose]: () => worker.terminate(),
  };
}

/** @returns Milliseconds that all chains of calls took, summed. */
async function plainCalls(
  url: string,
  { now, episodes, calls, body }: {
    now: () => number;
    episodes: number;
    calls: number;
    body: string;
  },
): Promise<number> {
  async function chain(): Promise<number> {
    const start = now();
    for (let i = 0; i < calls; i++) {
      const response = await fetch(`${url}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      await response.arrayBuffer();
    }
    return now() - start;
  }
  const times = await Promise.all(Array.from({ length: episodes }, chain));
  return times.reduce((sum, ms) => sum + ms, 0);
}

/** A body as large as an agent's in the middle of a conversation. */
function typicalBody({ policy, tools }: Dataset): string {
  const messages = [
    { role: "system", content: policy },
    ...Array.from({ length: 12 }, (_, i) => ({
      role: i % 2 === 0 ? "user" : "assistant",
      content: "Thank you. Let me look at your order before we go on.",
    })),
  ];
  return JSON.stringify({ model: "agent", messages, tools, max_tokens: 128 });
}

function specsOf(
  dataset: Dataset,
  episodes: number,
  model: (name: string, source: "model" | "user") => ChatModel,
) {
  const tasks = dataset.tasks("test");
  const agent = toolCallingAgent({ model: model("agent", "model") });
  const user = llmUser({ dataset, model: model("customer", "user") });
  return Array.from({ length: episodes }, (_, seed) => ({
    dataset,
    task: tasks[seed % tasks.length]!,
    agent,
    user,
    userName: "llm",
    seed,
    retries: 0,
  }));
}

function modelAt(
  baseUrl: string,
  model: string,
  source: "model" | "user",
): ChatModel {
  return openaiChatModel({
    endpoint: resolveEndpoint({
      provider: "sglang",
      baseUrl,
      env: () => undefined,
    }),
    model,
    source,
    temperature: 0,
    maxTokens: 128,
    meter: createMeter(),
    caller: createCaller({
      source,
      timeoutMs: 60_000,
      retries: 0,
      backoffMs: 1,
    }),
  });
}

function measured(values: readonly number[]): Measured {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: sorted[sorted.length >> 1]!,
    spread: [sorted[0]!, sorted.at(-1)!],
  };
}
