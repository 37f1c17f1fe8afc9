/** Collects the Prometheus metrics of an environment server. */

import { Counter, Gauge, Registry } from "prom-client";
import type { InfrastructureError } from "../../errors.ts";
import type { StopReason } from "../../types.ts";

/** The reason why a session ended. */
export type SessionEnd = "closed" | "idle" | "shutdown";

/** The metrics of one server since its start. */
export class SessionMetrics {
  readonly #registry = new Registry();
  readonly #open: Gauge;
  readonly #ends: Counter;
  readonly #episodes: Counter;
  readonly #failures: Counter;
  readonly #steps: Counter;
  readonly #rewards: Counter;
  /** The totals that health checks report. */
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
      help: "Open sessions",
      registers,
    });
    this.#ends = new Counter({
      name: "taulab_sessions_ended_total",
      help: "Ended sessions by reason",
      labelNames: ["by"],
      registers,
    });
    this.#episodes = new Counter({
      name: "taulab_environment_episodes_total",
      help: "Graded episodes by stop reason",
      labelNames: ["stop_reason"],
      registers,
    });
    this.#failures = new Counter({
      name: "taulab_environment_failures_total",
      help: "Episodes ended by an infrastructure failure, by source and kind",
      labelNames: ["source", "kind"],
      registers,
    });
    this.#steps = new Counter({
      name: "taulab_environment_steps_total",
      help: "Actions taken",
      registers,
    });
    this.#rewards = new Counter({
      name: "taulab_environment_reward_total",
      help: "Sum of the rewards of graded episodes",
      registers,
    });
  }

  /**
   * Records that a session was opened.
   * @param open The number of sessions that are open now.
   */
  opened(open: number): void {
    this.counts.sessions++;
    this.#open.set(open);
  }

  /**
   * Records that a session ended.
   * @param open The number of sessions that are open now.
   */
  closed(open: number, by: SessionEnd): void {
    if (by === "idle") this.counts.idle++;
    this.#open.set(open);
    this.#ends.inc({ by });
  }

  /** Records the start of an episode. */
  begun(): void {
    this.counts.begun++;
  }

  /** Records that an action was taken. */
  stepped(): void {
    this.counts.steps++;
    this.#steps.inc();
  }

  /** Records that an episode ended and was graded. */
  ended(reward: number, stopReason: StopReason): void {
    this.counts.ended++;
    this.#episodes.inc({ stop_reason: stopReason });
    this.#rewards.inc(Math.max(0, reward));
  }

  /** Records an infrastructure failure. */
  failed({ source, kind }: InfrastructureError): void {
    this.counts.failed++;
    this.#failures.inc({ source, kind });
  }

  /** Returns all metrics in Prometheus' text format. */
  async text(): Promise<string> {
    return await this.#registry.metrics();
  }
}
