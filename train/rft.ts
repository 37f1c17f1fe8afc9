/**
 * Rejection fine-tuning: the policy tries tasks, and learns from those of its own conversations that earned the
 * reward as from demonstrations. From a start that fails most tasks it is steadier than the policy gradient: a group
 * whose episodes all fail teaches that nothing, and a few lucky groups pull it away from what it knew.
 *
 * @see Zelikman et al. 2022, "STaR"; Gulcehre et al. 2023, "ReST"; Yuan et al. 2023, "Scaling Relationship on Learning
 * Mathematical Reasoning", section 3.3, whose name it has.
 */

import { isErrorAnswer } from "../env/call_tool.ts";
import type { Rng } from "../env/random.ts";
import type { Trajectory } from "../env/tokens/trajectory.ts";
import type { Episode, Task } from "../env/types.ts";
import { mean, rewardOf, sum } from "./runs/episode_stats.ts";
import type { StepOptions, Trainer, TrainSequence } from "./trainer.ts";

/** The policy's latest exemplary conversation on each task that it has solved, oldest first. */
export class Solved {
  readonly #sequences = new Map<string, TrainSequence>();

  /** Takes a conversation in, in the place of an earlier one on the same task. */
  add(taskId: string, trajectory: Trajectory): void {
    this.#sequences.delete(taskId);
    this.#sequences.set(taskId, { ...trajectory, advantage: 1 });
  }

  has(taskId: string): boolean {
    return this.#sequences.has(taskId);
  }

  /** Tasks solved so far. */
  get size(): number {
    return this.#sequences.size;
  }

  get sequences(): TrainSequence[] {
    return [...this.#sequences.values()];
  }
}

/**
 * Whether a conversation is one to imitate: it earned the whole reward (1, also where RL
 * learns from a reward of one's own), and neither a call that cannot be read nor an
 * error on the way has to be learnt with it.
 */
export function isExemplary(episode: Episode): boolean {
  return rewardOf(episode) >= 1 && episode.trajectory !== null &&
    episode.parseErrors === 0 &&
    !episode.messages.some(({ role, content }) =>
      role === "tool" && isErrorAnswer(content)
    );
}

/**
 * The tasks of a step: half of them from those not solved yet, so that what is easy does not crowd out the rest, and
 * half from all, so that what was learnt is kept up.
 * @returns At most `size`, without repeats.
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

/** A step's batches, dealt from all sequences in random order, over and over where there are few; none of nothing. */
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
 * Supervised updates, one a batch.
 * @returns Means of loss and norm, sums of tokens.
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
