/** Credit assignment: an advantage for each turn, instead of one for the whole episode. */

import type { Trajectory } from "../env/tokens/trajectory.ts";
import { type AdvantageName, advantages } from "./advantage.ts";

/** An episode with the state before each turn. */
export interface CreditedEpisode {
  readonly reward: number;
  /**
   * The state in which each turn began, in order. Turns of a group that began in the same state have the same number.
   */
  readonly states: readonly number[];
}

/** A method of credit assignment. */
interface Credit {
  /** The formula and its source, as `--help` shows them. */
  readonly description: string;
  /**
   * Returns the credit of each turn, `[G][turns]`: how much better the turn was than expected in its state. The credit
   * is added to the episode's advantage.
   */
  readonly of: (
    episodes: readonly CreditedEpisode[],
    advantage: AdvantageName,
  ) => number[][];
}

/**
 * Methods of credit assignment, keyed by their names in a recipe's `rl.credit`. `V` is the value of a state: the mean
 * reward of the group's turns in this state.
 * @see gigpo: Feng et al. 2025, "Group-in-Group Policy Optimization", section 4.2, without discount, because the reward
 * comes at the end. Differs: a state is everything that the world has said so far, not only its last observation,
 * because the last message of a conversation does not determine what came before.
 * @see vineppo: Kazemnejad et al. 2024, "VinePPO", section 4. Differs: `V` is estimated from the group's own episodes,
 * without extra samples. Therefore, turns that use different words but receive the same answer have the same value.
 */
const CREDITS = {
  episode: {
    description: "the episode's advantage (Shao et al. 2024)",
    of: (episodes) => episodes.map(({ states }) => states.map(() => 0)),
  },
  gigpo: {
    description:
      "adds the advantage that rl.advantage computes among the turns taken in the same state (Feng et al. 2025)",
    of: amongState,
  },
  vineppo: {
    description:
      "adds the change in a state's value over the turn (Kazemnejad et al. 2024)",
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

/** The name of a method of credit assignment. */
export type CreditName = keyof typeof CREDITS;

/** The names of all methods of credit assignment. */
export const CREDIT_NAMES = Object.keys(CREDITS) as CreditName[];

/** The names and descriptions of the methods of credit assignment, for help texts. */
export const CREDIT_HELP: string = Object.entries(CREDITS)
  .map(([name, { description }]) => `${name}: ${description}`).join("; ");

/** Options for {@linkcode turnAdvantages}. */
export interface CreditOptions {
  readonly credit: CreditName;
  /** The weight of the turn's credit, which is added to the episode's advantage. */
  readonly creditWeight: number;
  readonly advantage: AdvantageName;
}

/**
 * Returns the advantage of each turn of a group's episodes: the episode's advantage plus the credit of the turn.
 * @returns `[G][turns]`. If no other turn has the same state, a turn gets the episode's advantage.
 * @throws {RangeError} If the group is empty, or `maxrl` is given a negative reward.
 * @example The first turns of both episodes have the same state; the second turns have different states.
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
 * Returns the advantage of each token: the advantage of its turn if the token was sampled, otherwise 0.
 * @param episodes `[G]`, each with `[T]` tokens; `null` if the tokens are unknown.
 * @returns `[G][T]`.
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

/** A contiguous run of sampled tokens, from `start` to `end` (exclusive), and the state before it. */
interface SampledTurn {
  readonly start: number;
  readonly end: number;
  readonly state: number;
}

/**
 * Returns the turns of each episode. A state is everything that the world has said so far, regardless of what the agent
 * said.
 */
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

/** Returns the mean reward of each state's turns. */
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
