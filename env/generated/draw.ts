/**
 * Makes the random draws that all domains share: weighted picks, shares, unique ids, and tasks composed from drawn
 * requests.
 */

import { printPythonJson } from "../python/python_json.ts";
import type { Rng } from "../random.ts";
import type { Goal, Request } from "../domains/shared/goal/goal.ts";
import type { Split, Task, ToolAction } from "../types.ts";
import type { Voice } from "../users/voice.ts";
import type { BatchPlace } from "./world.ts";

/** A request and the actions that fulfill it. */
export interface Drawn<R extends Request = Request> {
  readonly request: R;
  /** The reads, followed by the write if there is one. */
  readonly actions: readonly ToolAction[];
  /** The strings that the agent's messages must contain. */
  readonly outputs: readonly string[];
}

/** The settings for a user's manner of speaking. */
export interface MannerOptions {
  readonly wording: number;
  readonly voices: Readonly<Record<Voice, number>>;
  readonly holdOutPhrasings: boolean;
}

/** A source of unique random ids, which also reserves given ids. */
export class Ids {
  readonly #taken = new Set<string>();

  /** Draws and reserves a free id that consists of `prefix` and `digits` random digits. The first digit is not 0. */
  draw(rng: Rng, { prefix = "", digits }: { prefix?: string; digits: number }) {
    for (;;) {
      let id = prefix + (1 + rng.int(9));
      for (let i = 1; i < digits; i++) id += rng.int(10);
      if (this.claim(id)) return id;
    }
  }

  /**
   * Reserves an id.
   * @returns Whether the id was free.
   */
  claim(id: string): boolean {
    if (this.#taken.has(id)) return false;
    this.#taken.add(id);
    return true;
  }
}

/** Draws an integer from `min` to `max`, both inclusive. */
export function between(rng: Rng, min: number, max: number): number {
  return min + rng.int(max - min + 1);
}

/**
 * Draws `true` with probability `share`. Uses no random number if `share` is 0, so that a new option with share 0 does
 * not change existing worlds.
 */
export function happens(rng: Rng, share: number): boolean {
  return share > 0 && rng.next() < share;
}

/** Picks a key with a probability proportional to its weight. A key with weight 0 is never picked. */
export function pickWeighted<T>(rng: Rng, weights: ReadonlyMap<T, number>): T {
  const total = weights.values().reduce((sum, weight) => sum + weight, 0);
  let left = rng.next() * total;
  const drawable = [...weights].filter(([, weight]) => weight > 0);
  for (const [one, weight] of drawable) {
    left -= weight;
    if (left < 0) return one;
  }
  return rng.pick(drawable)[0];
}

/** Draws one intent by weight or, with probability `twoIntentShare`, two different intents. */
export function drawIntentsOf<T extends string>(
  rng: Rng,
  { intents, twoIntentShare }: {
    readonly intents: Readonly<Record<T, number>>;
    readonly twoIntentShare: number;
  },
): T[] {
  const weights = new Map(Object.entries(intents) as [T, number][]);
  const first = pickWeighted(rng, weights);
  weights.delete(first);
  const more = weights.values().some((weight) => weight > 0);
  return more && rng.next() < twoIntentShare
    ? [first, pickWeighted(rng, weights)]
    : [first];
}

/** Draws a user's manner of speaking. */
export function drawManner(
  rng: Rng,
  { split, options }: { split: Split; options: MannerOptions },
): Omit<Goal, "requests"> {
  const voice = drawVoice(rng, options.voices);
  const phrasings = split === "train" ? "train" : "held_out";
  return {
    wording: options.wording,
    ...(voice === "plain" ? {} : { voice }),
    ...(options.holdOutPhrasings ? { phrasings } : {}),
  };
}

/**
 * Draws a voice by weight. Uses no random number if only `plain` has a weight, so that worlds without other voices do
 * not change.
 */
function drawVoice(rng: Rng, voices: MannerOptions["voices"]): Voice {
  const weights = new Map(Object.entries(voices)) as Map<Voice, number>;
  const others = weights.entries().some(([voice, weight]) =>
    voice !== "plain" && weight > 0
  );
  return others ? pickWeighted(rng, weights) : "plain";
}

/** The maximum number of wishes per task. A wish is a request or several related requests. */
const MAX_WISHES = 4;

/** The number of consecutive failed draws after which a task gets no more wishes. */
const TRIES = 6;

/**
 * Draws the wishes of a task about existing rows. A wish is a request or several related requests. After each wish,
 * another wish is drawn with probability `share`.
 * @returns The wishes; empty if no first wish can be drawn.
 */
export function drawWishesOf<W>(
  rng: Rng,
  { share, draw }: {
    readonly share: number;
    /** Draws the next wish, given the previous wishes; `undefined` if the draw fails. */
    draw(before: readonly W[]): W | undefined;
  },
): W[] {
  const wishes: W[] = [];
  do {
    const next = tryOften(() => draw(wishes));
    if (next === undefined) break;
    wishes.push(next);
  } while (wishes.length < MAX_WISHES && rng.next() < share);
  return wishes;
}

function tryOften<T>(attempt: () => T | undefined): T | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    const made = attempt();
    if (made !== undefined) return made;
  }
  return undefined;
}

/** The benchmark, domain, split and index of a drawn task. */
export type TaskPlace = Pick<Task, "benchmark" | "domain" | "split" | "index">;

/**
 * Draws the tasks of a batch by calling `draw` for each element of `settled`. An element holds the requests or intents
 * that were already drawn for one task. Returns `undefined` if a draw fails.
 */
export function drawTasks<S>(
  { count: _, ...first }: BatchPlace,
  settled: readonly S[],
  draw: (settled: S, place: TaskPlace) => Task | undefined,
): Task[] | undefined {
  const tasks: Task[] = [];
  for (const [i, one] of settled.entries()) {
    const task = draw(one, { ...first, index: first.index + i });
    if (task === undefined) return undefined;
    tasks.push(task);
  }
  return tasks;
}

/** The parts from which {@linkcode taskOf} composes a task. */
export interface TaskParts {
  readonly place: TaskPlace;
  readonly userId: string;
  readonly goal: Goal;
  readonly instruction: string;
  /** The read that finds the user's id. */
  readonly first: ToolAction;
  readonly drawn: readonly Drawn[];
}

/** Composes a task from drawn requests. */
export function taskOf(
  { place, userId, goal, instruction, first, drawn }: TaskParts,
): Task {
  return {
    id: `${place.domain}/${place.split}/${place.index}`,
    ...place,
    userId,
    instruction,
    actions: withoutRepeatedReads([
      first,
      ...drawn.flatMap(({ actions }) => actions),
    ]),
    outputs: drawn.flatMap(({ outputs }) => outputs),
    intent: goal.requests.map(({ intent, refused }) =>
      refused ? `${intent} (refused)` : intent
    ).join("+"),
    goal,
  };
}

/** Returns the actions without `get_`, `search_` and `list_` calls that repeat an earlier call. */
export function withoutRepeatedReads(
  actions: readonly ToolAction[],
): ToolAction[] {
  const made = new Set<string>();
  return actions.filter(({ name, arguments: args }) => {
    const key = name + printPythonJson(args);
    const isKnown = /^(get|search|list)_/.test(name) && made.has(key);
    made.add(key);
    return !isKnown;
  });
}
