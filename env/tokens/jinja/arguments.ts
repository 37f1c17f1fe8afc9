/** Binds the arguments of calls to parameters. */

import { typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import { type Keywords, type List, NO_KEYWORDS, type Value } from "./values.ts";

/** The argument bound to each parameter, or `undefined` if the parameter's default applies. */
export type BoundArguments = readonly (Value | undefined)[];

/** The signature of a function. Arguments are bound to it according to Python's rules. */
export interface Signature {
  readonly name: string;
  readonly parameters: readonly string[];
  /** Number of parameters without a default. */
  readonly required: number;
  /** Whether parameters may be passed by keyword. */
  readonly named: boolean;
}

/**
 * Parses a signature such as `"old, new, count?"`: a question mark denotes a parameter with a default, and a final `/`
 * means that all parameters are positional-only.
 */
export function signature(name: string, text: string): Signature {
  const parts = text.split(", ").filter((part) => part !== "");
  const parameters = parts.filter((part) => part !== "/");
  return {
    name,
    parameters: parameters.map((part) => part.replace("?", "")),
    required: parameters.filter((part) => !part.endsWith("?")).length,
    named: parameters.length === parts.length,
  };
}

/**
 * Binds arguments to the parameters of a signature.
 * @throws {JinjaError} If there are too many or too few arguments, if a keyword is unknown, or if a parameter gets
 * several values.
 */
export function bind(
  { name, parameters, required, named }: Signature,
  args: List,
  keywords: Keywords = NO_KEYWORDS,
): BoundArguments {
  if (args.length > parameters.length) {
    throw typeError(
      `${name}() takes ${parameters.length} positional arguments but ${args.length} were given`,
    );
  }
  if (keywords.size === 0 && args.length >= required) return args;
  const given: (Value | undefined)[] = args.slice();
  for (const [keyword, value] of keywords) {
    const at = named ? parameters.indexOf(keyword) : -1;
    if (at < 0) {
      throw typeError(
        `${name}() got an unexpected keyword argument '${keyword}'`,
      );
    }
    if (at < args.length) {
      throw typeError(
        `${name}() got multiple values for argument '${keyword}'`,
      );
    }
    given[at] = value;
  }
  for (let i = 0; i < required; i++) {
    if (given[i] === undefined) {
      throw typeError(
        `${name}() missing 1 required positional argument: '${parameters[i]}'`,
      );
    }
  }
  return given;
}

/** A method of a template type such as `str` or `dict`, a filter, or a test. `T` is the TypeScript type of `self`. */
export interface Method<T> {
  readonly name: string;
  call(self: T, args: List, keywords: Keywords, machine: Machine): Value;
}

/** Creates a method. Its arguments are bound to the parameters of a signature. */
export function method<T>(
  name: string,
  parameters: string,
  run: (self: T, given: BoundArguments, machine: Machine) => Value,
): Method<T> {
  const bound = signature(name, parameters);
  return {
    name,
    call: (self, args, keywords, machine) =>
      run(self, bind(bound, args, keywords), machine),
  };
}

/** Returns a map of methods, keyed by name. */
export function methodTable<T>(
  methods: readonly Method<T>[],
): ReadonlyMap<string, Method<T>> {
  return new Map(methods.map((method) => [method.name, method]));
}
