/** Compiles statements of the syntax tree to JavaScript closures. */

import type {
  BlockStatement,
  CallStatement,
  FilterExpression,
  ForStatement,
  IfStatement,
  MacroStatement,
  Parameter,
  Statement,
  Target,
  WithStatement,
} from "./ast.ts";
import {
  compileCall,
  compileExpression,
  compileFilter,
  type Evaluate,
  type Place as ExpressionPlace,
} from "./compile_expression.ts";
import { syntaxError, typeError } from "./template_error.ts";
import { entrance, Frame, reader } from "./frame.ts";
import { Loop } from "./loop_variable.ts";
import { Macro, type MacroParameters } from "./macro.ts";
import {
  analyzeExpression,
  analyzeStatements,
  assignsLoop,
  declareTarget,
  FunctionLayout,
  Scope,
  undeclared,
  usesLoop,
} from "./scope.ts";
import { str } from "./marked_text.ts";
import {
  isTrue,
  iterate,
  Iteration,
  listOf,
  Namespace,
  NO_KEYWORDS,
  sized,
  Undefined,
  type Value,
} from "./values.ts";

/** The effect of a statement on the enclosing loop: none, leave the loop, or start its next iteration. */
type Signal = typeof NORMAL | typeof BREAK | typeof CONTINUE;
const NORMAL = 0;
const BREAK = 1;
const CONTINUE = 2;

/** A compiled statement. */
export type Run = (frame: Frame) => Signal;

/** The context in which a statement is compiled. */
export interface Place extends ExpressionPlace {
  /** Whether the statement is within a loop in the same function. */
  readonly inLoop: boolean;
  /**
   * Whether the statement is at the top level, outside all nested scopes such as loops, macros and blocks. If so,
   * blocks can read the variables that it assigns.
   */
  readonly exports: boolean;
  /** The names of the blocks compiled so far. */
  readonly blocks: Set<string>;
}

const nothing: Run = () => NORMAL;

/**
 * Compiles statements. Their names must already have been analyzed in the scope.
 * @throws {JinjaError} If a statement is invalid.
 */
export function compileStatements(
  statements: readonly Statement[],
  place: Place,
): Run {
  const runs = statements.map((one) => compileStatement(one, place));
  if (runs.length === 0) return nothing;
  if (runs.length === 1) return runs[0]!;
  return (frame) => {
    for (let i = 0; i < runs.length; i++) {
      const signal = runs[i]!(frame);
      if (signal !== NORMAL) return signal;
    }
    return NORMAL;
  };
}

function compileStatement(statement: Statement, place: Place): Run {
  switch (statement.type) {
    case "output":
      return compileOutput(statement, place);
    case "for":
      return compileFor(statement, place);
    case "if":
      return compileIf(statement, { ...place, soft: true });
    case "macro":
      return compileMacro(statement, place);
    case "call_block":
      return compileCallBlock(statement, place);
    case "filter_block":
      return compileFilterBlock(statement, place);
    case "set":
      return compileSet(statement, place);
    case "set_block":
      return compileSetBlock(statement, place);
    case "with":
      return compileWith(statement, place);
    case "scope":
      return compileScope(statement.body, place);
    case "block":
      return compileBlock(statement, place);
    case "load":
      return () => {
        throw typeError("no loader for this environment specified");
      };
    case "break":
    case "continue": {
      const { type, line } = statement;
      if (!place.inLoop) throw syntaxError(`'${type}' outside loop`, line);
      const signal = type === "break" ? BREAK : CONTINUE;
      return () => signal;
    }
  }
}

/** Returns the context of a nested scope, which by default is in the same function. */
function inner(place: Place, layout = place.scope.layout): Place {
  return {
    ...place,
    scope: new Scope(place.scope, layout),
    soft: false,
    exports: false,
  };
}

