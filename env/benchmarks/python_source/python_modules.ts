/** Looks up constants and classes in the modules of a Python checkout, following imports. */

import { dirname, join, relative, sep } from "node:path";
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

/**
 * A function that evaluates calls to the functions known in every module, and returns `undefined` for any other call.
 */
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
  readonly #constants = new WeakMap<Node, { readonly value: JsonValue }>();

  /**
   * @param options.root The directory that absolute imports start from.
   * @param options.read Reads a file as text, or returns `undefined` if the file does not exist.
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

  /**
   * Parses a file, or returns `undefined` if the file does not exist. The result is cached.
   * @throws {DataError} If the file cannot be read or parsed.
   */
  async sourceIfAny(path: string): Promise<PythonSource | undefined> {
    if (!this.#sources.has(path)) {
      const text = await this.#read(path);
      const source = text === undefined ? undefined : parsePython(path, text);
      this.#sources.set(path, source);
    }
    return this.#sources.get(path);
  }

  /**
   * Parses a file. The result is cached.
   * @throws {DataError} If the file does not exist, or cannot be read or parsed.
   */
  async source(path: string): Promise<PythonSource> {
    const source = await this.sourceIfAny(path);
    if (source !== undefined) return source;
    throw new DataError(
      `Cannot find "${path}"`,
      {
        path,
        hint:
          "pass the root directory of a complete tau-bench or tau2-bench checkout",
      },
    );
  }

  /**
   * Evaluates a module's constant, following imports.
   * @throws {DataError} If the constant does not exist, cannot be evaluated, or is defined in terms of itself.
   */
  async constant(source: PythonSource, name: string): Promise<JsonValue> {
    return await this.#constant(source, name, []);
  }

  async #constant(
    source: PythonSource,
    name: string,
    chain: NameChain,
  ): Promise<JsonValue> {
    const assigned = assignmentsOf(source).get(name);
    if (assigned !== undefined) {
      const here = { source, name, node: assigned };
      const known = this.#constants.get(assigned);
      if (known !== undefined) return known.value;
      const value = await this.#value(
        source,
        assigned,
        extendChain(chain, here),
      );
      this.#constants.set(assigned, { value });
      return value;
    }
    const imported = await this.#imported(source, name);
    if (imported !== undefined) {
      const here = { source, name, node: imported.node };
      return await this.#constant(
        imported.source,
        imported.name,
        extendChain(chain, here),
      );
    }
    throw unreadable(source, source.root, `there is no constant "${name}"`);
  }

  /** Checks whether a module assigns a value to a name or imports it. */
  hasConstant(source: PythonSource, name: string): boolean {
    return assignmentsOf(source).has(name) || importsOf(source).has(name);
  }

  /**
   * Evaluates an expression in the scope of a module.
   * @throws {DataError} If part of the expression is unknown or unsupported.
   */
  async value(source: PythonSource, node: Node): Promise<JsonValue> {
    return await this.#value(source, node, []);
  }

  async #value(
    source: PythonSource,
    node: Node,
    chain: NameChain,
  ): Promise<JsonValue> {
    const names = new Map<string, JsonValue>();
    // Names are resolved first, since other files may have to be read and `evaluate` is synchronous.
    for (const name of new Set(freeNames(source, node))) {
      if (this.hasConstant(source, name)) {
        names.set(name, await this.#constant(source, name, chain));
      }
    }
    return evaluate(source, node, {
      name: (name) => names.get(name),
      call: this.#calls,
    });
  }

  /**
   * Finds the definition of a class, following imports.
   * @throws {DataError} If the class is not found, or imports form a cycle.
   */
  async classNamed(
    source: PythonSource,
    name: string,
  ): Promise<{ source: PythonSource; node: Node }> {
    let [at, chain]: [{ source: PythonSource; name: string }, NameChain] = [
      { source, name },
      [],
    ];
    for (;;) {
      const node = classesOf(at.source).get(at.name);
      if (node !== undefined) return { source: at.source, node };
      const imported = await this.#imported(at.source, at.name);
      if (imported === undefined) {
        throw unreadable(
          at.source,
          at.source.root,
          `there is no class "${at.name}"`,
        );
      }
      chain = extendChain(chain, { ...at, node: imported.node });
      at = imported;
    }
  }

  /**
   * Finds the definition of a class or a constant, following imports. A constant's definition is the assigned
   * expression.
   * @throws {DataError} If the name is not found, or imports form a cycle.
   */
  async definitionNamed(
    source: PythonSource,
    name: string,
  ): Promise<{ source: PythonSource; node: Node }> {
    let [at, chain]: [{ source: PythonSource; name: string }, NameChain] = [
      { source, name },
      [],
    ];
    for (;;) {
      const assigned = assignmentsOf(at.source).get(at.name);
      if (assigned !== undefined) return { source: at.source, node: assigned };
      const imported = classesOf(at.source).has(at.name)
        ? undefined
        : await this.#imported(at.source, at.name);
      if (imported === undefined) {
        return await this.classNamed(at.source, at.name);
      }
      chain = extendChain(chain, { ...at, node: imported.node });
      at = imported;
    }
  }

  async #imported(
    source: PythonSource,
    name: string,
  ): Promise<{ source: PythonSource; name: string; node: Node } | undefined> {
    const origin = importsOf(source).get(name);
    if (origin === undefined) return undefined;
    const { node } = origin;
    const base = moduleBase(origin.module, source.path, this.#root);
    if (relative(this.#root, base).split(sep)[0] === "..") {
      throw unreadable(source, node, "the import leads out of the checkout");
    }
    const found = await this.sourceIfAny(`${base}.py`) ??
      await this.sourceIfAny(join(base, "__init__.py"));
    return found && { source: found, name: origin.name, node };
  }
}

/** The chain of names being resolved, outermost first. */
type NameChain = readonly {
  readonly source: PythonSource;
  readonly name: string;
  /** The node that defines the name: the assigned expression or the import statement. */
  readonly node: Node;
}[];

/** The maximum length of a chain of names that refer to one another. */
const MAX_NAMES = 100;

/**
 * Returns the chain with a name appended.
 * @throws {DataError} If the name is already in it, or the chain is too long.
 */
function extendChain(chain: NameChain, here: NameChain[number]): NameChain {
  const { source, name, node } = here;
  if (chain.some((one) => one.source === source && one.name === name)) {
    const names = [...chain, here].map((one) => `"${one.name}"`);
    throw unreadable(
      source,
      node,
      `"${name}" is defined in terms of itself (${
        names.slice(-10).join(" from ")
      })`,
    );
  }
  if (chain.length < MAX_NAMES) return [...chain, here];
  throw unreadable(
    source,
    node,
    `"${name}" is one of more than ${MAX_NAMES} names that refer to each other`,
  );
}

/** Wraps a function so that its result is cached per source file. */
function onceFor<T>(
  find: (source: PythonSource) => T,
): (source: PythonSource) => T {
  const known = new WeakMap<PythonSource, T>();
  return (source) => {
    const found = known.get(source) ?? find(source);
    known.set(source, found);
    return found;
  };
}

const assignmentsOf = onceFor((source) => assignments(source.root, source));

/** Returns the top-level classes of a file, keyed by name. If several classes have the same name, the first is used. */
const classesOf = onceFor((source) => {
  const found = new Map<string, Node>();
  for (const { name, node } of definitions(source, source.root, CLASS)) {
    if (!found.has(name)) found.set(name, node);
  }
  return found;
});

const CLASS = "ClassDefinition";

/**
 * Finds a class or a function by name at the top level of a block. The definition may be decorated. Returns `undefined`
 * if there is none.
 */
export function definition(
  source: PythonSource,
  block: Node,
  kind: "ClassDefinition" | "FunctionDefinition",
  name: string,
): Node | undefined {
  for (const one of definitions(source, block, kind)) {
    if (one.name === name) return one.node;
  }
  return undefined;
}

function* definitions(
  source: PythonSource,
  block: Node,
  kind: "ClassDefinition" | "FunctionDefinition",
): Generator<{ readonly name: string; readonly node: Node }> {
  for (const child of children(block)) {
    const node = child.name === "DecoratedStatement"
      ? children(child).find((inner) => inner.name === kind)
      : child;
    const [, own] = node?.name === kind
      ? children(node).filter((part) => part.name !== "async")
      : [];
    if (node !== undefined && own !== undefined) {
      yield { name: textOf(source, own), node };
    }
  }
}

/** Returns the body of a class or a function, or the node itself if it has no body. */
export function bodyOf(node: Node): Node {
  return children(node).find(({ name }) => name === "Body") ?? node;
}

/**
 * Returns the expressions that are assigned directly in a block, keyed by target, such as `RULES` or
 * `self.terminate_tools`. If a target is assigned more than once, the last expression is used. Assignments with several
 * targets are ignored.
 */
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
  /** The module's name as written in the import: `.book`, `tau_bench.types`. */
  readonly module: string;
  readonly name: string;
  /** The import statement. */
  readonly node: Node;
}

