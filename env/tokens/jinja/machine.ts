/** Keeps the state of one rendering, and enforces its limits. */

import { limitError } from "./template_error.ts";
import type { Value } from "./values.ts";

/** Limits of one rendering. */
export interface Limits {
  /** Maximum number of steps: loop iterations, calls, processed elements, and blocks of 16 processed characters. */
  readonly work: number;
  /** Maximum number of characters in the output and in any intermediate string. */
  readonly characters: number;
  /** Maximum depth of nested macros and recursive loops. */
  readonly depth: number;
}

/**
 * The default limits, which suffice for a conversation of a million tokens. A template that exceeds a limit fails after
 * at most one or two seconds.
 */
export const LIMITS: Limits = {
  work: 8_000_000,
  characters: 1 << 23,
  depth: 200,
};

/** The state of one rendering, shared by all scopes. */
export class Machine {
  /** The output since the current capture began. */
  out = "";
  /** The line of the statement that is being executed. */
  line = 1;
  /**
   * The variables passed by the caller of the template. Within a scoped block, they include the variables of the
   * enclosing scope.
   */
  context: ReadonlyMap<string, Value>;
  /** The template's exports: variables that are assigned at the top level. */
  readonly exported: Map<string, Value> = new Map();
  /** The output of a block before a filter is applied to it. */
  captured = "";
  /** The time that `strftime_now` formats. */
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

  /**
   * Returns the value of a variable that is not local to a function: an export, a variable of the caller or a global.
   * Returns `undefined` if the variable does not exist.
   */
  resolve(name: string): Value | undefined {
    for (const names of [this.exported, this.context, this.#globals]) {
      const value = names.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /**
   * Counts steps.
   * @throws {JinjaError} If the limit is exceeded.
   */
  spend(steps: number): void {
    if ((this.#work -= steps) < 0) throw limitError("rendering steps");
  }

  /** Counts the steps for processing a string. */
  spendText(text: string): void {
    this.spend(1 + (text.length >> 4));
  }

  /**
   * Appends to the output.
   * @throws {JinjaError} If the output becomes too long.
   */
  write(text: string): void {
    if ((this.out += text).length > this.#limits.characters) {
      throw limitError("output length");
    }
  }

  /**
   * Checks the length of a string.
   * @throws {JinjaError} If the string is too long.
   */
  checkLength(characters: number): void {
    if (characters > this.#limits.characters) throw limitError("string length");
  }

  /** Runs `body` and returns its output instead of writing it. */
  capture(body: () => void): string {
    const before = this.out;
    this.out = "";
    body();
    const text = this.out;
    this.out = before;
    return text;
  }

  /**
   * Runs a nested call, and restores the current line afterwards.
   * @throws {JinjaError} If calls are nested too deeply.
   */
  nested<T>(body: () => T): T {
    if (++this.#depth > this.#limits.depth) throw limitError("recursion depth");
    const { line } = this;
    const result = body();
    this.line = line;
    this.#depth--;
    return result;
  }
}
