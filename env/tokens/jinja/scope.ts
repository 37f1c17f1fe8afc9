/**
 * Resolves names to variables before rendering, according to Jinja's rules. Loops, macros and blocks have their own
 * scopes, but `if` does not. A variable that is assigned in a scope is initialized from the outer variable of the same
 * name.
 */

import type {
  Arguments,
  Expression,
  ForStatement,
  Statement,
  Target,
} from "./ast.ts";

/**
 * The slots for the variables of one function. The template, each block, each macro, each call block and each recursive
 * loop is compiled to a separate function.
 */
export class FunctionLayout {
  readonly parent: FunctionLayout | null;
  size = 0;

  constructor(parent: FunctionLayout | null) {
    this.parent = parent;
  }

  /** Allocates the next slot. */
  slot(): number {
    return this.size++;
  }
}

/** The location of a variable: a function and one of its slots. */
export interface Variable {
  readonly layout: FunctionLayout;
  readonly slot: number;
}

/** How a variable is initialized on entry to its scope. */
export type Load =
  | { readonly type: "parameter" }
  | { readonly type: "undefined" }
  /** The variable is initialized from the export, the caller's variable or the global of that name. */
  | { readonly type: "resolve"; readonly name: string }
  | { readonly type: "alias"; readonly of: Variable };

/** The variables of one scope. */
export class Scope {
  readonly parent: Scope | null;
  readonly layout: FunctionLayout;
  readonly #slots: Map<string, number>;
  #loads: Map<string, Load>;
  #stores: Set<string>;

  constructor(parent: Scope | null, layout: FunctionLayout) {
    this.parent = parent;
    this.layout = layout;
    this.#slots = new Map();
    this.#loads = new Map();
    this.#stores = new Set();
  }

