/**
 * Benchmarks taulab's overhead in many concurrent conversations over HTTP. A model server plays agents and users, and
 * answers after a fixed time.
 */

import { toolCallingAgent } from "../env/agents/tool_calling.ts";
import { createCaller } from "../env/models/call_policy.ts";
import { resolveEndpoint } from "../env/models/endpoints.ts";
import { createMeter } from "../env/models/meter.ts";
import { openaiChatModel } from "../env/models/openai.ts";
import { rolloutAll } from "../env/rollout.ts";
import type { ChatModel, Dataset } from "../env/types.ts";
import { llmUser } from "../env/users/llm.ts";
import {
  Actor,
  type Measured,
  measured,
  sum,
  timed,
} from "./_bench_measure.ts";

/** The results of {@linkcode benchHttp}. */
export interface HttpBench {
  readonly episodes: number;
  readonly latencyMs: number;
  /** The mean number of sequential calls per episode. */
  readonly callsPerEpisode: number;
  /**
   * The share of the conversations' time that taulab itself takes. taulab's time is the conversations' time minus the
   * time of the same number of plain `fetch` calls with prepared bodies, at the same concurrency.
   */
  readonly ownShare: Measured;
  /**
   * The share of the conversations' time that exceeds the server's latency. The excess includes taulab's own time, HTTP
   * on this machine, and the server's work.
   */
  readonly waitingShare: Measured;
  /** Answers per second across all conversations. */
  readonly callsPerS: Measured;
}

/** The number of concurrent conversations. */
const EPISODES = 200;
/** The latency of the model server in milliseconds. */
const LATENCY_MS = 50;
/** The number of repeats. */
const REPEATS = 5;

/** Runs the benchmark on a dataset's test tasks. Tasks are reused if there are fewer of them than conversations. */
export async function benchHttp(dataset: Dataset): Promise<HttpBench> {
  using server = await Actor.open("./_bench_http_server.ts", {
    latencyMs: LATENCY_MS,
  });
  const url = `${server.url}/v1`;
  const specs = specsOf(dataset, url);
  const rounds: Awaited<ReturnType<typeof playRound>>[] = [];
  // The first round compiles and opens connections.
  await playRound(specs);
  for (let round = 0; round < REPEATS; round++) {
    rounds.push(await playRound(specs, { url, body: typicalBody(dataset) }));
  }
  const of = (figure: (round: typeof rounds[number]) => number) =>
    measured(rounds.map(figure));
  return {
    episodes: EPISODES,
    latencyMs: LATENCY_MS,
    callsPerEpisode: rounds.at(-1)!.calls / EPISODES,
    ownShare: of(({ plainMs, tookMs }) => 1 - plainMs / tookMs),
    waitingShare: of(({ calls, tookMs }) => 1 - calls * LATENCY_MS / tookMs),
    callsPerS: of(({ calls, seconds }) => calls / seconds),
  };
}

/** Plays all conversations once. If `plain` is given, the same number of calls is then made with plain `fetch`. */
async function playRound(
  specs: ReturnType<typeof specsOf>,
  plain?: { readonly url: string; readonly body: string },
) {
  const { value: done, seconds } = await timed(() =>
    rolloutAll(specs, {
      concurrency: EPISODES,
      now: () => performance.now(),
    })
  );
  const calls = sum(done.map(({ usage, failure }) => {
    if (failure !== null) throw new Error(failure.message);
    return usage.agent.calls + usage.user.calls;
  }));
  return {
    calls,
    seconds,
    tookMs: sum(done.map(({ durationMs }) => durationMs)),
    plainMs: plain === undefined
      ? 0
      : await plainCalls({ ...plain, calls: calls / EPISODES }),
  };
}

/**
 * Makes a sequence of plain `fetch` calls in each of many concurrent conversations.
 * @returns The sum of the conversations' times in milliseconds.
 */
async function plainCalls(
  { url, body, calls }: { url: string; body: string; calls: number },
): Promise<number> {
  async function chain(): Promise<void> {
    for (let i = 0; i < calls; i++) {
      const response = await fetch(`${url}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      await response.arrayBuffer();
    }
  }
  const times = await Promise.all(
    Array.from({ length: EPISODES }, () => timed(chain)),
  );
  return sum(times.map(({ seconds }) => seconds * 1000));
}

/** Returns a request body as large as those that an agent sends in the middle of a conversation. */
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
  url: string,
) {
  const tasks = dataset.tasks("test");
  const agent = toolCallingAgent({ model: modelAt(url, "agent", "model") });
  const user = llmUser({ dataset, model: modelAt(url, "user", "user") });
  return Array.from({ length: EPISODES }, (_, seed) => ({
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
