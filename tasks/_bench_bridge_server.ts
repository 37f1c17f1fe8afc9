/**
 * Runs the bridge benchmark's episode server in a separate process. For comparison, the process can also send the same
 * requests to the engine with plain `fetch`.
 */

import { createCaller } from "../env/models/call_policy.ts";
import { resolveEndpoint } from "../env/models/endpoints.ts";
import { openaiChatModel } from "../env/models/openai.ts";
import type { ChatModel } from "../env/types.ts";
import { llmUser } from "../env/users/llm.ts";
import { KeepAlive } from "../env/models/keep_alive.ts";
import { createMeter } from "../env/models/meter.ts";
import { EpisodeService } from "../env/serve/episode_service.ts";
import { episodesApp } from "../env/serve/episodes_app.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import { heapBytes } from "./_bench_measure.ts";
import { answerRequests, ownUsage } from "./_bench_process.ts";
import { openBenchCodec, openBenchDataset } from "./_bench_bridge_world.ts";

/** The settings of the episode server. */
export interface ServerSettings {
  readonly tauBench: string | null;
  /** URL of the model that plays the users; `null` for scripted users. */
  readonly user: string | null;
}

/**
 * Conversations to send with plain `fetch`. The chains are sent concurrently, and the requests of each chain in
 * sequence.
 */
export interface PlainRequests {
  readonly engine: string;
  readonly chains: readonly (readonly string[])[];
}

/**
 * The texts of the request bodies, received before the measurement so that receiving them does not count as CPU time.
 */
let bodies: readonly (readonly string[])[] = [];

async function open({ tauBench, user }: ServerSettings) {
  const dataset = await openBenchDataset(tauBench);
  const service = new EpisodeService({
    dataset,
    codec: await openBenchCodec(),
    strategy: "tool-calling",
    prompt: "full",
    compat: false,
    user: user === null
      ? scriptedUser(dataset)
      : llmUser({ dataset, model: userModel(user) }),
    userName: user === null ? "scripted" : "llm",
    meter: createMeter(),
    caller: createCaller({
      source: "model",
      timeoutMs: 60_000,
      retries: 0,
      backoffMs: 1,
    }),
    post: new KeepAlive().post,
    modelName: "engine",
    contextLength: 32_768,
    maxTokensPerTurn: 256,
    maxTurns: 30,
    retries: 0,
  });
  const app = episodesApp({ service, version: "bench" });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    app.fetch,
  );
  return server.addr.port;
}

function userModel(url: string): ChatModel {
  return openaiChatModel({
    endpoint: resolveEndpoint({
      provider: "openai",
      baseUrl: `${url}/v1`,
      env: () => "none",
    }),
    model: "user",
    source: "user",
    temperature: 0,
    maxTokens: 256,
    caller: createCaller({
      source: "user",
      timeoutMs: 60_000,
      retries: 0,
      backoffMs: 1,
    }),
    meter: createMeter(),
  });
}

/**
 * Sends all chains concurrently, and the requests of each chain in sequence.
 * @returns The number of answers.
 */
async function sendPlainly(
  { engine, chains }: PlainRequests,
): Promise<number> {
  let turns = 0;
  await Promise.all(chains.map(async (keys) => {
    for (const key of keys) {
      for (const body of bodies[Number(key) % bodies.length]!) {
        const response = await fetch(`${engine}/generate`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "x-smg-routing-key": key,
          },
          body,
        });
        await response.arrayBuffer();
        turns++;
      }
    }
  }));
  return turns;
}

if (import.meta.main) {
  await answerRequests(async (order) => {
    switch (order.type) {
      case "open":
        return { port: await open(order as unknown as ServerSettings) };
      case "plain":
        return { turns: await sendPlainly(order as unknown as PlainRequests) };
      case "bodies":
        bodies = order.bodies as typeof bodies;
        return {};
      case "heap":
        return { bytes: heapBytes() };
      default:
        return ownUsage();
    }
  });
}