/** Returns the `from … import` imports of a file, keyed by local name. */
const importsOf = onceFor((source): ReadonlyMap<string, Origin> => {
  const found = new Map<string, Origin>();
  for (const statement of descendants(source.root, "ImportStatement")) {
    const text = textOf(source, statement).replaceAll(/#.*|\\$/gm, "");
    const match = /^from\s+([.\w]+)\s+import\s+([\s\S]+)$/.exec(text);
    if (match === null) continue;
    for (const item of (match[2] ?? "").replaceAll(/[()]/g, "").split(",")) {
      const [, name, alias] = /^\s*(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(item) ??
        [];
      if (name !== undefined) {
        const [, module = ""] = match;
        found.set(alias ?? name, { module, name, node: statement });
      }
    }
  }
  return found;
});

function moduleBase(module: string, from: string, root: string): string {
  const [, dots = "", rest = ""] = /^(\.*)(.*)$/.exec(module) ?? [];
  const steps = Math.max(0, dots.length - 1);
  const start = dots === ""
    ? root
    : join(dirname(from), ...Array(steps).fill(".."));
  return join(start, ...rest.split(".").filter(Boolean));
}

/**
 * Yields the names that an expression uses as values, excluding the names of called functions and keyword arguments.
 */
function* freeNames(source: PythonSource, node: Node): Generator<string> {
  const open = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.name === "VariableName") yield textOf(source, at);
    const parts = children(at);
    const isCall = at.name === "CallExpression";
    const isList = at.name === "ArgList";
    parts.forEach((part, index) => {
      if (isCall && index === 0) return;
      if (isList && parts[index + 1]?.name === "AssignOp") return;
      open.push(part);
    });
  }
}
