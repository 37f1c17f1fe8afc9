/** What one rendering may spend and where it stands. */

import { limitError } from "./template_error.ts";
import type { Value } from "./values.ts";

/** Limits of one rendering. */
export interface Limits {
  /** Steps: a round of a loop, a call, an element handled, 16 characters handled. */
  readonly work: number;
  /** Characters of the output, and of any string on the way. */
  readonly characters: number;
  /** Macros and recursive loops within each other. */
  readonly depth: number;
}

/** Enough for a conversation of a million tokens; what exceeds them has taken a second or two. */
export const LIMITS: Limits = {
  work: 8_000_000,
  characters: 1 << 23,
  depth: 200,
};

/** The state of one rendering, whatever scope it is in. */
export class Machine {
  /** What has been written since the output was last captured. */
  out = "";
  /** The line of the statement that is running. */
  line = 1;
  /** What the caller gave, and below it what the engine gives. */
  context: ReadonlyMap<string, Value>;
  /** What the template exported: names set outside of loops and macros. */
  readonly exported: Map<string, Value> = new Map();
  /** What a block wrote that a filter is to be applied to. */
  captured = "";
  /** The time of `strftime_now`. */
  readonly now: Date;
  readonly #globals: ReadonlyMap<string, Value>;
  readonly #limits: Limits;
  #work: number;
  #depth = 0;

  constructor({ context, globals, now, limits }: {
    readonly context: ReadonlyMap<string, Value>;
    readonly globals: ReadonlyMap<string, Value>;
    readonly now: Date;
    readonly limits: Limits;
  }) {
    this.context = context;
    this.#globals = globals;
    this.now = now;
    this.#limits = limits;
    this.#work = limits.work;
  }

  /** A variable from outside the template; `undefined` where there is none. */
  resolve(name: string): Value | undefined {
    for (const names of [this.exported, this.context, this.#globals]) {
      const value = names.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Counts steps. @throws {JinjaError} If there were too many. */
  spend(steps: number): void {
    if ((this.#work -= steps) < 0) throw limitError("work");
  }

  /** Counts the handling of a text. */
  spendText(text: string): void {
    this.spend(1 + (text.length >> 4));
  }

  /** Writes to the output. */
  write(text: string): void {
    if ((this.out += text).length > this.#limits.characters) {
      throw limitError("output");
    }
  }

  /** Checks the length of a string before it is made, or after it was joined. */
  checkLength(characters: number): void {
    if (characters > this.#limits.characters) throw limitError("string length");
  }

  /** What `body` writes. */
  capture(body: () => void): string {
    const before = this.out;
    this.out = "";
    body();
    const text = this.out;
    this.out = before;
    return text;
  }

  /** Runs a call within calls; errors after it are at the line before it. */
  nested<T>(body: () => T): T {
    if (++this.#depth > this.#limits.depth) throw limitError("recursion");
    const { line } = this;
    const result = body();
    this.line = line;
    this.#depth--;
    return result;
  }
}
