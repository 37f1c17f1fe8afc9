/**
 * Converts Python annotations to JSON schemas as pydantic does: models and enums become separate definitions with
 * references.
 *
 * @see pydantic 2.12, `BaseModel.model_json_schema()`.
 */

import { DataError } from "../../../errors.ts";
import {
  bodyOf,
  type PythonModules,
} from "../../python_source/python_modules.ts";
import {
  children,
  type Node,
  type PythonSource,
  textOf,
  unreadable,
} from "../../python_source/syntax_tree.ts";
import { toPlain } from "../../../python/python_value.ts";
import { cleanDoc } from "./tool_docs.ts";
import { docstringOf, fieldOf, parentsOf } from "./python_class.ts";

/** A JSON schema. */
export type Schema = Record<string, unknown>;

const PLAIN: Readonly<Record<string, Schema>> = {
  str: { type: "string" },
  int: { type: "integer" },
  float: { type: "number" },
  bool: { type: "boolean" },
  None: { type: "null" },
  Any: {},
  dict: { additionalProperties: true, type: "object" },
  Dict: { additionalProperties: true, type: "object" },
  list: { items: {}, type: "array" },
  List: { items: {}, type: "array" },
};

/** The maximum nesting depth of annotations and type aliases. */
const MAX_DEPTH = 50;

/** Converts annotations to schemas, and collects the definitions of the models that the annotations name. */
export class TypeSchemas {
  readonly #modules: PythonModules;
  readonly definitions = new Map<string, Schema>();

  constructor(modules: PythonModules) {
    this.#modules = modules;
  }

  /**
   * Returns the schema of an annotation, given as source text, such as `List[FlightInfo | dict]`.
   * @throws {DataError} If the annotation names an unknown type or is nested too deeply.
   */
  async of(
    source: PythonSource,
    annotation: string,
    depth = 0,
  ): Promise<Schema> {
    if (depth > MAX_DEPTH) {
      throw new DataError(
        `${source.path}: the type "${annotation}" is nested too deeply`,
        {
          path: source.path,
        },
      );
    }
    const text = annotation.trim();
    const either = splitOutside(text, "|");
    if (either.length > 1) return await this.#union(source, either, depth);
    const [, name = text, inner] = /^([\w.]+)\[([\s\S]*)\]$/.exec(text) ?? [];
    if (inner === undefined) return await this.#named(source, name, depth);
    const parts = splitOutside(inner, ",");
    switch (name.split(".").at(-1)) {
      case "Optional":
        return await this.#union(source, [...parts, "None"], depth);
      case "Union":
        return await this.#union(source, parts, depth);
      case "Annotated":
        return await this.of(source, parts[0] ?? "", depth + 1);
      case "Literal":
        return literals(parts.map((part) => part.trim().slice(1, -1)));
      case "List":
      case "list":
        return {
          items: await this.of(source, inner, depth + 1),
          type: "array",
        };
      case "Dict":
      case "dict":
        return {
          additionalProperties: await this.of(
            source,
            parts[1] ?? "Any",
            depth + 1,
          ),
          type: "object",
        };
      default:
        throw new DataError(`${source.path}: unknown type "${text}"`, {
          path: source.path,
        });
    }
  }

