/** Compiles expressions of the syntax tree to JavaScript closures. */

import type {
  Arguments,
  CallExpression,
  Comparison,
  Expression,
  FilterExpression,
} from "./ast.ts";
import type { Method } from "./arguments.ts";
import {
  call,
  callMethod,
  getAttribute,
  getItem,
  isDictAttribute,
  slice,
} from "./attributes.ts";
import { canonicalKey, contains, equals, order } from "./compare.ts";
import { syntaxError, typeError } from "./template_error.ts";
import { FILTERS, TESTS } from "./filters/mod.ts";
import { type Frame, reader } from "./frame.ts";
import type { Machine } from "./machine.ts";
import { ARITHMETIC, signed } from "./operators.ts";
import type { Scope } from "./scope.ts";
import { str } from "./marked_text.ts";
import {
  type Dict,
  isTrue,
  type Keywords,
  type List,
  listOf,
  NO_KEYWORDS,
  Tuple,
  Undefined,
  type Value,
} from "./values.ts";

/** A compiled expression. */
export type Evaluate = (frame: Frame) => Value;

/** The context in which an expression or a statement is compiled. */
export interface Place {
  readonly scope: Scope;
  /**
   * Whether the code is within an `if` statement of the same scope, or within a conditional expression. There, an
   * unknown filter or test is an error only when the code is executed.
   */
  readonly soft: boolean;
}

/**
 * Compiles an expression. Its names must already have been analyzed in the scope.
 * @throws {JinjaError} If the expression uses an unknown filter or test, unless {@linkcode Place.soft} is set.
 */
export function compileExpression(node: Expression, place: Place): Evaluate {
  const compile = (node: Expression) => compileExpression(node, place);
  switch (node.type) {
    case "constant": {
      const { value } = node;
      return () => value;
    }
    case "name":
      return compileName(node.name, place.scope);
    case "tuple": {
      const items = node.items.map(compile);
      return (frame) => Tuple.make(items.map((item) => item(frame)));
    }
    case "list": {
      const items = node.items.map(compile);
      return (frame) => items.map((item) => item(frame));
    }
    case "dict":
      return compileDict(
        node.entries.map(([key, value]) => [compile(key), compile(value)]),
      );
    case "attribute":
      return compileAttribute(compile(node.object), node.name);
    case "item":
      return compileItem(compile(node.object), node.key, compile(node.key));
    case "slice": {
      const object = compile(node.object);
      const [start, stop, step] = node.bounds.map((bound) =>
        bound === null ? () => null : compile(bound)
      );
      return (frame) =>
        slice(
          object(frame),
          [start!(frame), stop!(frame), step!(frame)],
          frame.machine,
        );
    }
    case "call": {
      const evaluate = compileCall(node, place);
      return (frame) => evaluate(frame, null);
    }
    case "filter":
      return compileFilter(node, place);
    case "test":
      return compileTest(node, place);
    case "not": {
      const operand = compile(node.operand);
      return (frame) => !isTrue(operand(frame));
    }
    case "sign": {
      const { sign } = node;
      const operand = compile(node.operand);
      return (frame) => signed(sign, operand(frame));
    }
    case "arithmetic": {
      const operate = ARITHMETIC[node.operator];
      const [left, right] = [compile(node.left), compile(node.right)];
      return (frame) => operate(left(frame), right(frame), frame.machine);
    }
    case "and":
    case "or": {
      const [left, right] = [compile(node.left), compile(node.right)];
      const stop = node.type === "or";
      return (frame) => {
        const value = left(frame);
        return isTrue(value) === stop ? value : right(frame);
      };
    }
    case "concat":
      return compileConcat(node.parts.map(compile));
    case "compare":
      return compileCompare(
        compile(node.first),
        node.rest.map(([operator, operand]) => [operator, compile(operand)]),
      );
    case "conditional":
      return compileConditional(node, { ...place, soft: true });
  }
}

function compileName(name: string, scope: Scope): Evaluate {
  const variable = scope.find(name);
  if (variable === undefined) {
    throw new RangeError(`"${name}" was not analyzed`);
  }
  const read = reader(variable, scope.layout);
  return (frame) => {
    const value = read(frame);
    return value === undefined ? Undefined.variable(name) : value;
  };
}

