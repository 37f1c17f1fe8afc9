/** What the loop learns with: the world, the policy's trainer, and the two ways to get conversations. */

import type { RewardFunction } from "../env/rollout.ts";
import type { Dataset, Episode, Task } from "../env/types.ts";
import type { Trainer, TrainSequence } from "./trainer.ts";

/** One episode to sample. */
export interface Job {
  readonly task: Task;
  readonly seed: number;
}

/** Settings of {@linkcode Lab.sample}. */
export interface SampleOptions {
  /** 0 is greedy. */
  readonly temperature: number;
  readonly signal?: AbortSignal | undefined;
  /** What the episodes' rewards are. Default: τ-bench's rule. */
  readonly reward?: RewardFunction;
  /** Called as each episode ends, in no order. */
  readonly onEpisode?: () => void;
}

/** What an expert showed. */
export interface Demonstrations {
  /** `[N]`, each with mask 1 on what the expert said and did. */
  readonly sequences: readonly TrainSequence[];
  /** Train tasks left out: the expert did not solve them, or they are longer than the context. */
  readonly unsolved: number;
  readonly tooLong: number;
}

/** Everything that the loop learns with. Tests give fakes. */
export interface Lab extends AsyncDisposable {
  readonly dataset: Dataset;
  readonly trainer: Trainer;
  /** The expert's conversations on the train split. */
  readonly demonstrations: Demonstrations;
  /** Samples episodes from the policy as it is now; the result keeps the order of `jobs`. */
  sample(
    jobs: readonly Job[],
    options: SampleOptions,
  ): Promise<readonly Episode[]>;
}
