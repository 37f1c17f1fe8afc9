/** Extracts texts from Python source: constants, f-strings, and strings that begin with known text. */

import { DataError } from "../../../errors.ts";
import { trim } from "../../../python/python_space.ts";
import {
  assignments,
  bodyOf,
  definition,
  type PythonModules,
} from "../../python_source/python_modules.ts";
import { decodeBody, splitString } from "../../python_source/string_literal.ts";
import {
  children,
  descendants,
  type Node,
  type PythonSource,
  textOf,
  unreadable,
} from "../../python_source/syntax_tree.ts";
import { argumentsOf } from "./python_class.ts";

/** The names of placeholders, keyed by the expression that each placeholder replaces. */
export type Placeholders = Readonly<Record<string, string>>;

/**
 * Returns the text of a string constant, with placeholders for expressions in braces. Leading and trailing white space
 * is removed if the source calls `.strip()` on the string.
 * @throws {DataError} If there is no such constant.
 */
export async function constantText(
  modules: PythonModules,
  source: PythonSource,
  { name, placeholders = {} }: { name: string; placeholders?: Placeholders },
): Promise<string> {
  const found = await modules.definitionNamed(source, name);
  const [literal] = stringsIn(found.source, found.node);
  if (literal === undefined) throw noText(source, `the text ${name}`);
  const isStripped = /\.strip\(\)$/.test(textOf(found.source, found.node));
  const text = isStripped ? trim(literal) : literal;
  return withPlaceholders(text, placeholders);
}

/**
 * Returns the string passed as the argument `keyword` to the call that initializes the constant `name`.
 * @throws {DataError} If there is no such argument.
 */
export async function keywordText(
  modules: PythonModules,
  source: PythonSource,
  { name, keyword }: { name: string; keyword: string },
): Promise<string> {
  const found = await modules.definitionNamed(source, name);
  const [, list] = children(found.node);
  const given = list === undefined ? [] : argumentsOf(found.source, list);
  const argument = given.find((one) => one.keyword === keyword);
  const [text] = argument ? stringsIn(found.source, argument.value) : [];
  if (text === undefined) throw noText(source, `${keyword} of ${name}`);
  return text;
}

/**
 * Returns the concatenation of strings and variables that a function assigns to a name, with placeholders for
 * variables.
 * @throws {DataError} If there is no assignment, or a variable has no placeholder.
 */
export function joinedText(
  source: PythonSource,
  { within, name, placeholders }: {
    within: string;
    name: string;
    placeholders: Placeholders;
  },
): string {
  const owner = definition(source, source.root, "FunctionDefinition", within);
  const value = owner && assignments(bodyOf(owner), source).get(name);
  if (value === undefined) throw noText(source, `"${name}" of ${within}()`);
  const parts = ["String", "VariableName"]
    .flatMap((kind) => [...descendants(value, kind)])
    .sort((a, b) => a.from - b.from);
  return parts.map((part) => {
    if (part.name === "String") return stringOf(source, part);
    const variable = textOf(source, part);
    if (Object.hasOwn(placeholders, variable)) {
      return `<<${placeholders[variable]}>>`;
    }
    throw unreadable(
      source,
      part,
      `unknown variable "${variable}" in ${within}()`,
    );
  }).join("");
}

/**
 * Returns the first string in a file that starts with `begins`, ignoring leading white space.
 * @throws {DataError} If there is no such string.
 */
export function textBeginning(
  source: PythonSource,
  { begins, placeholders = {} }: {
    begins: string;
    placeholders?: Placeholders;
  },
): string {
  for (const text of stringsIn(source, source.root)) {
    if (text.trimStart().startsWith(begins)) {
      return withPlaceholders(text, placeholders);
    }
  }
  throw noText(source, `text that begins with "${begins}"`);
}

const KINDS: readonly string[] = ["String", "FormatString"];

/**
 * Yields the strings in a node, in order: the node itself if it is a string, otherwise all strings below it. The
 * expressions in f-strings are not replaced.
 */
export function* stringsIn(
  source: PythonSource,
  node: Node,
): Generator<string> {
  const literals = KINDS.includes(node.name)
    ? [node]
    : KINDS.flatMap((kind) => [...descendants(node, kind)])
      .sort((a, b) => a.from - b.from);
  for (const literal of literals) yield stringOf(source, literal);
}

function stringOf(source: PythonSource, literal: Node): string {
  const { prefix, body } = splitString(textOf(source, literal));
  return decodeBody(body, prefix.includes("r"));
}

/** Replaces expressions in braces with their placeholders. Other braces are kept. */
function withPlaceholders(text: string, placeholders: Placeholders): string {
  return text.replace(
    /\{([\w.]+(?:\([^(){}]*\))?)\}/g,
    (braces, inner: string) =>
      Object.hasOwn(placeholders, inner)
        ? `<<${placeholders[inner]}>>`
        : braces,
  );
}

function noText(source: PythonSource, what: string): DataError {
  return new DataError(`Cannot find ${what} in "${source.path}"`, {
    path: source.path,
    hint: "pass a tau2-bench checkout with a supported layout",
  });
}