function compileDict(
  entries: readonly (readonly [Evaluate, Evaluate])[],
): Evaluate {
  return (frame) => {
    const dict: Dict = new Map();
    for (const [key, value] of entries) {
      const own = key(frame);
      dict.set(canonicalKey(dict, own, frame.machine), value(frame));
    }
    return dict;
  };
}

function compileAttribute(object: Evaluate, name: string): Evaluate {
  if (isDictAttribute(name)) {
    return (frame) => getAttribute(object(frame), name, frame.machine);
  }
  return (frame) => {
    const value = object(frame);
    if (value instanceof Map) {
      const member = value.get(name);
      return member === undefined ? Undefined.member(value, name) : member;
    }
    return getAttribute(value, name, frame.machine);
  };
}

function compileItem(
  object: Evaluate,
  node: Expression,
  key: Evaluate,
): Evaluate {
  const name = node.type === "constant" ? node.value : null;
  if (typeof name !== "string") {
    return (frame) => {
      const value = object(frame);
      return getItem(value, key(frame), frame.machine);
    };
  }
  return (frame) => {
    const value = object(frame);
    const member = value instanceof Map ? value.get(name) : undefined;
    return member === undefined ? getItem(value, name, frame.machine) : member;
  };
}

type EvaluateArguments = (
  frame: Frame,
) => { readonly args: List; readonly keywords: Keywords };

function compileArguments(node: Arguments, place: Place): EvaluateArguments {
  const compile = (node: Expression) => compileExpression(node, place);
  const positional = node.positional.map(compile);
  const named = node.keywords.map(([name, value]) =>
    [name, compile(value)] as const
  );
  const rest = node.rest === null ? null : compile(node.rest);
  const more = node.moreKeywords === null ? null : compile(node.moreKeywords);
  const listed = (frame: Frame): List => positional.map((one) => one(frame));
  if (named.length === 0 && rest === null && more === null) {
    return (frame) => ({ args: listed(frame), keywords: NO_KEYWORDS });
  }
  return (frame) => {
    const args = listed(frame);
    if (rest !== null) {
      for (const value of listOf(rest(frame), frame.machine)) args.push(value);
    }
    const keywords = new Map<string, Value>();
    for (const [name, value] of named) keywords.set(name, value(frame));
    if (more !== null) addKeywords(keywords, more(frame));
    return { args, keywords };
  };
}

function addKeywords(keywords: Map<string, Value>, value: Value): void {
  if (!(value instanceof Map)) {
    throw typeError("argument after ** must be a mapping");
  }
  for (const [name, member] of value) {
    if (typeof name !== "string") throw typeError("keywords must be strings");
    if (keywords.has(name)) {
      throw typeError(`got multiple values for keyword argument '${name}'`);
    }
    keywords.set(name, member);
  }
}

/** Compiles a call, optionally with the body of a call block as `caller`. */
export function compileCall(
  node: CallExpression,
  place: Place,
): (frame: Frame, caller: Value) => Value {
  const { callee } = node;
  const given = compileArguments(node.args, place);
  const { line } = node;
  const withCaller = (keywords: Keywords, caller: Value): Keywords =>
    caller === null ? keywords : new Map([...keywords, ["caller", caller]]);
  if (callee.type === "attribute") {
    const object = compileExpression(callee.object, place);
    const { name } = callee;
    return (frame, caller) => {
      const { machine } = frame;
      const value = object(frame);
      const { args, keywords } = given(frame);
      machine.line = line;
      return callMethod(value, name, {
        args,
        keywords: withCaller(keywords, caller),
        machine,
      });
    };
  }
  const evaluate = compileExpression(callee, place);
  return (frame, caller) => {
    const { machine } = frame;
    const value = evaluate(frame);
    const { args, keywords } = given(frame);
    machine.line = line;
    return call(value, {
      args,
      keywords: withCaller(keywords, caller),
      machine,
    });
  };
}

/** Compiles a filter. Without an input expression, the filter is applied to the captured output. */
export function compileFilter(node: FilterExpression, place: Place): Evaluate {
  const { input, args } = node;
  const filter = existing(FILTERS, { node, place, kind: "filter" });
  return applied(filter, {
    input: input === null
      ? (frame) => frame.machine.captured
      : compileExpression(input, place),
    given: compileArguments(args, place),
    alone: isAlone(args),
  });
}

