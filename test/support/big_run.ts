/**
 * Writes a training run with any number of episodes in seconds. It plays a few hundred episodes with an expert that
 * makes mistakes, and repeats them at later steps.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expertAgent } from "../../env/agents/expert.ts";
import { createRng, type Rng } from "../../env/random.ts";
import { rolloutAll } from "../../env/rollout.ts";
import type {
  Action,
  Agent,
  AgentSession,
  AgentStep,
  Dataset,
  Episode,
} from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { resolveConfig } from "../../train/config/config.ts";
import { openDataset } from "../../train/config/open_dataset.ts";
import { EpisodeStore } from "../../train/runs/episode_store.ts";
import { mean } from "../../train/runs/episode_stats.ts";
import type { Metrics } from "../../train/runs/metrics.ts";
import { TrainingDir } from "../../train/runs/training_dir.ts";
import { newRunInfo } from "../../train/runs/run_info.ts";

/** The config of the run: a small world, and groups of eight episodes. */
export const BIG_CONFIG = resolveConfig({
  name: "big",
  text: `
    threads: 1
    data: { generated: { trainTasks: 48, devTasks: 6, testTasks: 12 } }
  `,
});

/** Number of groups that are played in each of the first steps. Later steps repeat their episodes. */
const GROUPS = 6;
const GROUP = 8;
const STEPS = 8;
const STARTED = new Date("2026-11-25T08:00:00Z");

/** Options for {@linkcode writeBigRun}. */
export interface BigRunOptions {
  /**
   * Number of episodes, rounded up to a multiple of 384. By default, the run has 384 episodes, none of which are
   * repeats.
   */
  readonly episodes?: number;
  /** Whether the run is marked as completed. Default: `true`. */
  readonly completed?: boolean;
}

/**
 * Writes a training run with many episodes to `path`.
 * @returns The number of episodes in the run.
 */
export async function writeBigRun(
  path: string,
  { episodes = 0, completed = true }: BigRunOptions = {},
): Promise<number> {
  const config = BIG_CONFIG;
  const dataset = await openDataset(config.data);
  const info = await newRunInfo({ seed: 1, dataset, now: STARTED });
  await using run = await TrainingDir.create(path, { config, info });
  await run.begin(STARTED);
  for (let step = 1; step <= STEPS; step++) await addStep(run, step, dataset);
  const total = repeat(join(path, "episodes.db"), episodes);
  if (completed) {
    const now = new Date(STARTED.getTime() + 3_600_000);
    await run.end({ outcome: "completed", now, wallS: 3600, peakRssBytes: 1 });
  }
  return total;
}

/**
 * Adds a step to a run: 48 episodes in groups of eight, and the step's line of metrics. Every fourth step also gets an
 * evaluation.
 */
export async function addStep(
  run: TrainingDir,
  step: number,
  dataset: Dataset,
): Promise<void> {
  const episodes = await playStep(step, dataset);
  const rewards = episodes.map(({ reward }) => reward?.value ?? 0);
  await run.record(
    lineOf(step, episodes),
    episodes.map((episode, i) => ({
      episode,
      place: {
        step,
        source: "rl",
        group: Math.floor(i / GROUP),
        advantage: advantageOf(i, rewards),
      },
    })),
  );
  if (step % 4 === 0) await run.record(evaluationLine(step, rewards));
}

async function playStep(step: number, dataset: Dataset): Promise<Episode[]> {
  const tasks = dataset.tasks("train");
  const specs = Array.from({ length: GROUPS * GROUP }, (_, i) => ({
    dataset,
    task: tasks[((step - 1) * GROUPS + Math.floor(i / GROUP)) % tasks.length]!,
    agent: erringExpert(Math.max(0.1, 0.9 - step / 10)),
    user: scriptedUser(dataset),
    userName: "scripted",
    seed: step * 1000 + i,
    retries: 0,
  }));
  let clock = 0;
  const now = () => clock++ * 37;
  const episodes = await rolloutAll(specs, { concurrency: 1, now });
  return episodes.map((episode, i) => withTokens(withFailure(episode, i)));
}

/**
 * Turns one in 48 episodes into an episode in which the user's model failed. Returns the other episodes unchanged. `i`
 * is the index of the episode.
 */
function withFailure(episode: Episode, i: number): Episode {
  if (i % 48 !== 47) return episode;
  return {
    ...episode,
    reward: null,
    reason: null,
    findings: null,
    stopReason: "failed",
    failure: {
      kind: "rate_limited",
      source: "user",
      message: "The customer's model answered 429 four times",
    },
    retries: 3,
  };
}

/** Adds tokens to an episode, one for each word of the conversation. The agent's tokens have mask 1. */
function withTokens(episode: Episode): Episode {
  const rng = createRng(episode.seed, "tokens");
  const words = episode.messages.flatMap(({ role, content }) =>
    content.split(" ").map(() => role === "assistant" ? 1 as const : 0 as const)
  );
  return {
    ...episode,
    trajectory: {
      ids: words.map(() => rng.int(2000)),
      lossMask: words,
      logprobs: words.map((mask) => mask === 1 ? Math.log(1 - rng.next()) : 0),
    },
  };
}

function advantageOf(i: number, rewards: readonly number[]): number {
  const first = i - i % GROUP;
  return rewards[i]! - mean(rewards.slice(first, first + GROUP));
}

