/** The modules of a Python checkout: their constants, by name, across files. */

import { dirname, join } from "node:path";
import { DataError } from "../../errors.ts";
import type { JsonValue } from "../../python/python_value.ts";
import { type CallArguments, evaluate } from "./literal_value.ts";
import {
  children,
  descendants,
  type Node,
  parsePython,
  type PythonSource,
  textOf,
  unreadable,
} from "./syntax_tree.ts";

/** Calls that stand for values, in every module. */
export type KnownCalls = (
  callee: string,
  args: CallArguments,
) => JsonValue | undefined;

/** The modules of a checkout. */
export class PythonModules {
  readonly #root: string;
  readonly #read: (path: string) => Promise<string | undefined>;
  readonly #calls: KnownCalls;
  readonly #sources = new Map<string, PythonSource | undefined>();

  /**
   * @param options.root The directory that absolute imports start from.
   * @param options.read A file's text; `undefined` where there is none.
   */
  constructor(
    options: {
      root: string;
      read: (path: string) => Promise<string | undefined>;
      calls: KnownCalls;
    },
  ) {
    this.#root = options.root;
    this.#read = options.read;
    this.#calls = options.calls;
  }

  /** A file that may be missing. @throws {DataError} If it is not Python. */
  async sourceIfAny(path: string): Promise<PythonSource | undefined> {
    if (!this.#sources.has(path)) {
      const text = await this.#read(path);
      const source = text === undefined ? undefined : parsePython(path, text);
      this.#sources.set(path, source);
    }
    return this.#sources.get(path);
  }

  /** A file. @throws {DataError} If it is missing or not Python. */
  async source(path: string): Promise<PythonSource> {
    const source = await this.sourceIfAny(path);
    if (source !== undefined) return source;
    throw new DataError(
      `Cannot find "${path}"`,
      {
        path,
        hint:
          "give the directory of a τ-bench checkout, the one that holds tau_bench/",
      },
    );
  }

  /** The value of a module's constant, wherever it comes from. @throws {DataError} If there is none, or it is no literal. */
  async constant(source: PythonSource, name: string): Promise<JsonValue> {
    const assigned = assignments(source.root, source).get(name);
    if (assigned !== undefined) return await this.value(source, assigned);
    const imported = await this.#imported(source, name);
    if (imported !== undefined) {
      return await this.constant(imported.source, imported.name);
    }
    throw unreadable(source, source.root, `there is no constant "${name}"`);
  }

  /** Whether a module has a constant, its own or an imported one. */
  hasConstant(source: PythonSource, name: string): boolean {
    return assignments(source.root, source).has(name) ||
      importsOf(source).has(name);
  }

  /** The value of an expression of a module. @throws {DataError} If it is not made of what is known. */
  async value(source: PythonSource, node: Node): Promise<JsonValue> {
    const names = new Map<string, JsonValue>();
    // Names are looked up before, since other files may have to be read.
    for (const name of new Set(freeNames(source, node))) {
      if (this.hasConstant(source, name)) {
        names.set(
          name,
          await this.constant(source, name).catch((error) => {
            if (
              error instanceof DataError && importsOf(source).has(name)
            ) return null;
            throw error;
          }),
        );
      }
    }
    return evaluate(source, node, {
      name: (name) => names.get(name),
      call: this.#calls,
    });
  }

  /** Where a class is defined. @throws {DataError} If it is not found. */
  async classNamed(
    source: PythonSource,
    name: string,
  ): Promise<{ source: PythonSource; node: Node }> {
    const node = definition(source, source.root, "ClassDefinition", name);
    if (node !== undefined) return { source, node };
    const imported = await this.#imported(source, name);
    if (imported !== undefined) {
      return await this.classNamed(imported.source, imported.name);
    }
    throw unreadable(source, source.root, `there is no class "${name}"`);
  }

  async #imported(
    source: PythonSource,
    name: string,
  ): Promise<{ source: PythonSource; name: string } | undefined> {
    const origin = importsOf(source).get(name);
    if (origin === undefined) return undefined;
    const base = moduleBase(origin.module, source.path, this.#root);
    const found = await this.sourceIfAny(`${base}.py`) ??
      await this.sourceIfAny(join(base, "__init__.py"));
    return found === undefined
      ? undefined
      : { source: found, name: origin.name };
  }
}

/** A definition of a name right in a block, decorated or not. */
export function definition(
  source: PythonSource,
  block: Node,
  kind: "ClassDefinition" | "FunctionDefinition",
  name: string,
): Node | undefined {
  for (const child of children(block)) {
    const node = child.name === "DecoratedStatement"
      ? children(child).find((inner) => inner.name === kind)
      : child;
    const [, own] = node?.name === kind
      ? children(node).filter((part) => part.name !== "async")
      : [];
    if (own !== undefined && textOf(source, own) === name) return node;
  }
  return undefined;
}

/** The block of a class or a function. */
export function bodyOf(node: Node): Node {
  return children(node).find(({ name }) => name === "Body") ?? node;
}

/** What is assigned right in a block, by target: `RULES`, `self.terminate_tools`. The last assignment wins. */
export function assignments(
  block: Node,
  source: PythonSource,
): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const statement of children(block)) {
    if (statement.name !== "AssignStatement") continue;
    const parts = children(statement).filter(({ name }) => name !== "TypeDef");
    const [target, operator, value] = parts;
    if (
      target && operator?.name === "AssignOp" && value && parts.length === 3
    ) {
      found.set(textOf(source, target), value);
    }
  }
  return found;
}

interface Origin {
  /** As written: `.book`, `tau_bench.types`. */
  readonly module: string;
  readonly name: string;
}

/** What a file imports from modules, by the name that it has here. */
export function importsOf(source: PythonSource): Map<string, Origin> {
  const found = new Map<string, Origin>();
  for (const statement of descendants(source.root, "ImportStatement")) {
    const text = textOf(source, statement).replaceAll(/#.*|\\$/gm, "");
    const match = /^from\s+([.\w]+)\s+import\s+([\s\S]+)$/.exec(text);
    if (match === null) continue;
    for (const item of (match[2] ?? "").replaceAll(/[()]/g, "").split(",")) {
      const [, name, alias] = /^\s*(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(item) ??
        [];
      if (name !== undefined) {
        found.set(alias ?? name, { module: match[1] ?? "", name });
      }
    }
  }
  return found;
}

function moduleBase(module: string, from: string, root: string): string {
  const [, dots = "", rest = ""] = /^(\.*)(.*)$/.exec(module) ?? [];
  const steps = Math.max(0, dots.length - 1);
  const start = dots === ""
    ? root
    : join(dirname(from), ...Array(steps).fill(".."));
  return join(start, ...rest.split(".").filter(Boolean));
}

function* freeNames(source: PythonSource, node: Node): Generator<string> {
  if (node.name === "VariableName") yield textOf(source, node);
  for (const name of descendants(node, "VariableName")) {
    yield textOf(source, name);
  }
}