  async #union(
    source: PythonSource,
    parts: readonly string[],
    depth: number,
  ): Promise<Schema> {
    const anyOf: Schema[] = [];
    for (const part of parts) {
      const schema = await this.of(source, part, depth + 1);
      anyOf.push(...(schema.anyOf as Schema[] | undefined) ?? [schema]);
    }
    return { anyOf };
  }

  async #named(
    source: PythonSource,
    name: string,
    depth: number,
  ): Promise<Schema> {
    const plain = PLAIN[name];
    if (plain !== undefined) return plain;
    const found = await this.#modules.definitionNamed(source, name);
    if (found.node.name !== "ClassDefinition") {
      return await this.of(
        found.source,
        textOf(found.source, found.node),
        depth + 1,
      );
    }
    if (!this.definitions.has(name)) {
      this.definitions.set(name, {});
      this.definitions.set(name, await this.#classSchema(found, name, depth));
    }
    return { $ref: `#/$defs/${name}` };
  }

  async #classSchema(
    { source, node }: { source: PythonSource; node: Node },
    title: string,
    depth: number,
  ): Promise<Schema> {
    const doc = docstringOf(source, node);
    const described = doc === undefined ? {} : { description: cleanDoc(doc) };
    const parents = parentsOf(source, node);
    if (parents.some((name) => /Enum$/.test(name))) {
      const values = await this.#enumValues(source, node);
      return { ...described, ...literals(values), title };
    }
    const properties: Schema = {};
    const required: string[] = [];
    for (const statement of children(bodyOf(node))) {
      const field = fieldOf(source, statement);
      if (field === undefined) continue;
      const { name, annotation, call } = field;
      const schema = await this.of(source, annotation, depth + 1);
      const given = await this.#fieldArguments(source, field.value, call);
      if (!given.hasDefault) required.push(name);
      properties[name] = withTitle(schema, name, given.extra);
    }
    const isClosed = await this.#forbidsMore(source, node, depth);
    return {
      ...isClosed && { additionalProperties: false },
      ...described,
      properties,
      ...required.length > 0 && { required },
      title,
      type: "object",
    };
  }

  async #enumValues(source: PythonSource, node: Node): Promise<string[]> {
    const values: string[] = [];
    for (const statement of children(bodyOf(node))) {
      if (statement.name !== "AssignStatement") continue;
      const value = children(statement).at(-1);
      if (value === undefined) continue;
      values.push(String(await this.#modules.value(source, value)));
    }
    return values;
  }

  /** Reads the default and the description from `Field(default, description=…)` or from a plain default. */
  async #fieldArguments(
    source: PythonSource,
    value: Node | undefined,
    call: readonly { keyword: string | undefined; value: Node }[] | undefined,
  ): Promise<{ hasDefault: boolean; extra: Schema }> {
    if (value === undefined) return { hasDefault: false, extra: {} };
    if (call === undefined) {
      const fallback = await this.#value(source, value);
      return { hasDefault: true, extra: { default: fallback } };
    }
    const extra: Schema = {};
    let hasDefault = false;
    for (const { keyword = "default", value } of call) {
      if (keyword === "default_factory") hasDefault = true;
      if (keyword !== "default" && keyword !== "description") continue;
      if (textOf(source, value) === "...") continue;
      extra[keyword] = await this.#value(source, value);
      if (keyword === "default") hasDefault = true;
    }
    return { hasDefault, extra };
  }

  /** Evaluates a literal or an enum member. */
  async #value(source: PythonSource, node: Node): Promise<unknown> {
    const [, name, member] = /^(\w+)\.(\w+)$/.exec(textOf(source, node)) ?? [];
    if (name === undefined) {
      return toPlain(await this.#modules.value(source, node));
    }
    const found = await this.#modules.definitionNamed(source, name);
    for (const statement of children(bodyOf(found.node))) {
      const [target, , value] = children(statement);
      if (
        target !== undefined && value !== undefined &&
        textOf(found.source, target) === member
      ) return toPlain(await this.#modules.value(found.source, value));
    }
    throw unreadable(source, node, "this kind of member is not supported");
  }

  /** Checks whether a model or one of its base classes has the setting `extra="forbid"`. */
  async #forbidsMore(
    source: PythonSource,
    node: Node,
    depth: number,
  ): Promise<boolean> {
    const body = textOf(source, bodyOf(node));
    if (/model_config\s*=[^\n]*extra\s*=\s*["']forbid["']/.test(body)) {
      return true;
    }
    for (const name of parentsOf(source, node)) {
      const found = await this.#modules.definitionNamed(source, name)
        .catch(() => undefined);
      if (found?.node.name !== "ClassDefinition" || depth > MAX_DEPTH) {
        continue;
      }
      const { source: at, node: parent } = found;
      if (await this.#forbidsMore(at, parent, depth + 1)) return true;
    }
    return false;
  }
}

/** Returns a property's schema with the keywords in `extra` and, unless the schema is a reference, a title. */
export function withTitle(schema: Schema, name: string, extra: Schema): Schema {
  const title = name.split("_").map((word) =>
    `${word.charAt(0).toUpperCase()}${word.slice(1).toLowerCase()}`
  ).join(" ");
  return "$ref" in schema
    ? { ...schema, ...extra }
    : { ...schema, title, ...extra };
}

/**
 * Returns a schema with its keys in pydantic's order. Keys are sorted alphabetically, except property names and keys
 * within defaults.
 */
export function sortedSchema(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((one) => sortedSchema(one));
  if (typeof value !== "object" || value === null || key === "default") {
    return value;
  }
  const keys = Object.keys(value);
  if (key !== "properties") keys.sort();
  return Object.fromEntries(
    keys.map((name) => [name, sortedSchema((value as Schema)[name], name)]),
  );
}

function literals(values: readonly string[]): Schema {
  return values.length === 1
    ? { const: values[0], type: "string" }
    : { enum: [...values], type: "string" };
}

/** Splits a string at separators outside brackets and quotes. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let [depth, start, quote] = [0, 0, ""];
  for (const [at, character] of text.split("").entries()) {
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "[" || character === "(") depth++;
    else if (character === "]" || character === ")") depth--;
    else if (character === separator && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  const last = text.slice(start).trim();
  return last === "" ? parts : [...parts, last];
}
