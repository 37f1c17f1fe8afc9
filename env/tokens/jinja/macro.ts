/** Represents macros and the bodies of call blocks as callable values. */

import { typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import {
  Callable,
  type Keywords,
  type List,
  Tuple,
  Undefined,
  type Value,
} from "./values.ts";

/** The parameters of a macro. */
export interface MacroParameters {
  readonly names: readonly string[];
  /** Whether the body uses `caller`. If so, its value is passed after the arguments for `names`. */
  readonly caller: boolean;
  /** Whether the body uses `kwargs`. If so, the other keyword arguments are passed after `caller`. */
  readonly keywords: boolean;
  /** Whether the body uses `varargs`. If so, the other positional arguments are passed last. */
  readonly rest: boolean;
}

/** A macro with the scope in which it was defined. */
export class Macro extends Callable {
  override readonly typeName = "Macro";
  readonly #name: string | null;
  readonly #parameters: MacroParameters;
  readonly #run: (args: readonly (Value | undefined)[]) => string;

  /**
   * Creates a macro.
   * @param run Renders the body. It receives an argument for each parameter, or `undefined` if none was passed,
   * followed by the special values that the body uses.
   */
  constructor(
    name: string | null,
    parameters: MacroParameters,
    run: (args: readonly (Value | undefined)[]) => string,
  ) {
    super();
    this.#name = name;
    this.#parameters = parameters;
    this.#run = run;
  }

  override call(machine: Machine, args: List, keywords: Keywords): Value {
    // Costs as much as a few loop iterations.
    machine.spend(8);
    const bound = this.#bind(args, new Map(keywords));
    return machine.nested(() => this.#run(bound));
  }

  #bind(args: List, keywords: Map<string, Value>): (Value | undefined)[] {
    const { names, caller, keywords: hasKeywords, rest } = this.#parameters;
    const bound: (Value | undefined)[] = args.slice(0, names.length);
    for (const name of names.slice(bound.length)) {
      bound.push(keywords.get(name));
      keywords.delete(name);
    }
    if (caller) {
      const given = keywords.get("caller");
      keywords.delete("caller");
      bound.push(given ?? new Undefined(() => "No caller defined"));
    }
    if (hasKeywords) bound.push(keywords);
    else this.#refuse(keywords);
    if (rest) bound.push(Tuple.make(args.slice(names.length)));
    else if (args.length > names.length) {
      throw typeError(
        `macro ${this.#shown} takes not more than ${names.length} argument(s)`,
      );
    }
    return bound;
  }

  #refuse(keywords: ReadonlyMap<string, Value>): void {
    const [first] = keywords.keys();
    if (first === undefined) return;
    throw typeError(
      `macro ${this.#shown} takes no keyword argument '${first}'`,
    );
  }

  get #shown(): string {
    return this.#name === null ? "None" : `'${this.#name}'`;
  }

  override attribute(name: string): Value | undefined {
    const { names, caller, keywords, rest } = this.#parameters;
    switch (name) {
      case "name":
        return this.#name;
      case "arguments":
        return Tuple.make(names);
      case "caller":
        return caller;
      case "catch_kwargs":
        return keywords;
      case "catch_varargs":
        return rest;
    }
    return undefined;
  }

  override repr(): string {
    return this.#name === null
      ? "<Macro anonymous>"
      : `<Macro '${this.#name}'>`;
  }
}
