/**
 * Compares taulab's Jinja with jinja2, configured as transformers configures it for chat templates. One Python process
 * renders many templates.
 */

import { parsePythonJson } from "../../env/python/python_json.ts";
import { JinjaError } from "../../env/tokens/jinja/template_error.ts";
import { JinjaTemplate } from "../../env/tokens/jinja/template.ts";
import type { Value } from "../../env/tokens/jinja/values.ts";
import { askPython } from "./ask_python.ts";

/** The outcome of rendering a template: the text, or the kind and the message of the error. */
export type Outcome =
  | { readonly text: string }
  | { readonly error: string; readonly message: string };

/** A template on which Python and taulab disagree. */
export interface Difference {
  readonly source: string;
  /** The index of the context within the template's group. */
  readonly context: number;
  readonly ours: Outcome;
  readonly theirs: Outcome;
}

/** The result of {@linkcode compareWithJinja2}. */
export interface Comparison {
  /** The number of compared renderings. */
  readonly compared: number;
  /** The number of renderings that succeeded in Python and returned a text. */
  readonly texts: number;
  readonly differences: readonly Difference[];
}

/** Templates that are each rendered in several contexts. */
export interface Group {
  readonly sources: readonly string[];
  /** The variables as JSON text, which preserves Python's floats and the order of keys. */
  readonly contexts: readonly string[];
}

/**
 * Renders each group's templates in each of its contexts with both implementations. The first rendering is slow,
 * because Python loads transformers.
 * @throws {Error} If Python has another version of jinja2.
 */
export async function compareWithJinja2<K extends string>(
  groups: Readonly<Record<K, Group>>,
): Promise<Record<K, Comparison>> {
  const entries = Object.entries<Group>(groups);
  const input = entries.map(([, { sources, contexts }]) =>
    `{"sources": ${JSON.stringify(sources)}, "contexts": [${
      contexts.join(", ")
    }]}`
  );
  const { version, results } = await askPython(
    "ask_jinja2.py",
    `[${input.join(", ")}]`,
  ) as { version: string; results: Outcome[][][] };
  if (version !== "3.1.6") {
    throw new Error(`jinja2 is ${version}; pip install jinja2==3.1.6`);
  }
  return Object.fromEntries(
    entries.map(([name, group], i) => [name, compare(group, results[i]!)]),
  ) as Record<K, Comparison>;
}

function compare(
  { sources, contexts }: Group,
  results: readonly (readonly Outcome[])[],
): Comparison {
  const variables = contexts.map((text) =>
    parsePythonJson(text) as Map<string, Value>
  );
  const all = sources.flatMap((source, i) =>
    render(source, variables).map((ours, context): Difference => ({
      source,
      context,
      ours,
      theirs: results[i]![context]!,
    }))
  );
  return {
    compared: all.length,
    texts: all.filter(({ theirs }) => "text" in theirs).length,
    differences: all.filter(({ ours, theirs }) => !agree(ours, theirs)),
  };
}

function render(
  source: string,
  contexts: readonly ReadonlyMap<string, Value>[],
): Outcome[] {
  let template: JinjaTemplate;
  try {
    template = new JinjaTemplate(source);
  } catch (error) {
    return contexts.map(() => failure(error));
  }
  return contexts.map((context) => {
    try {
      return { text: template.render(context) };
    } catch (error) {
      return failure(error);
    }
  });
}

function failure(error: unknown): Outcome {
  if (!(error instanceof JinjaError)) throw error;
  return { error: error.kind, message: error.message };
}

/**
 * Checks whether two outcomes agree. Errors must have the same kind, and exceptions that a template raises must also
 * have the same message.
 */
function agree(ours: Outcome, theirs: Outcome): boolean {
  if ("text" in ours || "text" in theirs) {
    return "text" in ours && "text" in theirs &&
      addressless(ours.text) === addressless(theirs.text);
  }
  return ours.error === theirs.error &&
    (ours.error !== "raised" || ours.message === theirs.message);
}

/**
 * Replaces printed functions, classes and iterators with fixed texts, because Python prints their memory addresses and
 * taulab does not.
 */
function addressless(text: string): string {
  return text
    .replace(/<generator object [^>]*>/g, "<generator object>")
    .replace(/<(\w+_reverseiterator) object[^>]*>/g, "<$1 object>")
    .replace(
      /<(?:function|built-in method|class|bound method) [^>]*>/g,
      "<fn>",
    );
}
