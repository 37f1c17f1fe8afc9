/** Which turns earned an episode's reward: an advantage for each turn, in place of one for all of them. */

import type { Trajectory } from "../env/tokens/trajectory.ts";
import { type AdvantageName, advantages } from "./advantage.ts";

/** An episode as credit sees it. */
export interface CreditedEpisode {
  readonly reward: number;
  /** The state that each turn began in, in order; turns of a group that began in the same state have the same number. */
  readonly states: readonly number[];
}

/** One way to compare turns. */
interface Credit {
  /** What it does and whose it is, for help. */
  readonly description: string;
  /** How much better each turn was than its state, `[G]` of `[turns]`; added to the episode's advantage. */
  readonly of: (
    episodes: readonly CreditedEpisode[],
    advantage: AdvantageName,
  ) => number[][];
}

/**
 * The kinds of credit by their names in a recipe's `rl.credit`: `V` is the mean reward of a state's turns in a group.
 *
 * @see gigpo: Feng et al. 2025, "Group-in-Group Policy Optimization", section 4.2, without discount: the reward comes
 * at the end. Differs: the state is all that the world has said, not its last observation alone, as a conversation's
 * last message does not tell what came before.
 * @see vineppo: Kazemnejad et al. 2024, "VinePPO", section 4. Differs: `V` is of the group's own episodes, nothing is
 * sampled for it; what the agent says another way and gets the same answer to is then neither better nor worse.
 */
const CREDITS = {
  episode: {
    description: "its episode's alone (Shao et al. 2024)",
    of: (episodes) => episodes.map(({ states }) => states.map(() => 0)),
  },
  gigpo: {
    description:
      "plus its rl.advantage among the turns of its state (Feng et al. 2025)",
    of: amongState,
  },
  vineppo: {
    description: "plus V after it - V before it (Kazemnejad et al. 2024)",
    of: (episodes) => {
      const values = stateValues(episodes);
      return episodes.map(({ states, reward }) =>
        states.map((state, i) =>
          (values.get(states[i + 1]!) ?? reward) - values.get(state)!
        )
      );
    },
  },
} satisfies Record<string, Credit>;

/** The name of a kind of credit. */
export type CreditName = keyof typeof CREDITS;

/** All names. */
export const CREDIT_NAMES = Object.keys(CREDITS) as CreditName[];

/** What each does, in one line. */
export const CREDIT_HELP: string = Object.entries(CREDITS)
  .map(([name, { description }]) => `${name}: ${description}`).join("; ");

/** Settings of credit. */
export interface CreditOptions {
  readonly credit: CreditName;
  /** What the comparison of turns is multiplied by before it is added to the episode's advantage. */
  readonly creditWeight: number;
  readonly advantage: AdvantageName;
}

/**
 * The advantage of each turn of a group's episodes: its episode's, and how it did in its state.
 * @returns `[G]` of `[turns]`. A turn whose state no other turn shares has its episode's advantage.
 * @throws {RangeError} If the group is empty, or `maxrl` is given a negative reward.
 * @example Both began alike; the second turn was each one's own.
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { turnAdvantages } from "./credit.ts";
 * const group = [{ reward: 1, states: [0, 1] }, { reward: 0, states: [0, 2] }];
 * deepEqual(
 *   turnAdvantages(group, { credit: "gigpo", creditWeight: 1, advantage: "dr-grpo" }),
 *   [[1, 0.5], [-1, -0.5]],
 * );
 * ```
 */
export function turnAdvantages(
  episodes: readonly CreditedEpisode[],
  { credit, creditWeight, advantage }: CreditOptions,
): number[][] {
  const whole = advantages(episodes.map(({ reward }) => reward), advantage);
  return CREDITS[credit].of(episodes, advantage).map((turns, i) =>
    turns.map((turn) => whole[i]! + creditWeight * turn)
  );
}

/**
 * The advantage of each token: its turn's where it was sampled, 0 elsewhere.
 * @param episodes `[G]`, each with `[T]` tokens; `null` for one whose tokens are not known.
 * @returns `[G]` of `[T]`.
 */
export function tokenAdvantages(
  episodes: readonly {
    readonly trajectory: Trajectory | null;
    readonly reward: number;
  }[],
  options: CreditOptions,
): number[][] {
  const turns = sampledTurns(episodes.map(({ trajectory }) => trajectory));
  const credited = episodes.map(({ reward }, i) => ({
    reward,
    states: turns[i]!.map(({ state }) => state),
  }));
  return turnAdvantages(credited, options).map((values, i) => {
    const out = Array<number>(episodes[i]!.trajectory?.ids.length ?? 0).fill(0);
    turns[i]!.forEach(({ start, end }, k) => out.fill(values[k]!, start, end));
    return out;
  });
}

/** Sampled tokens without a break, `start` to before `end`, and the state before them. */
interface SampledTurn {
  readonly start: number;
  readonly end: number;
  readonly state: number;
}

/** The turns of episodes; a state is all that the world has said so far, whatever the agent said to it. */
function sampledTurns(
  trajectories: readonly (Trajectory | null)[],
): SampledTurn[][] {
  const states = new Map<string, number>();
  function after(state: number, said: readonly number[]): number {
    const key = `${state}:${said}`;
    const known = states.get(key) ?? states.size + 1;
    states.set(key, known);
    return known;
  }
  return trajectories.map((trajectory) => {
    const turns: SampledTurn[] = [];
    if (trajectory === null) return turns;
    const { ids, lossMask } = trajectory;
    for (let at = 0, state = 0;;) {
      const start = lossMask.indexOf(1, at);
      if (start < 0) return turns;
      const stop = lossMask.indexOf(0, start);
      const end = stop < 0 ? ids.length : stop;
      state = after(state, ids.slice(at, start));
      turns.push({ start, end, state });
      at = end;
    }
  });
}

function amongState(
  episodes: readonly CreditedEpisode[],
  advantage: AdvantageName,
): number[][] {
  const out = episodes.map(({ states }) => states.map(() => 0));
  for (const turns of byState(episodes).values()) {
    advantages(turns.map(({ reward }) => reward), advantage)
      .forEach((value, i) => {
        const { episode, turn } = turns[i]!;
        out[episode]![turn] = value;
      });
  }
  return out;
}

/** The mean reward of each state's turns. */
function stateValues(
  episodes: readonly CreditedEpisode[],
): Map<number, number> {
  return new Map(
    byState(episodes).entries().map(([state, turns]) => [
      state,
      turns.reduce((sum, { reward }) => sum + reward, 0) / turns.length,
    ]),
  );
}

function byState(episodes: readonly CreditedEpisode[]) {
  return Map.groupBy(
    episodes.flatMap(({ reward, states }, episode) =>
      states.map((state, turn) => ({ episode, turn, state, reward }))
    ),
    ({ state }) => state,
  );
}
