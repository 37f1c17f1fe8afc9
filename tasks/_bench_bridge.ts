/**
 * What the bridge takes beside the engine: many episodes at once over HTTP, against an engine that answers after a
 * fixed time, beside the very same requests sent plainly.
 */

import type { Codec } from "../env/tokens/conversation.ts";
import type { Dataset } from "../env/types.ts";
import type { EngineReport } from "./_bench_bridge_engine.ts";
import { openBenchCodec, openBenchDataset } from "./_bench_bridge_world.ts";
import type { Measured } from "./_bench_env.ts";

/** The figures. */
export interface BridgeBench {
  readonly data: string;
  readonly episodes: number;
  readonly latencyMs: number;
  readonly servers: number;
  readonly turnsPerEpisode: number;
  /** Tokens of an episode at its end. */
  readonly tokensPerEpisode: number;
  readonly turnsPerS: Measured;
  /** The same requests without episodes. */
  readonly plainTurnsPerS: Measured;
  /** Of the two, round by round. */
  readonly ratio: Measured;
  /** 99th percentile of a turn beyond the engine's latency: our work, HTTP and the wait for a core. */
  readonly overheadP99Ms: Measured;
  /** The same of the plain requests. */
  readonly plainP99Ms: Measured;
  /** Heap bytes of an episode under way, its conversation included. */
  readonly bytesPerEpisode: Measured;
}

/** Settings of {@linkcode benchBridge}. */
export interface BridgeBenchOptions {
  readonly tauBench: string | null;
  readonly now: () => number;
  /** At once. Default: 256. */
  readonly episodes?: number;
  /** Default: 50. */
  readonly latencyMs?: number;
  /** Default: 2, as recipes have it. */
  readonly servers?: number;
  /** Episodes that each place plays one after the other. Default: 3. */
  readonly length?: number;
  /** Default: 5. */
  readonly repeats?: number;
}

/** Measures; the engine, the servers and we share this machine's cores. */
export async function benchBridge(
  options: BridgeBenchOptions,
): Promise<BridgeBench> {
  const { tauBench, now, episodes = 256, latencyMs = 50 } = options;
  const { servers = 2, length = 3, repeats = 5 } = options;
  const dataset = await openBenchDataset(tauBench);
  const scripts = scriptsOf(dataset, await openBenchCodec());
  using engine = await Actor.open("./_bench_bridge_engine.ts", {
    type: "orders",
    orders: { latencyMs, scripts },
  });
  const actors = await Promise.all(
    Array.from(
      { length: servers },
      () => Actor.open("./_bench_bridge_worker.ts", { type: "open", tauBench }),
    ),
  );
  using _ = {
    [Symbol.dispose]: () => actors.forEach((a) => a[Symbol.dispose]()),
  };
  const chains = Array.from(
    { length: episodes },
    (_, place) =>
      Array.from({ length }, (_, at) => String(place + at * episodes)),
  );
  const world = { dataset, engine, actors, chains, now };
  const rounds: Round[] = [];
  await engine.ask({ type: "report", keep: true });
  await play(world);
  const { bodies } = await engine.ask<EngineReport>({ type: "report" });
  await play(world);
  await engine.ask({ type: "report" });
  for (let round = 0; round < repeats; round++) {
    const bridged = await play(world);
    const own = await engine.ask<EngineReport>({ type: "report" });
    const plain = await playPlainly(world, bodies);
    const other = await engine.ask<EngineReport>({ type: "report" });
    rounds.push({ bridged, own, plain, other });
  }
  const rate = ({ turns, ms }: Played) => turns / (ms / 1000);
  const of = (figure: (round: Round) => number) => measured(rounds.map(figure));
  return {
    data: dataset.name,
    episodes,
    latencyMs,
    servers,
    turnsPerEpisode: rounds[0]!.own.requests / (episodes * length),
    tokensPerEpisode: Math.max(
      ...bodies.flat().map((body) => JSON.parse(body).input_ids.length),
    ),
    turnsPerS: of(({ bridged }) => rate(bridged)),
    plainTurnsPerS: of(({ plain }) => rate(plain)),
    ratio: of(({ bridged, plain }) => rate(bridged) / rate(plain)),
    overheadP99Ms: of(({ own }) => percentile(own.gapsMs, 0.99)),
    plainP99Ms: of(({ other }) => percentile(other.gapsMs, 0.99)),
    bytesPerEpisode: await bytesPerEpisode(world),
  };
}

interface Played {
  readonly turns: number;
  readonly ms: number;
}

interface Round {
  readonly bridged: Played;
  readonly own: EngineReport;
  readonly plain: Played;
  readonly other: EngineReport;
}

interface World {
  readonly dataset: Dataset;
  readonly engine: Actor;
  readonly actors: readonly Actor[];
  readonly chains: readonly (readonly string[])[];
  readonly now: () => number;
}