  /** The slot of each variable in this scope, and how it is initialized. */
  get loads(): readonly (readonly [number, Load])[] {
    return Array.from(
      this.#loads,
      ([name, load]) => [this.#slots.get(name)!, load] as const,
    );
  }

  /** The names that are assigned in this scope or in an enclosing scope. */
  get visibleStores(): readonly string[] {
    const outer = this.parent?.visibleStores ?? [];
    return [...new Set([...outer, ...this.#stores])];
  }

  /** Returns the variable that a name refers to in this scope, or `undefined` if the name was not analyzed. */
  find(name: string): Variable | undefined {
    if (!this.#loads.has(name)) return this.parent?.find(name);
    return { layout: this.layout, slot: this.#slots.get(name)! };
  }

  /** Declares a name that is assigned on entry to the scope. */
  declareParameter(name: string): Variable {
    this.#stores.add(name);
    this.#define(name, { type: "parameter" });
    return this.find(name)!;
  }

  /** Records that a name is read. */
  load(name: string): void {
    if (this.find(name) === undefined) {
      this.#define(name, { type: "resolve", name });
    }
  }

  /** Records that a name is assigned. */
  store(name: string): void {
    this.#stores.add(name);
    if (this.#loads.has(name)) return;
    const of = this.parent?.find(name);
    this.#define(
      name,
      of === undefined ? { type: "undefined" } : { type: "alias", of },
    );
  }

  /**
   * Analyzes alternative branches, only one of which runs. A variable that a branch assigns is first initialized from
   * the outer scope, since a different branch may run.
   */
  branches(analyze: readonly (() => void)[]): void {
    const before = { loads: this.#loads, stores: this.#stores };
    const after = analyze.map((one) => {
      this.#loads = new Map(before.loads);
      this.#stores = new Set(before.stores);
      one();
      return { loads: this.#loads, stores: this.#stores };
    });
    this.#loads = before.loads;
    this.#stores = before.stores;
    const stored = new Set(after.flatMap(({ stores }) => [...stores]))
      .difference(before.stores);
    for (const { loads, stores } of after) {
      for (const [name, load] of loads) this.#loads.set(name, load);
      for (const name of stores) this.#stores.add(name);
    }
    for (const name of stored) {
      const of = this.parent?.find(name);
      this.#loads.set(
        name,
        of === undefined ? { type: "resolve", name } : { type: "alias", of },
      );
    }
  }

  #define(name: string, load: Load): void {
    if (!this.#slots.has(name)) this.#slots.set(name, this.layout.slot());
    this.#loads.set(name, load);
  }
}

/**
 * Adds the names that statements read or assign to a scope. The bodies of statements that have their own scope are
 * analyzed later.
 */
export function analyzeStatements(
  statements: readonly Statement[],
  scope: Scope,
): void {
  for (const statement of statements) analyzeStatement(statement, scope);
}

function analyzeStatement(statement: Statement, scope: Scope): void {
  switch (statement.type) {
    case "output":
      for (const part of statement.parts) {
        if (typeof part !== "string") analyzeExpression(part, scope);
      }
      return;
    case "for":
      return analyzeExpression(statement.items, scope);
    case "if":
      return analyzeIf(statement.branches, statement.otherwise, scope);
    case "macro":
      return scope.store(statement.name);
    case "call_block":
      if (statement.call !== null) analyzeExpression(statement.call, scope);
      return;
    case "filter_block":
      return analyzeExpression(statement.filter, scope);
    case "set":
      analyzeExpression(statement.value, scope);
      return analyzeTarget(statement.target, scope);
    case "set_block":
      return analyzeTarget(statement.target, scope);
    case "with":
      for (const [, value] of statement.assignments) {
        analyzeExpression(value, scope);
      }
      return;
  }
}

/** Analyzes an `if`. As in Jinja, all `elif`s together form one branch. */
function analyzeIf(
  [first, ...rest]: readonly (readonly [Expression, readonly Statement[]])[],
  otherwise: readonly Statement[],
  scope: Scope,
): void {
  const [test, body] = first!;
  analyzeExpression(test, scope);
  scope.branches([
    () => analyzeStatements(body, scope),
    () => rest.forEach((branch) => analyzeIf([branch], [], scope)),
    () => analyzeStatements(otherwise, scope),
  ]);
}

/** Adds the names of an assignment target to a scope. */
function analyzeTarget(target: Target, scope: Scope): void {
  if (target.type === "name") return scope.store(target.name);
  if (target.type === "member") return scope.load(target.name);
  target.items.forEach((item) => analyzeTarget(item, scope));
}

/** Declares the names in a target that is assigned on entry to the scope. */
export function declareTarget(target: Target, scope: Scope): void {
  if (target.type === "name") scope.declareParameter(target.name);
  if (target.type === "targets") {
    target.items.forEach((item) => declareTarget(item, scope));
  }
}

/** Adds the names that an expression reads to a scope. */
export function analyzeExpression(node: Expression, scope: Scope): void {
  if (node.type === "name") return scope.load(node.name);
  for (const child of children(node)) analyzeExpression(child, scope);
}

function children(node: Expression): readonly Expression[] {
  switch (node.type) {
    case "constant":
    case "name":
      return [];
    case "tuple":
    case "list":
      return node.items;
    case "dict":
      return node.entries.flat();
    case "attribute":
      return [node.object];
    case "item":
      return [node.object, node.key];
    case "slice":
      return [node.object, ...present(node.bounds)];
    case "call":
      return [node.callee, ...argumentsOf(node.args)];
    case "filter":
      return [...present([node.input]), ...argumentsOf(node.args)];
    case "test":
      return [node.input, ...argumentsOf(node.args)];
    case "not":
    case "sign":
      return [node.operand];
    case "arithmetic":
    case "and":
    case "or":
      return [node.left, node.right];
    case "concat":
      return node.parts;
    case "compare":
      return [node.first, ...node.rest.map(([, operand]) => operand)];
    case "conditional":
      return [node.test, node.then, ...present([node.otherwise])];
  }
}

function argumentsOf(
  { positional, keywords, rest, moreKeywords }: Arguments,
): Expression[] {
  const named = keywords.map(([, value]) => value);
  return [...positional, ...named, ...present([rest, moreKeywords])];
}

function present(nodes: readonly (Expression | null)[]): Expression[] {
  return nodes.filter((node) => node !== null);
}

/**
 * Returns the members of `names` that the statements read without assigning them first. Statements in nested scopes are
 * included, except for those in blocks.
 */
export function undeclared(
  statements: readonly Statement[],
  names: readonly string[],
): ReadonlySet<string> {
  const found = new Set<string>();
  const declared = new Set<string>();
  const read = (node: Expression): void => {
    if (node.type === "name") {
      if (names.includes(node.name) && !declared.has(node.name)) {
        found.add(node.name);
      }
    } else children(node).forEach(read);
  };
  const assign = (target: Target): void => {
    if (target.type === "name") declared.add(target.name);
    if (target.type === "targets") target.items.forEach(assign);
  };
  const visit = (statement: Statement): void => {
    const { targets, expressions, bodies } = parts(statement);
    // As in Jinja, targets are processed first, even if the assigned expression reads the same name.
    targets.forEach(assign);
    expressions.forEach(read);
    bodies.forEach((body) => body.forEach(visit));
  };
  statements.forEach(visit);
  return found;
}

interface Parts {
  readonly targets: readonly Target[];
  readonly expressions: readonly Expression[];
  readonly bodies: readonly (readonly Statement[])[];
}

function parts(statement: Statement): Parts {
  const { line } = statement;
  switch (statement.type) {
    case "output":
      return {
        targets: [],
        expressions: statement.parts.filter((part) => typeof part !== "string"),
        bodies: [],
      };
    case "for":
      return {
        targets: [statement.target],
        expressions: present([statement.items, statement.test]),
        bodies: [statement.body, statement.otherwise],
      };
    case "if":
      return {
        targets: [],
        expressions: statement.branches.map(([test]) => test),
        bodies: [
          ...statement.branches.map(([, body]) => body),
          statement.otherwise,
        ],
      };
    case "macro":
    case "call_block": {
      const call = statement.type === "call_block" ? statement.call : null;
      const { parameters, body } = statement;
      return {
        targets: parameters.map(({ name }) => ({ type: "name", name, line })),
        expressions: present([
          call,
          ...parameters.map(({ otherwise }) => otherwise),
        ]),
        bodies: [body],
      };
    }
    case "set":
      return {
        targets: [statement.target],
        expressions: [statement.value],
        bodies: [],
      };
    case "set_block":
      return {
        targets: [statement.target],
        expressions: present([statement.filter]),
        bodies: [statement.body],
      };
    case "filter_block":
      return {
        targets: [],
        expressions: [statement.filter],
        bodies: [statement.body],
      };
    case "with":
      return {
        targets: statement.assignments.map(([target]) => target),
        expressions: statement.assignments.map(([, value]) => value),
        bodies: [statement.body],
      };
    case "scope":
      return { targets: [], expressions: [], bodies: [statement.body] };
    case "block":
    case "break":
    case "continue":
    case "load":
      return { targets: [], expressions: [], bodies: [] };
  }
}

/**
 * Checks whether a statement, or any statement in its bodies, assigns to `loop`, which Jinja does not allow in loops.
 */
export function assignsLoop(statement: Statement): boolean {
  const { targets, bodies } = parts(statement);
  return targets.some(hasLoop) || bodies.some((body) => body.some(assignsLoop));
}

function hasLoop(target: Target): boolean {
  return target.type === "targets"
    ? target.items.some(hasLoop)
    : target.type === "name" && target.name === "loop";
}

/**
 * Checks whether a loop needs the variable `loop`. It does if it is recursive, or if its body uses `loop` or contains a
 * scoped block, which might use `loop`.
 */
export function usesLoop({ body, recursive }: ForStatement): boolean {
  return recursive || undeclared(body, ["loop"]).size > 0 ||
    hasScopedBlock(body);
}

function hasScopedBlock(statements: readonly Statement[]): boolean {
  return statements.some((statement) =>
    statement.type === "block" && statement.scoped ||
    parts(statement).bodies.some(hasScopedBlock)
  );
}
