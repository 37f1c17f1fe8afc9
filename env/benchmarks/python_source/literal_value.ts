/**
 * Evaluates Python expressions made of literals, known names and known calls. Anything else causes an error that names
 * its position. No Python code is run.
 */

import { parsePythonJson } from "../../python/python_json.ts";
import { add, isPythonNumber, negate } from "../../python/python_number.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import {
  children,
  type Node,
  type PythonSource,
  textOf,
  unreadable,
} from "./syntax_tree.ts";
import { decodeBody, splitString } from "./string_literal.ts";
import { extentOf, spend } from "./work.ts";

/** The names and calls available to an expression. */
export interface Scope {
  /** Returns the value of a name, or `undefined` if the name is unknown. Members have dotted names: `self.wiki`. */
  readonly name?: (name: string) => JsonValue | undefined;
  /** Returns the value of a call, or `undefined` if the called function is unknown. */
  readonly call?: (
    callee: string,
    args: CallArguments,
  ) => JsonValue | undefined;
}

/** The arguments of a call. */
export interface CallArguments {
  readonly positional: readonly JsonValue[];
  readonly keywords: JsonObject;
}

/**
 * Evaluates an expression.
 * @throws {DataError} If part of the expression is unknown or unsupported, or if the expression is nested too deeply or
 * its value is too large; the message names the file, the line and the column.
 */
export function evaluate(
  source: PythonSource,
  node: Node,
  scope: Scope = {},
): JsonValue {
  return new Evaluator(source, scope).value(node);
}

/** CPython's limit on the number of digits in an integer literal. */
const MAX_DIGITS = 4300;

/** The maximum nesting depth of expressions. A sum of n terms is n levels deep. */
const MAX_DEPTH = 400;

class Evaluator {
  readonly #source: PythonSource;
  readonly #scope: Scope;
  #depth = 0;

  constructor(source: PythonSource, scope: Scope) {
    this.#source = source;
    this.#scope = scope;
  }

