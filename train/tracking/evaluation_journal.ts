/** The journal of an evaluation for trackers: its figures episode by episode, and its report at the end. */

import type { EvaluationReport } from "../evaluation/evaluation_report.ts";
import type { StoredEpisode } from "../runs/episode_store.ts";
import type { Journal } from "./outbox.ts";
import type { Point } from "./run_tracker.ts";

/** The maximum number of intermediate points; more would not improve a curve. */
const MAX_POINTS = 200;

/** The parts of an episode that a point depends on. */
export type JournalEpisode = Pick<
  StoredEpisode,
  "reward" | "turns" | "usage" | "startedAtMs" | "durationMs"
>;

/** The journal of an evaluation. The step of each point is the number of completed episodes. */
export class EvaluationJournal implements Journal {
  readonly #points: Point[] = [];
  readonly #every: number;
  readonly #planned: number;
  #episodes = 0;
  #scored = 0;
  #reward = 0;
  #turns = 0;
  #cost = 0;

  /**
   * Creates an empty journal.
   * @param planned The number of episodes in the whole evaluation.
   */
  constructor(planned: number) {
    this.#planned = planned;
    this.#every = Math.ceil(planned / MAX_POINTS);
  }

  get length(): number {
    return this.#points.length;
  }

  at(index: number): Point {
    return this.#points[index]!;
  }

  /**
   * Counts a completed episode. After every few episodes, and after the last one, adds a point with the figures so far.
   */
  add({ reward, turns, usage, startedAtMs, durationMs }: JournalEpisode): void {
    this.#episodes++;
    this.#cost += (usage?.agent.cost ?? 0) + (usage?.user.cost ?? 0);
    if (reward !== null) {
      this.#scored++;
      this.#reward += reward;
      this.#turns += turns;
    }
    const isDue = this.#episodes % this.#every === 0 ||
      this.#episodes === this.#planned;
    if (!isDue) return;
    const means: [string, number][] = this.#scored === 0 ? [] : [
      ["evaluate/reward", this.#reward / this.#scored],
      ["evaluate/turns", this.#turns / this.#scored],
    ];
    this.#points.push({
      step: this.#episodes,
      timeMs: startedAtMs + durationMs,
      values: new Map([
        ...means,
        ["evaluate/scored", this.#scored],
        ["evaluate/failed", this.#episodes - this.#scored],
        ["evaluate/cost", this.#cost],
      ]),
    });
  }

  /** Adds a point with the figures of the report. */
  report(
    { passK, baseline, byIntent, meanReward }: EvaluationReport,
    timeMs: number,
  ): void {
    const values: [string, number][] = [
      ["evaluate/mean_reward", meanReward],
      ["evaluate/do_nothing", baseline],
      ...passK.flatMap(({ value, low, high }, i): [string, number][] => [
        [`evaluate/pass/${i + 1}`, value],
        [`evaluate/pass/${i + 1}/low`, low],
        [`evaluate/pass/${i + 1}/high`, high],
      ]),
      ...byIntent.map(({ intent, reward }): [string, number] => [
        `evaluate/intent/${intent}`,
        reward.value,
      ]),
    ];
    this.#points.push({
      step: this.#episodes,
      timeMs,
      values: new Map(values.filter(([, value]) => Number.isFinite(value))),
    });
  }
}
