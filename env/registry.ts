/** Strategies by name, which a script may add to; a config names them, and its schema knows what is registered. */

import { z } from "zod";
import { ConfigError } from "./errors.ts";
import { nearest } from "./schema_issue.ts";

let isExtended = false;

/** Whether a script has registered something of its own. Other threads of the process do not have it. */
export function hasExtensions(): boolean {
  return isExtended;
}

/** Remembers that a script has registered something of its own. */
export function noteExtension(): void {
  isExtended = true;
}

/** Entries by name, in the order of registration. */
export class Registry<T> {
  readonly #kind: string;
  readonly #entries: Map<string, T>;

  /** @param kind What an entry is, for errors: `user`. */
  constructor(kind: string, entries: Readonly<Record<string, T>>) {
    this.#kind = kind;
    this.#entries = new Map(Object.entries(entries));
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** @throws {ConfigError} If nothing of that name is registered. */
  get(name: string): T {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    throw new ConfigError(
      `No ${this.#kind} is registered as "${name}"; the nearest is "${
        nearest(name, this.names)
      }"`,
      { hint: `choose one of ${this.names.join(", ")}, or register it first` },
    );
  }

  /**
   * Adds an entry under a new name.
   * @throws {ConfigError} If the name is taken, or is not made of lower-case letters, digits and hyphens.
   */
  register(name: string, entry: T): void {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) {
      throw new ConfigError(
        `"${name}" cannot name the ${this.#kind}`,
        { hint: "use lower-case letters, digits and hyphens, a letter first" },
      );
    }
    if (this.#entries.has(name)) {
      throw new ConfigError(
        `The ${this.#kind} "${name}" is registered already`,
        { hint: "choose another name" },
      );
    }
    this.#entries.set(name, entry);
    noteExtension();
  }

  /**
   * The schema of a name: valid is what is registered when a value is parsed.
   * @param also Names that are valid beside them.
   */
  schema(also: readonly string[] = []) {
    const names = () => [...this.names, ...also];
    return z.string().check(({ value, issues }) => {
      if (names().includes(value)) return;
      issues.push({ code: "invalid_value", values: names(), input: value });
    }).meta({ choices: names });
  }
}