  value(node: Node): JsonValue {
    if (this.#depth >= MAX_DEPTH) {
      this.#fail(
        node,
        `the expression is nested more than ${MAX_DEPTH} levels deep`,
      );
    }
    this.#depth++;
    this.#spend(node, 1);
    const value = this.#valueOf(node);
    this.#depth--;
    return value;
  }

  /**
   * Adds to the work spent on the file, and throws if the values become too large in proportion to the file's size.
   * Every use of a name counts as a copy of its value.
   */
  #spend(node: Node, work: number): void {
    if (spend(this.#source, work)) return;
    this.#fail(node, "the values in the file are too large for its size");
  }

  #valueOf(node: Node): JsonValue {
    switch (node.name) {
      case "String":
        return this.#string(node);
      case "FormatString":
        return this.#format(node);
      case "ContinuedString":
        return this.#joined(
          node,
          children(node).map((part) => this.#text(part)),
        );
      case "Number":
        return this.#number(node);
      case "Boolean":
        return textOf(this.#source, node) === "True";
      case "None":
        return null;
      case "ArrayExpression":
      case "TupleExpression":
        return this.#elements(node);
      case "DictionaryExpression":
        return this.#dictionary(node);
      case "ParenthesizedExpression":
        return this.value(this.#only(node));
      case "UnaryExpression":
        return this.#unary(node);
      case "BinaryExpression":
        return this.#binary(node);
      case "CallExpression":
        return this.#call(node);
      case "VariableName":
      case "MemberExpression":
        return this.#name(node);
      default:
        return this.#fail(node, "the expression is not a literal");
    }
  }

  #fail(node: Node, problem: string): never {
    throw unreadable(this.#source, node, problem);
  }

  #text(node: Node): string {
    const value = this.value(node);
    return typeof value === "string"
      ? value
      : this.#fail(node, "the expression is not a string");
  }

  #joined(node: Node, parts: readonly string[]): string {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#spend(node, length);
    return parts.join("");
  }

  #string(node: Node): string {
    const { prefix, body } = splitString(textOf(this.#source, node));
    if (prefix.includes("b")) this.#fail(node, "bytes are not supported");
    return this.#decode(node, body, prefix.includes("r"));
  }

  #decode(node: Node, body: string, isRaw: boolean): string {
    this.#spend(node, body.length);
    try {
      return decodeBody(body, isRaw);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return this.#fail(node, error.message);
    }
  }

  /** Evaluates an f-string. */
  #format(node: Node): string {
    const literal = textOf(this.#source, node);
    const { prefix, body, start } = splitString(literal);
    const isRaw = prefix.includes("r");
    const plain = (from: number, to: number) =>
      this.#decode(node, body.slice(from, to), isRaw)
        .replaceAll("{{", "{").replaceAll("}}", "}");
    const parts: string[] = [];
    let at = 0;
    for (const part of children(node)) {
      if (part.name !== "FormatReplacement") continue;
      const from = part.from - node.from - start;
      parts.push(plain(at, from), this.#replacement(part));
      at = from + (part.to - part.from);
    }
    return this.#joined(node, [...parts, plain(at, body.length)]);
  }

  #replacement(node: Node): string {
    const [, expression, ...rest] = children(node);
    if (expression === undefined || rest.length !== 1) {
      this.#fail(
        node,
        "f-string conversions and format specs are not supported",
      );
    }
    return this.#text(expression);
  }

  #number(node: Node): JsonValue {
    const text = textOf(this.#source, node).replaceAll("_", "");
    if (text.length > MAX_DIGITS) {
      this.#fail(node, `a number may have at most ${MAX_DIGITS} digits`);
    }
    if (/^\d+$/.test(text) && !/^0\d/.test(text)) return parsePythonJson(text);
    const float = /^(\d*)(?:\.(\d*))?(e[+-]?\d+)?$/i.exec(text);
    if (float === null || float[1] === "" && float[2] === "") {
      return this.#fail(node, "the number format is not supported");
    }
    const [, whole, part, exponent = ""] = float;
    return parsePythonJson(`${Number(whole || 0)}.${part || 0}${exponent}`);
  }

  #elements(node: Node): JsonValue[] {
    return children(node).flatMap((child) => {
      if (/^[[\](),]$/.test(child.name)) return [];
      if (child.name === "*") this.#fail(child, "unpacking is not supported");
      return [this.value(child)];
    });
  }

  #dictionary(node: Node): JsonObject {
    const value: JsonObject = new Map();
    const parts = children(node).filter(({ name }) => !/^[{}:,]$/.test(name));
    for (let i = 0; i < parts.length; i += 2) {
      const [key, member] = [parts[i]!, parts[i + 1]];
      if (key.name === "**" || member === undefined) {
        this.#fail(key, "unpacking is not supported");
      }
      value.set(this.#text(key), this.value(member));
    }
    return value;
  }

  #only(node: Node): Node {
    const [inner, ...others] = children(node).filter(({ name }) =>
      !/^[()]$/.test(name)
    );
    return inner !== undefined && others.length === 0
      ? inner
      : this.#fail(node, "the expression is not supported");
  }

  #unary(node: Node): JsonValue {
    const [operator, operand] = children(node);
    const value = operand === undefined ? null : this.value(operand);
    if (operator?.name !== "ArithOp") {
      return this.#fail(node, "the operator is not supported");
    }
    if (!isPythonNumber(value)) {
      return this.#fail(node, "the operand is not a number");
    }
    return textOf(this.#source, operator) === "-" ? negate(value) : value;
  }

  #binary(node: Node): JsonValue {
    const [left, operator, right] = children(node);
    if (
      left === undefined || operator === undefined || right === undefined ||
      textOf(this.#source, operator) !== "+"
    ) return this.#fail(node, "the only supported binary operator is +");
    const [a, b] = [this.value(left), this.value(right)];
    if (typeof a === "string" && typeof b === "string") {
      return this.#joined(node, [a, b]);
    }
    if (Array.isArray(a) && Array.isArray(b)) {
      this.#spend(node, a.length + b.length);
      return [...a, ...b];
    }
    if (isPythonNumber(a) && isPythonNumber(b)) return add(a, b);
    return this.#fail(
      node,
      "+ supports only two strings, two lists or two numbers",
    );
  }

  #name(node: Node): JsonValue {
    const name = textOf(this.#source, node);
    const value = this.#scope.name?.(name);
    if (value === undefined) {
      return this.#fail(node, `the name "${name}" is unknown`);
    }
    const { weight, depth } = extentOf(value);
    this.#spend(node, weight);
    if (depth + this.#depth > MAX_DEPTH) {
      this.#fail(
        node,
        `the expression is nested more than ${MAX_DEPTH} levels deep`,
      );
    }
    return value;
  }

  #call(node: Node): JsonValue {
    const [callee, list] = children(node);
    const name = callee === undefined ? "" : textOf(this.#source, callee);
    const args = list === undefined
      ? { positional: [], keywords: new Map() }
      : this.#arguments(list);
    const value = this.#scope.call?.(name, args);
    return value === undefined
      ? this.#fail(node, `calls of "${name}" are not supported`)
      : value;
  }

  #arguments(list: Node): CallArguments {
    const positional: JsonValue[] = [];
    const keywords: JsonObject = new Map();
    const parts = children(list).filter(({ name }) => !/^[(),]$/.test(name));
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      if (/^\*+$/.test(part.name)) {
        this.#fail(part, "unpacking is not supported");
      }
      if (parts[i + 1]?.name === "AssignOp") {
        keywords.set(
          textOf(this.#source, part),
          this.value(parts[i + 2] ?? part),
        );
        i += 2;
      } else {
        positional.push(this.value(part));
      }
    }
    return { positional, keywords };
  }
}
