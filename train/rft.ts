/**
 * Rejection fine-tuning, in which the policy tries tasks and imitates its own conversations that earned the reward. If
 * the policy fails most tasks, this is more stable than the policy gradient: groups whose episodes all fail contribute
 * nothing to the gradient, so a few lucky groups pull the policy away from what it has learned.
 * @see Zelikman et al. 2022, "STaR"; Gulcehre et al. 2023, "ReST"; Yuan et al. 2023, "Scaling Relationship on Learning
 * Mathematical Reasoning", section 3.3, from which the name is taken.
 */

import { isErrorAnswer } from "../env/call_tool.ts";
import type { Rng } from "../env/random.ts";
import type { Trajectory } from "../env/tokens/trajectory.ts";
import type { Episode, Task } from "../env/types.ts";
import { mean, rewardOf, sum } from "./runs/episode_stats.ts";
import type { StepOptions, Trainer, TrainSequence } from "./trainer.ts";

/** The policy's latest exemplary conversation on each solved task, oldest first. */
export class Solved {
  readonly #sequences = new Map<string, TrainSequence>();

  /** Adds a conversation and removes an earlier conversation on the same task. */
  add(taskId: string, trajectory: Trajectory): void {
    this.#sequences.delete(taskId);
    this.#sequences.set(taskId, { ...trajectory, advantage: 1 });
  }

  has(taskId: string): boolean {
    return this.#sequences.has(taskId);
  }

  /** The number of solved tasks. */
  get size(): number {
    return this.#sequences.size;
  }

  get sequences(): TrainSequence[] {
    return [...this.#sequences.values()];
  }
}

/**
 * Checks whether an episode is worth imitating: it earned the full reward (at least 1, even with a custom reward
 * function), its tokens are known, and it contains neither an unreadable answer nor a tool error.
 */
export function isExemplary(episode: Episode): boolean {
  return rewardOf(episode) >= 1 && episode.trajectory !== null &&
    episode.parseErrors === 0 &&
    !episode.messages.some(({ role, content }) =>
      role === "tool" && isErrorAnswer(content)
    );
}

/**
 * Draws the tasks of a step. Up to half of them are drawn from the unsolved tasks, so that easy tasks do not crowd out
 * the rest. The others are drawn from all tasks, so that solved tasks are not forgotten.
 * @returns At most `size` tasks, without repeats.
 */
export function tasksToTry(
  tasks: readonly Task[],
  { solved, size, rng }: {
    readonly solved: Pick<Solved, "has">;
    readonly size: number;
    readonly rng: Rng;
  },
): Task[] {
  const order = rng.shuffle(tasks);
  const open = order.filter(({ id }) => !solved.has(id)).slice(0, size / 2);
  return [...new Set([...open, ...order])].slice(0, size);
}

/**
 * Splits the sequences into a step's batches, in random order. If there are too few sequences, they are repeated; if
 * there are none, no batches are returned.
 */
export function dealBatches(
  sequences: readonly TrainSequence[],
  { batches, size, rng }: {
    readonly batches: number;
    readonly size: number;
    readonly rng: Rng;
  },
): TrainSequence[][] {
  const deck = rng.shuffle(sequences);
  if (deck.length === 0) return [];
  return Array.from(
    { length: batches },
    (_, k) =>
      Array.from(
        { length: size },
        (_, i) => deck[(k * size + i) % deck.length]!,
      ),
  );
}

/**
 * Makes one supervised update per batch.
 * @returns The means of the loss and the gradient norm over the batches, and the sums of the token counts; zeros if
 * there are no batches.
 */
export async function superviseAll(
  trainer: Trainer,
  batches: readonly (readonly TrainSequence[])[],
  options: StepOptions,
) {
  const done = [];
  for (const batch of batches) {
    done.push(await trainer.supervised(batch, options));
  }
  return {
    loss: mean(done.map(({ loss }) => loss)),
    gradNorm: mean(done.map(({ gradNorm }) => gradNorm)),
    tokens: sum(done.map(({ tokens }) => tokens)),
    lossTokens: sum(done.map(({ lossTokens }) => lossTokens)),
  };
}
