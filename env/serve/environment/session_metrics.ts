/** What an environment server counts, as Prometheus reads it. */

import { Counter, Gauge, Registry } from "prom-client";
import type { InfrastructureError } from "../../errors.ts";
import type { StopReason } from "../../types.ts";

/** How a session ended. */
export type SessionEnd = "closed" | "idle" | "shutdown";

/** Counts of one server since its start. */
export class SessionMetrics {
  readonly #registry = new Registry();
  readonly #open: Gauge;
  readonly #ends: Counter;
  readonly #episodes: Counter;
  readonly #failures: Counter;
  readonly #steps: Counter;
  readonly #rewards: Counter;
  /** Sums for health checks. */
  readonly counts = {
    sessions: 0,
    idle: 0,
    begun: 0,
    ended: 0,
    failed: 0,
    steps: 0,
  };

  constructor() {
    const registers = [this.#registry];
    this.#open = new Gauge({
      name: "taulab_sessions_open",
      help: "Sessions that are open",
      registers,
    });
    this.#ends = new Counter({
      name: "taulab_sessions_ended_total",
      help: "Sessions that ended, by how",
      labelNames: ["by"],
      registers,
    });
    this.#episodes = new Counter({
      name: "taulab_environment_episodes_total",
      help: "Episodes that were graded, by stop reason",
      labelNames: ["stop_reason"],
      registers,
    });
    this.#failures = new Counter({
      name: "taulab_environment_failures_total",
      help: "Episodes that infrastructure ended, by source and kind",
      labelNames: ["source", "kind"],
      registers,
    });
    this.#steps = new Counter({
      name: "taulab_environment_steps_total",
      help: "Actions that were taken",
      registers,
    });
    this.#rewards = new Counter({
      name: "taulab_environment_reward_total",
      help: "Sum of the rewards of graded episodes",
      registers,
    });
  }

  /** A session was opened. @param open How many there are now. */
  opened(open: number): void {
    this.counts.sessions++;
    this.#open.set(open);
  }

  /** A session ended. @param open How many there are now. */
  closed(open: number, by: SessionEnd): void {
    if (by === "idle") this.counts.idle++;
    this.#open.set(open);
    this.#ends.inc({ by });
  }

  /** An episode began. */
  begun(): void {
    this.counts.begun++;
  }

  /** An action was taken. */
  stepped(): void {
    this.counts.steps++;
    this.#steps.inc();
  }

  /** An episode was graded. */
  ended(reward: number, stopReason: StopReason): void {
    this.counts.ended++;
    this.#episodes.inc({ stop_reason: stopReason });
    this.#rewards.inc(Math.max(0, reward));
  }

  /** Infrastructure ended an episode. */
  failed({ source, kind }: InfrastructureError): void {
    this.counts.failed++;
    this.#failures.inc({ source, kind });
  }

  /** All of it, in Prometheus' text format. */
  async text(): Promise<string> {
    return await this.#registry.metrics();
  }
}
