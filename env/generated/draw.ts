/**
 * Drawing that every domain does alike: by weight, by share, ids that are drawn once, and the task that drawn requests
 * make.
 */

import { printPythonJson } from "../python/python_json.ts";
import type { Rng } from "../random.ts";
import type { Goal, Request } from "../domains/shared/goal/goal.ts";
import type { Split, Task, ToolAction } from "../types.ts";
import type { Voice } from "../users/voice.ts";
import type { LotPlace } from "./world.ts";

/** A request and how it is met. */
export interface Drawn<R extends Request = Request> {
  readonly request: R;
  /** Reads, then the write if there is one. */
  readonly actions: readonly ToolAction[];
  /** What must be told. */
  readonly outputs: readonly string[];
}

/** How a user speaks, as the knobs have it. */
export interface MannerOptions {
  readonly wording: number;
  readonly voices: Readonly<Record<Voice, number>>;
  readonly holdOutPhrasings: boolean;
}

/** Draws ids that have not been drawn before. */
export class Ids {
  readonly #taken = new Set<string>();

  /** `prefix` and `digits` random digits, the first not 0. */
  draw(rng: Rng, { prefix = "", digits }: { prefix?: string; digits: number }) {
    for (;;) {
      let id = prefix + (1 + rng.int(9));
      for (let i = 1; i < digits; i++) id += rng.int(10);
      if (this.claim(id)) return id;
    }
  }

  /** Takes an id; false if it is taken already. */
  claim(id: string): boolean {
    if (this.#taken.has(id)) return false;
    this.#taken.add(id);
    return true;
  }
}

/** An integer from `min` to `max`, both included. */
export function between(rng: Rng, min: number, max: number): number {
  return min + rng.int(max - min + 1);
}

/** Whether something of this share happens. Nothing is drawn for a share of 0, so that worlds without it stay as they are. */
export function happens(rng: Rng, share: number): boolean {
  return share > 0 && rng.next() < share;
}

/** One of the weighted; those of weight 0 never. */
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

/** One intent by weight, or two different ones. */
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

/** How the user of a task speaks. */
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

/** A voice by weight; nothing is drawn where all are plain, so that worlds without voices stay as they are. */
function drawVoice(rng: Rng, voices: MannerOptions["voices"]): Voice {
  const weights = new Map(Object.entries(voices)) as Map<Voice, number>;
  const others = weights.entries().some(([voice, weight]) =>
    voice !== "plain" && weight > 0
  );
  return others ? pickWeighted(rng, weights) : "plain";
}

/** Most wishes in a task. */
const MOST_WISHES = 4;

/** Draws of a further wish before a task does without. */
const TRIES = 6;

/**
 * The wishes of a task over existing rows: one, and after each a further one by a share.
 * @returns None where the first came to nothing.
 */
export function drawWishesOf<W>(
  rng: Rng,
  { share, draw }: {
    readonly share: number;
    /** Draws the wish after those before. */
    draw(before: readonly W[]): W | undefined;
  },
): W[] {
  const wishes: W[] = [];
  do {
    const next = tryOften(() => draw(wishes));
    if (next === undefined) break;
    wishes.push(next);
  } while (wishes.length < MOST_WISHES && rng.next() < share);
  return wishes;
}

function tryOften<T>(attempt: () => T | undefined): T | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    const made = attempt();
    if (made !== undefined) return made;
  }
  return undefined;
}

/** Which task is drawn. */
export type TaskPlace = Pick<Task, "benchmark" | "domain" | "split" | "index">;

/** Draws the tasks of a lot, each by what was settled for it; `undefined` where one came to nothing. */
export function drawTasks<S>(
  { count: _, ...first }: LotPlace,
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

/** What a task is made of. */
export interface TaskParts {
  readonly place: TaskPlace;
  readonly userId: string;
  readonly goal: Goal;
  readonly instruction: string;
  /** The read that finds the user. */
  readonly first: ToolAction;
  readonly drawn: readonly Drawn[];
}

/** The task that drawn requests make. */
export function taskOf(
  { place, userId, goal, instruction, first, drawn }: TaskParts,
): Task {
  return {
    id: `${place.domain}/${place.split}/${place.index}`,
    ...place,
    userId,
    instruction,
    actions: once([first, ...drawn.flatMap(({ actions }) => actions)]),
    outputs: drawn.flatMap(({ outputs }) => outputs),
    intent: goal.requests.map(({ intent, refused }) =>
      refused ? `${intent} (refused)` : intent
    ).join("+"),
    goal,
  };
}

/** Without reads that have been made already: what they show is known. */
export function once(actions: readonly ToolAction[]): ToolAction[] {
  const made = new Set<string>();
  return actions.filter(({ name, arguments: args }) => {
    const key = name + printPythonJson(args);
    const isKnown = /^(get|search|list)_/.test(name) && made.has(key);
    made.add(key);
    return !isKnown;
  });
}
