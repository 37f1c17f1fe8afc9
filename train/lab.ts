/**
 * The components of the training loop: the world, the policy's trainer, and the two sources of conversations, which are
 * sampling and demonstrations.
 */

import type { RewardFunction } from "../env/rollout.ts";
import type { Dataset, Episode, Task } from "../env/types.ts";
import type { Trainer, TrainSequence } from "./trainer.ts";

/** An episode to sample. */
export interface Job {
  readonly task: Task;
  readonly seed: number;
}

/** Options for {@linkcode Lab.sample}. */
export interface SampleOptions {
  /** The sampling temperature; 0 selects the most likely token. */
  readonly temperature: number;
  readonly signal?: AbortSignal | undefined;
  /** The reward function. Default: the benchmark's rule. */
  readonly reward?: RewardFunction;
  /** Called each time an episode ends, in no particular order. */
  readonly onEpisode?: () => void;
}

/** An expert's demonstrations. */
export interface Demonstrations {
  /** The demonstrations, `[N]`, each with mask 1 on the expert's own messages and calls. */
  readonly sequences: readonly TrainSequence[];
  /** The number of train tasks that the expert did not solve. */
  readonly unsolved: number;
  /** The number of train tasks whose conversation exceeds the token limit. */
  readonly tooLong: number;
}

/** The world, the demonstrations, the trainer and the sampler of a training loop. Tests use fakes. */
export interface Lab extends AsyncDisposable {
  readonly dataset: Dataset;
  readonly trainer: Trainer;
  /** The expert's demonstrations on the train split. */
  readonly demonstrations: Demonstrations;
  /** Samples episodes from the current policy and returns them in the order of `jobs`. */
  sample(
    jobs: readonly Job[],
    options: SampleOptions,
  ): Promise<readonly Episode[]>;
}
