/**
 * What the bridge takes beside the engine: many episodes at once over HTTP, against an engine that answers after a
 * fixed time, beside the very same requests sent plainly.
 */

import type { Codec } from "../env/tokens/conversation.ts";
import type { Dataset } from "../env/types.ts";
import type { EngineReport } from "./_bench_bridge_engine.ts";
import { openBenchCodec, openBenchDataset } from "./_bench_bridge_world.ts";
import {
  Actor,
  type Measured,
  measured,
  percentile,
  sum,
  timed,
} from "./_bench_measure.ts";

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

/** Episodes at once, and how many each place plays one after the other. */
const EPISODES = 256;
const LENGTH = 3;
/** Milliseconds of an answer. */
const LATENCY_MS = 50;
/** As recipes have it. */
const SERVERS = 2;
const REPEATS = 5;

/** Measures; the engine, the servers and we share this machine's cores. */
export async function benchBridge(
  tauBench: string | null,
): Promise<BridgeBench> {
  const dataset = await openBenchDataset(tauBench);
  const scripts = scriptsOf(dataset, await openBenchCodec());
  using engine = await Actor.open("./_bench_bridge_engine.ts", {
    type: "orders",
    orders: { latencyMs: LATENCY_MS, scripts },
  });
  using stack = new DisposableStack();
  const servers: Actor[] = [];
  for (let i = 0; i < SERVERS; i++) {
    const order = { type: "open", tauBench };
    const server = await Actor.open("./_bench_bridge_worker.ts", order);
    servers.push(stack.use(server));
  }
  const chains = Array.from(
    { length: EPISODES },
    (_, place) =>
      Array.from({ length: LENGTH }, (_, at) => String(place + at * EPISODES)),
  );
  const world = { dataset, engine, servers, chains };
  const report = (keep = false) =>
    engine.ask<EngineReport>({ type: "report", keep });
  await report(true);
  await play(world);
  const { bodies } = await report();
  await play(world);
  await report();
  const rounds: Round[] = [];
  for (let round = 0; round < REPEATS; round++) {
    const bridged = await play(world);
    const own = await report();
    const plain = await playPlainly(world, bodies);
    rounds.push({ bridged, own, plain, other: await report() });
  }
  const of = (figure: (round: Round) => number) => measured(rounds.map(figure));
  return {
    data: dataset.name,
    episodes: EPISODES,
    latencyMs: LATENCY_MS,
    servers: SERVERS,
    turnsPerEpisode: rounds[0]!.own.requests / (EPISODES * LENGTH),
    tokensPerEpisode: Math.max(
      ...bodies.flat().map((body) => JSON.parse(body).input_ids.length),
    ),
    turnsPerS: of(({ bridged }) => bridged),
    plainTurnsPerS: of(({ plain }) => plain),
    ratio: of(({ bridged, plain }) => bridged / plain),
    overheadP99Ms: of(({ own }) => percentile(own.gapsMs, 0.99)),
    plainP99Ms: of(({ other }) => percentile(other.gapsMs, 0.99)),
    bytesPerEpisode: await bytesPerEpisode(world),
  };
}

/** Turns a second of both, and what the engine saw of each. */
interface Round {
  readonly bridged: number;
  readonly own: EngineReport;
  readonly plain: number;
  readonly other: EngineReport;
}

interface World {
  readonly dataset: Dataset;
  readonly engine: Actor;
  readonly servers: readonly Actor[];
  readonly chains: readonly (readonly string[])[];
}

/** Plays every chain's episodes, all chains at once. @returns Turns a second. */
async function play(world: World): Promise<number> {
  const { servers, chains } = world;
  const { value: turns, seconds } = await timed(() =>
    Promise.all(chains.map(async (keys, place) => {
      const { url } = servers[place % servers.length]!;
      let turns = 0;
      for (const key of keys) turns += await askEpisode(world, { key, url });
      return turns;
    }))
  );
  return sum(turns) / seconds;
}

/** @returns Its turns. */
async function askEpisode(
  { dataset, engine }: World,
  { key, url }: { key: string; url: string },
): Promise<number> {
  const tasks = dataset.tasks("train");
  const response = await fetch(`${url}/episodes`, {
    method: "POST",
    headers: { "content-type": "application/json" },
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

/** The same requests without episodes. @returns Turns a second. */
async function playPlainly(
  { engine, servers, chains }: World,
  bodies: readonly (readonly string[])[],
): Promise<number> {
  const { value: turns, seconds } = await timed(() =>
    Promise.all(servers.map(async (server, index) => {
      const own = chains.filter((_, place) => place % SERVERS === index);
      const order = { type: "plain", engine: engine.url, chains: own, bodies };
      return (await server.ask<{ turns: number }>(order)).turns;
    }))
  );
  return sum(turns) / seconds;
}

/** What an episode's end and beginning differ by, with all of them in their middle. */
async function bytesPerEpisode(world: World): Promise<Measured> {
  const { engine, servers, chains } = world;
  const heap = async () => {
    const all = servers.map((server) =>
      server.ask<{ bytes: number }>({ type: "heap" })
    );
    return sum((await Promise.all(all)).map(({ bytes }) => bytes));
  };
  const first = chains.map((keys) => keys.slice(0, 1));
  const sizes: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = await heap();
    const playing = play({ ...world, chains: first });
    for (let seen = 0; seen < chains.length * 4;) {
      const { requests } = await engine.ask<EngineReport>({ type: "report" });
      seen += requests;
    }
    sizes.push((await heap() - before) / chains.length);
    await playing;
  }
  return measured(sizes);
}

/** Conversations of an agent that looks things up and says something by turns, and hands over in the end. */
function scriptsOf(dataset: Dataset, { tokenizer }: Codec): string[][] {
  const orders = [...dataset.database.ids("orders")];
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
      summary: "The user needs a person.",
    }),
  ]);
}