function compileOutput(
  { parts, line }: Extract<Statement, { type: "output" }>,
  place: Place,
): Run {
  const runs = parts.map((part): Run => {
    if (typeof part === "string") {
      return (frame) => {
        frame.machine.write(part);
        return NORMAL;
      };
    }
    const evaluate = compileExpression(part, place);
    return (frame) => {
      const { machine } = frame;
      machine.line = line;
      machine.write(str(evaluate(frame), machine));
      return NORMAL;
    };
  });
  if (runs.length === 1) return runs[0]!;
  return (frame) => {
    for (const run of runs) run(frame);
    return NORMAL;
  };
}

function compileIf({ branches, otherwise }: IfStatement, place: Place): Run {
  const tests = branches.map(([test, body]) => ({
    line: test.line,
    test: compileExpression(test, place),
    body: compileStatements(body, place),
  }));
  const last = compileStatements(otherwise, place);
  return (frame) => {
    for (let i = 0; i < tests.length; i++) {
      const { line, test, body } = tests[i]!;
      frame.machine.line = line;
      if (isTrue(test(frame))) return body(frame);
    }
    return last(frame);
  };
}

type Assign = (frame: Frame, value: Value) => void;

function compileTarget(target: Target, scope: Scope): Assign {
  switch (target.type) {
    case "name": {
      // Assignments always target a variable of the current function.
      const { slot } = scope.find(target.name)!;
      return (frame, value) => void (frame.slots[slot] = value);
    }
    case "member": {
      const read = reader(scope.find(target.name)!, scope.layout);
      const { attribute } = target;
      return (frame, value) => {
        (read(frame) as Namespace).members.set(attribute, value);
      };
    }
    case "targets": {
      const items = target.items.map((item) => compileTarget(item, scope));
      return (frame, value) => {
        const values = listOf(value, frame.machine);
        if (values.length !== items.length) {
          throw typeError(
            `cannot unpack ${values.length} values into ${items.length} names`,
          );
        }
        items.forEach((assign, i) => assign(frame, values[i]!));
      };
    }
  }
}

/** Returns the names of the variables that a target assigns. The target `object.name` assigns none. */
function namesOf(target: Target): readonly string[] {
  if (target.type === "name") return [target.name];
  return target.type === "targets" ? target.items.flatMap(namesOf) : [];
}

/**
 * Compiles a check that the target of `set object.name = …` is a namespace. The check must run before the assignment.
 * Returns `null` if the target is a plain name.
 */
function compileNamespaceCheck(
  target: Target,
  scope: Scope,
): ((frame: Frame) => void) | null {
  if (target.type === "targets") {
    const checks = target.items.map((item) =>
      compileNamespaceCheck(item, scope)
    );
    return (frame) => checks.forEach((check) => check?.(frame));
  }
  if (target.type === "name") return null;
  const read = reader(scope.find(target.name)!, scope.layout);
  return (frame) => {
    if (read(frame) instanceof Namespace) return;
    throw typeError("cannot assign attribute on non-namespace object");
  };
}

/**
 * Compiles code that makes assigned variables readable in blocks. Returns `null` if the assignment is within a nested
 * scope.
 */
function compileExport(
  target: Target,
  place: Place,
): ((frame: Frame) => void) | null {
  if (!place.exports) return null;
  const slots = namesOf(target).map((name) =>
    [name, place.scope.find(name)!.slot] as const
  );
  return (frame) => {
    for (const [name, slot] of slots) {
      frame.machine.exported.set(name, frame.slots[slot]!);
    }
  };
}

function compileSet(
  { target, value, line }: Extract<Statement, { type: "set" }>,
  place: Place,
): Run {
  const { scope } = place;
  const check = compileNamespaceCheck(target, scope);
  const evaluate = compileExpression(value, place);
  const assign = compileTarget(target, scope);
  const tell = compileExport(target, place);
  return (frame) => {
    frame.machine.line = line;
    check?.(frame);
    assign(frame, evaluate(frame));
    tell?.(frame);
    return NORMAL;
  };
}