/** A worker that answers each message by one. */
class Actor implements Disposable {
  readonly #worker: Worker;
  port = 0;

  private constructor(url: URL) {
    this.#worker = new Worker(url, { type: "module" });
  }

  static async open(path: string, order: object): Promise<Actor> {
    const actor = new Actor(new URL(path, import.meta.url));
    actor.port = (await actor.ask<{ port: number }>(order)).port;
    return actor;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  ask<T>(message: object): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    this.#worker.onerror = ({ message }) => reject(new Error(message));
    this.#worker.postMessage(message);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** Plays every chain's episodes, all chains at once. */
async function play(world: World): Promise<Played> {
  const { actors, chains, now } = world;
  const from = now();
  const turns = await Promise.all(chains.map(async (keys, place) => {
    let turns = 0;
    for (const key of keys) {
      turns += await askEpisode(world, {
        key,
        url: actors[place % actors.length]!.url,
      });
    }
    return turns;
  }));
  return { turns: turns.reduce((sum, n) => sum + n, 0), ms: now() - from };
}

/** @returns Its turns. */
async function askEpisode(
  { dataset, engine }: World,
  { key, url }: { key: string; url: string },
): Promise<number> {
  const tasks = dataset.tasks("train");
  const response = await fetch(`${url}/episodes`, {
    method: "POST",
    body: JSON.stringify({
      task: Number(key) % tasks.length,
      split: "train",
      seed: Number(key),
      session_id: key,
      engine: engine.url,
    }),
  });
  const text = await response.text();
  const about = text.slice(text.lastIndexOf('"metadata"'));
  const turns = Number(/"turns":(\d+)/.exec(about)?.[1]);
  if (!text.includes('"remove_sample":false') || !(turns > 0)) {
    throw new Error(`An episode of the benchmark failed: ${about}`);
  }
  return turns;
}

async function playPlainly(
  { engine, actors, chains, now }: World,
  bodies: readonly (readonly string[])[],
): Promise<Played> {
  const from = now();
  const turns = await Promise.all(actors.map(async (actor, index) => {
    const own = chains.filter((_, place) => place % actors.length === index);
    const order = { type: "plain", engine: engine.url, chains: own, bodies };
    return (await actor.ask<{ turns: number }>(order)).turns;
  }));
  return { turns: turns.reduce((sum, n) => sum + n, 0), ms: now() - from };
}

/** What an episode's end and beginning differ by, with all of them in their middle. */
async function bytesPerEpisode(world: World): Promise<Measured> {
  const { actors, chains } = world;
  const heap = async () => {
    const all = await Promise.all(
      actors.map((actor) => actor.ask<{ bytes: number }>({ type: "heap" })),
    );
    return all.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  const sizes: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = await heap();
    const playing = play({
      ...world,
      chains: chains.map((keys) => keys.slice(0, 1)),
    });
    for (let seen = 0; seen < chains.length * 4;) {
      const { requests } = await world.engine.ask<EngineReport>({
        type: "report",
      });
      seen += requests;
    }
    sizes.push((await heap() - before) / chains.length);
    await playing;
  }
  return measured(sizes);
}

/** Conversations of an agent that looks things up and says something by turns, and hands over in the end. */
function scriptsOf(dataset: Dataset, { tokenizer }: Codec): string[][] {
  const orders = orderIds(dataset);
  const answer = (text: string) => {
    const ids = tokenizer.encode(text + tokenizer.endToken);
    return JSON.stringify({
      text,
      output_ids: ids,
      meta_info: {
        id: "1",
        finish_reason: { type: "stop", matched: ids.at(-1) },
        prompt_tokens: 5000,
        completion_tokens: ids.length,
        cached_tokens: 4900,
        weight_version: "1",
        output_token_logprobs: ids.map((
          id,
          at,
        ) => [-0.125 - at / 64, id, null]),
      },
    });
  };
  const call = (name: string, args: object) =>
    answer(
      `<tool_call>\n{"name": "${name}", "arguments": ${
        JSON.stringify(args)
      }}\n</tool_call>`,
    );
  return Array.from({ length: 64 }, (_, script) => [
    ...Array.from({ length: 6 }, (_, at) => [
      answer(
        `Thank you for waiting. This is step ${
          at + 1
        }; I will look at your order ${script} before we go on.`,
      ),
      call("get_order_details", {
        order_id: orders[(script * 6 + at) % orders.length],
      }),
    ]).flat(),
    call("transfer_to_human_agents", {
      summary: "The customer needs a person.",
    }),
  ]);
}

function orderIds({ database }: Dataset): string[] {
  return [...database.ids("orders")];
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[
    Math.min(sorted.length - 1, Math.floor(share * sorted.length))
  ]!;
}

function measured(values: readonly number[]): Measured {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: sorted[sorted.length >> 1]!,
    spread: [sorted[0]!, sorted.at(-1)!],
  };
}
