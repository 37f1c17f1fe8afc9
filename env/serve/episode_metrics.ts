/** Collects the Prometheus metrics of an episode server. */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Meter } from "../models/meter.ts";
import type { EpisodeAnswer } from "./episode_answer.ts";

/** The metrics of one server since its start. */
export class EpisodeMetrics {
  readonly #registry = new Registry();
  readonly #running: Gauge;
  readonly #episodes: Counter;
  readonly #failures: Counter;
  readonly #turns: Counter;
  readonly #tokens: Counter;
  readonly #rewards: Counter;
  readonly #seconds: Histogram;
  running = 0;
  /** The number of episodes that were answered, and how many of these were removed from training. */
  readonly counts = { done: 0, removed: 0 };

  constructor({ meter }: { readonly meter: Meter }) {
    const registers = [this.#registry];
    this.#running = new Gauge({
      name: "taulab_episodes_running",
      help: "Episodes in progress",
      registers,
    });
    this.#episodes = new Counter({
      name: "taulab_episodes_total",
      help: "Ended episodes by slime status",
      labelNames: ["status"],
      registers,
    });
    this.#failures = new Counter({
      name: "taulab_failures_total",
      help: "Episodes ended by an infrastructure failure, by source and kind",
      labelNames: ["source", "kind"],
      registers,
    });
    this.#turns = new Counter({
      name: "taulab_turns_total",
      help: "Answers of the policy",
      registers,
    });
    this.#tokens = new Counter({
      name: "taulab_tokens_total",
      help:
        "Response tokens, either sampled by the policy or appended by the world",
      labelNames: ["from"],
      registers,
    });
    this.#rewards = new Counter({
      name: "taulab_reward_total",
      help: "Sum of the rewards of episodes that were not removed",
      registers,
    });
    this.#seconds = new Histogram({
      name: "taulab_episode_seconds",
      help: "Duration of an episode in seconds",
      buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800],
      registers,
    });
    new Gauge({
      name: "taulab_user_calls",
      help: "Calls to the model that plays users, since the start",
      registers,
      collect() {
        const users = meter.totals.filter(({ source }) => source === "user");
        this.set(users.reduce((sum, { usage }) => sum + usage.calls, 0));
      },
    });
  }

  /**
   * Records the start of an episode. Call `end` with its answer, and declare the result with `using`, so that the
   * episode does not remain counted as running.
   */
  begin(): Disposable & { end(answer: EpisodeAnswer): void } {
    const from = performance.now();
    this.#running.set(++this.running);
    return {
      end: (answer) => this.#count(answer, (performance.now() - from) / 1000),
      [Symbol.dispose]: () => this.#running.set(--this.running),
    };
  }

  /** Returns all metrics in Prometheus' text format. */
  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  #count(answer: EpisodeAnswer, seconds: number): void {
    const { status, spans, reward, remove_sample: isRemoved } = answer;
    this.counts.done++;
    this.#episodes.inc({ status });
    this.#seconds.observe(seconds);
    if (isRemoved) {
      this.counts.removed++;
      this.#failures.inc(failureOf(answer));
      return;
    }
    this.#rewards.inc(Math.max(0, reward));
    for (const { trainable, length } of spans) {
      if (trainable) this.#turns.inc();
      this.#tokens.inc({ from: trainable ? "policy" : "world" }, length);
    }
  }
}

function failureOf({ metadata }: EpisodeAnswer) {
  const { failure } = metadata.taulab as {
    failure?: { source: string; kind: string } | null;
  };
  return { source: failure?.source ?? "", kind: failure?.kind ?? "" };
}