function compileSetBlock(
  { target, filter, body, line }: Extract<Statement, { type: "set_block" }>,
  place: Place,
): Run {
  const within = inner(place);
  analyzeStatements(body, within.scope);
  if (filter !== null) analyzeExpression(filter, within.scope);
  const run = compileStatements(body, within);
  const check = compileNamespaceCheck(target, place.scope);
  const apply = filter === null ? null : compileFilter(filter, within);
  const assign = compileTarget(target, place.scope);
  const tell = compileExport(target, place);
  const enter = entrance(within.scope);
  return (frame) => {
    const { machine } = frame;
    enter?.(frame);
    let signal: Signal = NORMAL;
    const text = machine.capture(() => void (signal = run(frame)));
    if (signal !== NORMAL) return signal;
    machine.line = line;
    check?.(frame);
    machine.captured = text;
    assign(frame, apply === null ? text : apply(frame));
    tell?.(frame);
    return NORMAL;
  };
}

function compileFilterBlock(
  { filter, body, line }: {
    readonly filter: FilterExpression;
    readonly body: readonly Statement[];
    readonly line: number;
  },
  place: Place,
): Run {
  const within = inner(place);
  analyzeStatements(body, within.scope);
  analyzeExpression(filter, within.scope);
  const run = compileStatements(body, within);
  const apply = compileFilter(filter, within);
  const enter = entrance(within.scope);
  return (frame) => {
    const { machine } = frame;
    enter?.(frame);
    let signal: Signal = NORMAL;
    const text = machine.capture(() => void (signal = run(frame)));
    if (signal !== NORMAL) return signal;
    machine.line = line;
    machine.captured = text;
    machine.write(str(apply(frame), machine));
    return NORMAL;
  };
}

function compileWith({ assignments, body }: WithStatement, place: Place): Run {
  const within = inner(place);
  for (const [target] of assignments) declareTarget(target, within.scope);
  analyzeStatements(body, within.scope);
  const steps = assignments.map(([target, value]) =>
    [
      compileTarget(target, within.scope),
      compileExpression(value, place),
    ] as const
  );
  const run = compileStatements(body, within);
  const enter = entrance(within.scope);
  return (frame) => {
    enter?.(frame);
    for (const [assign, evaluate] of steps) assign(frame, evaluate(frame));
    return run(frame);
  };
}

function compileScope(body: readonly Statement[], place: Place): Run {
  const within = inner(place);
  analyzeStatements(body, within.scope);
  const run = compileStatements(body, within);
  const enter = entrance(within.scope);
  return (frame) => {
    enter?.(frame);
    return run(frame);
  };
}

/**
 * Compiles a block. A block can access the template's variables and exports. It can access the enclosing scope only if
 * it is declared as `scoped`.
 */
function compileBlock(
  { name, scoped, body, line }: BlockStatement,
  place: Place,
): Run {
  if (place.blocks.has(name)) {
    throw syntaxError(`block '${name}' defined twice`, line);
  }
  place.blocks.add(name);
  const layout = new FunctionLayout(null);
  const scope = new Scope(null, layout);
  analyzeStatements(body, scope);
  const run = compileStatements(body, {
    ...place,
    scope,
    soft: false,
    inLoop: false,
    exports: false,
  });
  const enter = entrance(scope);
  const visible = scoped
    ? place.scope.visibleStores.map((name) =>
      [name, reader(place.scope.find(name)!, place.scope.layout)] as const
    )
    : [];
  return (frame) => {
    const { machine } = frame;
    const own = new Frame(layout, { parent: null, machine });
    const { context } = machine;
    const derived = new Map(context);
    for (const [name, read] of visible) {
      const value = read(frame);
      if (value !== undefined) derived.set(name, value);
    }
    machine.context = derived;
    enter?.(own);
    run(own);
    machine.context = context;
    return NORMAL;
  };
}

