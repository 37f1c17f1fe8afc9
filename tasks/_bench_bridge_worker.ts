/**
 * An episode server for the bridge's benchmark, in a worker as it would be in a process; or, in its place, a
 * sender of the very same requests by plain `fetch`.
 */

/// <reference lib="webworker" />

import { createCaller } from "../env/models/call_policy.ts";
import { createMeter } from "../env/models/meter.ts";
import { EpisodeService } from "../env/serve/episode_service.ts";
import { episodesApp } from "../env/serve/episodes_app.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import { heapBytes } from "./_bench_measure.ts";
import { openBenchCodec, openBenchDataset } from "./_bench_bridge_world.ts";

declare const self: DedicatedWorkerGlobalScope;

self.onmessage = async ({ data }: MessageEvent) => {
  if (data.type === "open") self.postMessage({ port: await open(data) });
  else if (data.type === "heap") self.postMessage({ bytes: heapBytes() });
  else if (data.type === "plain") {
    self.postMessage({ turns: await sendPlainly(data) });
  }
};

async function open({ tauBench }: { tauBench: string | null }) {
  const dataset = await openBenchDataset(tauBench);
  const service = new EpisodeService({
    dataset,
    codec: await openBenchCodec(),
    strategy: "tool-calling",
    prompt: "full",
    compat: false,
    user: scriptedUser(dataset),
    userName: "scripted",
    meter: createMeter(),
    caller: createCaller({
      source: "model",
      timeoutMs: 60_000,
      retries: 0,
      backoffMs: 1,
    }),
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

/** Chains of requests, all chains at once, each one after the other. @returns How many were answered. */
async function sendPlainly(
  { engine, chains, bodies }: {
    engine: string;
    chains: readonly (readonly string[])[];
    bodies: readonly (readonly string[])[];
  },
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
