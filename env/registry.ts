/** Provides registries of named strategies. Scripts may add entries; config schemas accept the registered names. */

import { z } from "zod";
import { ConfigError } from "./errors.ts";
import { suggestion } from "./schema_issue.ts";

/** Matches the names that can be registered. */
const NAME = /^[a-z][a-z0-9-]*$/;

let isExtended = false;

/** Checks whether a script has registered an entry. Such entries exist only in the thread that registered them. */
export function hasExtensions(): boolean {
  return isExtended;
}

/** Records that a script has registered an entry. */
export function markExtended(): void {
  isExtended = true;
}

/** A registry of named entries, in the order of registration. */
export class Registry<T> {
  readonly #kind: string;
  readonly #entries: Map<string, T>;

  /** @param kind The word for an entry in error messages: `user`. */
  constructor(kind: string, entries: Readonly<Record<string, T>>) {
    this.#kind = kind;
    this.#entries = new Map(Object.entries(entries));
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * Returns the entry with this name.
   * @throws {ConfigError} If there is no entry with this name.
   */
  get(name: string): T {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    throw new ConfigError(
      `Unknown ${this.#kind} "${name}"${suggestion(name, this.names)}`,
      {
        hint: `choose one of ${this.names.join(", ")}${
          NAME.test(name)
            ? `, or register "${name}" in a script that you pass as --preload FILE`
            : ""
        }`,
      },
    );
  }

  /**
   * Adds an entry under a new name.
   * @throws {ConfigError} If the name is taken, does not start with a lowercase letter, or contains characters other
   * than lowercase letters, digits and hyphens.
   */
  register(name: string, entry: T): void {
    if (!NAME.test(name)) {
      throw new ConfigError(
        `Cannot register the ${this.#kind} "${name}": the name is not valid`,
        {
          hint:
            "start with a lowercase letter, and use only lowercase letters, digits and hyphens",
        },
      );
    }
    if (this.#entries.has(name)) {
      throw new ConfigError(
        `The ${this.#kind} "${name}" is already registered`,
        { hint: "choose another name" },
      );
    }
    this.#entries.set(name, entry);
    markExtended();
  }

  /**
   * Returns a schema for the name of an entry. It accepts the names that are registered when a value is parsed.
   * @param also Additional valid names.
   */
  schema(also: readonly string[] = []) {
    const names = () => [...this.names, ...also];
    return z.string().check(({ value, issues }) => {
      if (names().includes(value)) return;
      issues.push({ code: "invalid_value", values: names(), input: value });
    }).meta({ choices: names });
  }
}