interface CompiledMacro {
  readonly parameters: MacroParameters;
  readonly render: (
    around: Frame,
    args: readonly (Value | undefined)[],
  ) => string;
}

/** Compiles the body of a macro or call block as a separate function. */
function compileMacroBody(
  parameters: readonly Parameter[],
  body: readonly Statement[],
  place: Place,
): CompiledMacro {
  const layout = new FunctionLayout(place.scope.layout);
  const within = { ...inner(place, layout), inLoop: false };
  const names = parameters.map(({ name }) => name);
  const used = undeclared(body, ["caller", "kwargs", "varargs"]);
  const special = ["caller", "kwargs", "varargs"].filter((name) =>
    used.has(name) && !names.includes(name)
  );
  const slots = [...names, ...special].map((name) =>
    within.scope.declareParameter(name).slot
  );
  for (const { otherwise } of parameters) {
    if (otherwise !== null) analyzeExpression(otherwise, within.scope);
  }
  analyzeStatements(body, within.scope);
  const defaults = parameters.map(({ name, otherwise }): Evaluate =>
    otherwise === null
      ? () => new Undefined(() => `parameter '${name}' was not provided`)
      : compileExpression(otherwise, within)
  );
  const run = compileStatements(body, within);
  const enter = entrance(within.scope);
  return {
    parameters: {
      names,
      caller: special.includes("caller"),
      keywords: special.includes("kwargs"),
      rest: special.includes("varargs"),
    },
    render(around, args) {
      const { machine } = around;
      const frame = new Frame(layout, { parent: around, machine });
      for (let i = 0; i < slots.length; i++) frame.slots[slots[i]!] = args[i];
      enter?.(frame);
      for (let i = 0; i < defaults.length; i++) {
        if (args[i] === undefined) frame.slots[slots[i]!] = defaults[i]!(frame);
      }
      return machine.capture(() => void run(frame));
    },
  };
}

function compileMacro(
  { name, parameters, body, line }: MacroStatement,
  place: Place,
): Run {
  const { parameters: bound, render } = compileMacroBody(
    parameters,
    body,
    place,
  );
  const target: Target = { type: "name", name, line };
  const assign = compileTarget(target, place.scope);
  const tell = compileExport(target, place);
  return (frame) => {
    assign(frame, new Macro(name, bound, (args) => render(frame, args)));
    tell?.(frame);
    return NORMAL;
  };
}

/** Compiles a call block. A `generation` block has no call, so its body is called directly. */
function compileCallBlock(
  { call, parameters, body, line }: CallStatement,
  place: Place,
): Run {
  const { parameters: bound, render } = compileMacroBody(
    parameters,
    body,
    place,
  );
  const evaluate = call === null ? null : compileCall(call, place);
  return (frame) => {
    const { machine } = frame;
    machine.line = line;
    const caller = new Macro(null, bound, (args) => render(frame, args));
    const value = evaluate === null
      ? caller.call(machine, [], NO_KEYWORDS)
      : evaluate(frame, caller);
    machine.write(str(value, machine));
    return NORMAL;
  };
}

function compileFor(statement: ForStatement, place: Place): Run {
  if (assignsLoop(statement)) {
    throw syntaxError(
      "Can't assign to special loop variable in for-loop target",
      statement.line,
    );
  }
  return statement.recursive
    ? compileRecursiveFor(statement, place)
    : compilePlainFor(statement, place);
}

function compilePlainFor(statement: ForStatement, place: Place): Run {
  const items = compileExpression(statement.items, place);
  const rounds = compileRounds(statement, place, place.scope.layout);
  const { line } = statement;
  return (frame) => {
    frame.machine.line = line;
    return rounds(frame, items(frame), null);
  };
}