function compileTest(
  node: Extract<Expression, { type: "test" }>,
  place: Place,
): Evaluate {
  const { name, args } = node;
  const input = compileExpression(node.input, place);
  if (isAlone(args)) {
    if (name === "defined") {
      return (frame) => !(input(frame) instanceof Undefined);
    }
    if (name === "none") return (frame) => input(frame) === null;
  }
  const test = existing(TESTS, { node, place, kind: "test" });
  return applied(test, {
    input,
    given: compileArguments(args, place),
    alone: isAlone(args),
  });
}

function isAlone({ positional, keywords, rest, moreKeywords }: Arguments) {
  return positional.length === 0 && keywords.length === 0 && rest === null &&
    moreKeywords === null;
}

const NO_ARGUMENTS: List = [];

function applied(
  method: Method<Value>,
  { input, given, alone }: {
    readonly input: Evaluate;
    readonly given: EvaluateArguments;
    readonly alone: boolean;
  },
): Evaluate {
  if (alone) {
    return (frame) => {
      const value = input(frame);
      frame.machine.spend(1);
      return method.call(value, NO_ARGUMENTS, NO_KEYWORDS, frame.machine);
    };
  }
  return (frame) => {
    const value = input(frame);
    const { args, keywords } = given(frame);
    frame.machine.spend(1);
    return method.call(value, args, keywords, frame.machine);
  };
}

/**
 * Returns the filter or test with a given name. If the name is unknown but {@linkcode Place.soft} is set, returns a
 * filter or test that throws an error when it is executed.
 * @throws {JinjaError} If the name is unknown and {@linkcode Place.soft} is not set.
 */
function existing(
  methods: ReadonlyMap<string, Method<Value>>,
  { node, place, kind }: {
    readonly node: { readonly name: string; readonly line: number };
    readonly place: Place;
    readonly kind: string;
  },
): Method<Value> {
  const { name, line } = node;
  const found = methods.get(name);
  if (found !== undefined) return found;
  const message = `No ${kind} named '${name}'`;
  if (!place.soft) throw syntaxError(`${message}.`, line);
  return {
    name,
    call() {
      throw typeError(`${message} found.`);
    },
  };
}

function compileConcat(parts: readonly Evaluate[]): Evaluate {
  return (frame) => {
    const { machine } = frame;
    let text = "";
    for (const part of parts) text += str(part(frame), machine);
    machine.checkLength(text.length);
    return text;
  };
}

type Compare = (a: Value, b: Value, machine: Machine) => boolean;

const COMPARE: Readonly<Record<Comparison, Compare>> = {
  "==": equals,
  "!=": (a, b, machine) => !equals(a, b, machine),
  "<": (a, b, machine) => order(a, b, { operator: "<", machine }) < 0,
  "<=": (a, b, machine) => order(a, b, { operator: "<=", machine }) <= 0,
  ">": (a, b, machine) => order(a, b, { operator: ">", machine }) > 0,
  ">=": (a, b, machine) => order(a, b, { operator: ">=", machine }) >= 0,
  in: (a, b, machine) => contains(b, a, machine),
  "not in": (a, b, machine) => !contains(b, a, machine),
};

function compileCompare(
  first: Evaluate,
  rest: readonly (readonly [Comparison, Evaluate])[],
): Evaluate {
  const [[operator, operand]] = rest as [readonly [Comparison, Evaluate]];
  const compare = COMPARE[operator];
  if (rest.length === 1) {
    return (frame) => compare(first(frame), operand(frame), frame.machine);
  }
  const steps = rest.map(([operator, operand]) =>
    [COMPARE[operator], operand] as const
  );
  return (frame) => {
    let left = first(frame);
    for (const [compare, operand] of steps) {
      const right = operand(frame);
      if (!compare(left, right, frame.machine)) return false;
      left = right;
    }
    return true;
  };
}

function compileConditional(
  node: Extract<Expression, { type: "conditional" }>,
  place: Place,
): Evaluate {
  const test = compileExpression(node.test, place);
  const then = compileExpression(node.then, place);
  const { line } = node;
  const otherwise = node.otherwise === null
    ? () =>
      new Undefined(() =>
        `the inline if-expression on line ${line} evaluated to false and no else section was defined.`
      )
    : compileExpression(node.otherwise, place);
  return (frame) => isTrue(test(frame)) ? then(frame) : otherwise(frame);
}