function lineOf(step: number, episodes: readonly Episode[]): Metrics {
  const rewards = episodes.map(({ reward }) => reward?.value ?? 0);
  const groups = Array.from(
    { length: GROUPS },
    (_, g) => mean(rewards.slice(g * GROUP, (g + 1) * GROUP)),
  );
  return {
    schemaVersion: 2,
    step,
    phase: "rl",
    reward: mean(rewards),
    groupVariance: mean(groups.map((share) => share * (1 - share))),
    zeroVarianceShare: mean(
      groups.map((share) => share === 0 || share === 1 ? 1 : 0),
    ),
    groups: GROUPS,
    refilledGroups: 0,
    trainedGroups: GROUPS,
    episodes: episodes.length,
    failures: { rate_limited: 1 },
    stopReasons: { user_stop: episodes.length - 1 },
    entropy: 2 / (1 + step / 3),
    klOld: 0.001,
    klReference: 0.01 * step,
    clipShare: 0.02,
    gradNorm: 1 / step,
    loss: -0.01,
    learningRate: 0.0003,
    lengths: { turns: 8, tokens: 420, sampledTokens: 130 },
    parseErrors: 0,
    timing: { seconds: { rollout: 2, update: 1, total: 3 } },
  };
}

function evaluationLine(step: number, rewards: readonly number[]): Metrics {
  return {
    schemaVersion: 2,
    step,
    phase: "eval",
    split: "dev",
    decoding: "sampled",
    tasks: 6,
    trials: 1,
    passK: [mean(rewards)],
    pass1: mean(rewards),
    passByIntent: { cancel: mean(rewards) },
    episodes: 6,
    failures: {},
    stopReasons: { user_stop: 6 },
    lengths: { turns: 8, tokens: 420, sampledTokens: 130 },
    parseErrors: 0,
    timing: { seconds: { total: 1 } },
  };
}

/**
 * Repeats a run's episodes at later steps until it has at least `wanted` episodes.
 * @returns The number of episodes.
 */
function repeat(path: string, wanted: number): number {
  // The store adds missing columns when it opens a file, and the copy below needs all of them.
  new EpisodeStore(path, { readOnly: true })[Symbol.dispose]();
  const db = new DatabaseSync(path);
  try {
    const columns = db.prepare("PRAGMA table_info(episodes)").all()
      .map(({ name }) => String(name)).filter((name) => name !== "id");
    const changed: Readonly<Record<string, string>> = {
      step: `step + ?1 * ${STEPS}`,
      seed: "seed + ?1 * 100000",
      started_at_ms: "started_at_ms + ?1 * 60000",
    };
    const first = STEPS * GROUPS * GROUP;
    const copy = db.prepare(
      `INSERT INTO episodes (${columns.join(", ")}) SELECT ${
        columns.map((column) => changed[column] ?? column).join(", ")
      } FROM episodes WHERE id <= ${first} AND ?1 > 0 ORDER BY id`,
    );
    db.exec("BEGIN");
    let round = 1;
    for (; round * first < wanted; round++) copy.run(round);
    db.exec("COMMIT");
    return round * first;
  } finally {
    db.close();
  }
}

/**
 * Creates an expert that makes a mistake in an episode with the given probability. In such an episode, each write is
 * wrong or omitted.
 */
function erringExpert(chance: number): Agent {
  const expert = expertAgent({ prompt: "none" });
  return {
    ...expert,
    name: "tool-calling",
    model: "big",
    start(options) {
      const session = expert.start(options);
      const rng = createRng(options.seed, "errs");
      return rng.next() < chance ? erring(session, rng) : session;
    },
  };
}

const READS = /^(find|get|list|calculate|think|transfer)/;

function erring(session: AgentSession, rng: Rng): AgentSession {
  return {
    get messages() {
      return session.messages;
    },
    async act(): Promise<AgentStep> {
      const step = await session.act();
      if (step.type !== "action") return step;
      const action = worse(step.action, rng);
      const last = session.messages.at(-1);
      if (last?.role === "assistant" && action.type === "tool") {
        Object.assign(last, { toolCalls: [action.call] });
      }
      return { ...step, action };
    },
    observe(observation) {
      session.observe(observation);
      const [said, heard] = session.messages.slice(-2);
      const name = said?.role === "assistant" && said.toolCalls?.[0]?.name;
      if (heard?.role === "tool" && name) Object.assign(heard, { name });
    },
    close: () => session.close(),
  };
}

/**
 * Returns a write with a different reason or a wrong zip code, or a thought in place of the write. Returns other
 * actions unchanged.
 */
function worse(action: Action, rng: Rng): Action {
  if (action.type !== "tool" || READS.test(action.call.name)) return action;
  const args = new Map(action.call.arguments);
  if (args.has("reason")) {
    const reason = args.get("reason") === "no longer needed"
      ? "ordered by mistake"
      : "no longer needed";
    args.set("reason", reason);
  } else if (args.has("zip")) args.set("zip", String(10000 + rng.int(80000)));
  else {return {
      ...action,
      call: {
        ...action.call,
        name: "think",
        arguments: new Map([["thought", "It is done already."]]),
      },
    };}
  return { ...action, call: { ...action.call, arguments: args } };
}