/** Compiles a recursive loop to a function, which `loop(...)` calls. */
function compileRecursiveFor(statement: ForStatement, place: Place): Run {
  const items = compileExpression(statement.items, place);
  const layout = new FunctionLayout(place.scope.layout);
  const rounds = compileRounds(statement, place, layout);
  const { line } = statement;
  const render = (around: Frame, items: Value, depth0: number): string => {
    const { machine } = around;
    const frame = new Frame(layout, { parent: around, machine });
    const recurse = (items: Value, depth0: number) =>
      render(around, items, depth0);
    return machine.capture(() => {
      rounds(frame, items, { recurse, depth0 });
    });
  };
  return (frame) => {
    frame.machine.line = line;
    frame.machine.write(render(frame, items(frame), 0));
    return NORMAL;
  };
}

type Rounds = (
  frame: Frame,
  items: Value,
  recursion: {
    readonly recurse: (items: Value, depth0: number) => string;
    readonly depth0: number;
  } | null,
) => Signal;

/**
 * Compiles the iterations of a loop and its `else` branch, which runs if no iteration reached the end of the body
 * without `break` or `continue`.
 */
function compileRounds(
  statement: ForStatement,
  place: Place,
  layout: FunctionLayout,
): Rounds {
  const { target, body, otherwise } = statement;
  const within = { ...inner(place, layout), inLoop: true };
  const extended = usesLoop(statement);
  const loopSlot = extended ? within.scope.declareParameter("loop").slot : -1;
  declareTarget(target, within.scope);
  analyzeStatements(body, within.scope);
  const select = compileSelection(statement, place, layout);
  const assign = compileTarget(target, within.scope);
  const run = compileStatements(body, within);
  const enter = entrance(within.scope);
  const last = compileElse(otherwise, place, layout);
  const round = (frame: Frame, item: Value): Signal => {
    frame.machine.spend(1);
    assign(frame, item);
    enter?.(frame);
    return run(frame);
  };

  return (frame, all, recursion) => {
    const { machine } = frame;
    const items = select === null ? all : select(frame, all);
    let complete = false;
    if (extended) {
      const loop = new Loop(items, { machine, ...recursion });
      for (let item; (item = loop.next()) !== undefined;) {
        frame.slots[loopSlot] = loop;
        const signal = round(frame, item);
        if (signal === BREAK) break;
        if (signal === NORMAL) complete = true;
      }
    } else {
      const iterator = (sized(items) ?? { values: () => iterate(items) })
        .values();
      for (let next = iterator.next(); !next.done; next = iterator.next()) {
        const signal = round(frame, next.value);
        if (signal === BREAK) break;
        if (signal === NORMAL) complete = true;
      }
    }
    return complete || last === null ? NORMAL : last(frame);
  };
}

/**
 * Compiles the `if` clause of a loop, which filters items lazily during iteration. Returns `null` if the loop has no
 * such clause.
 */
function compileSelection(
  { target, test }: ForStatement,
  place: Place,
  layout: FunctionLayout,
): ((frame: Frame, items: Value) => Value) | null {
  if (test === null) return null;
  const within = inner(place, layout);
  declareTarget(target, within.scope);
  analyzeExpression(test, within.scope);
  const assign = compileTarget(target, within.scope);
  const holds = compileExpression(test, within);
  const enter = entrance(within.scope);
  function* selected(frame: Frame, items: Value): Generator<Value> {
    enter?.(frame);
    const iterator = iterate(items);
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      frame.machine.spend(1);
      assign(frame, next.value);
      if (isTrue(holds(frame))) yield next.value;
    }
  }
  return (frame, items) => new Iteration(selected(frame, items));
}

function compileElse(
  otherwise: readonly Statement[],
  place: Place,
  layout: FunctionLayout,
): Run | null {
  if (otherwise.length === 0) return null;
  const within = inner(place, layout);
  analyzeStatements(otherwise, within.scope);
  const run = compileStatements(otherwise, within);
  const enter = entrance(within.scope);
  return (frame) => {
    enter?.(frame);
    return run(frame);
  };
}
