/**
 * Reads the parts of Python classes and functions from their source: fields, docstrings, base classes and parameters.
 */

import { bodyOf } from "../../python_source/python_modules.ts";
import {
  children,
  type Node,
  type PythonSource,
  textOf,
} from "../../python_source/syntax_tree.ts";
import { decodeBody, splitString } from "../../python_source/string_literal.ts";

/** An annotated field of a class. */
export interface ClassField {
  readonly name: string;
  readonly annotation: string;
  /** The assigned value; `undefined` if there is none. */
  readonly value: Node | undefined;
  /** The arguments of `Field`, if the value is a call to `Field`; otherwise `undefined`. */
  readonly call:
    | readonly { readonly keyword: string | undefined; readonly value: Node }[]
    | undefined;
}

/** Reads a statement as a field, or returns `undefined` if the statement is not a field. */
export function fieldOf(
  source: PythonSource,
  statement: Node,
): ClassField | undefined {
  const [target, type, operator, value] = children(statement);
  if (target?.name !== "VariableName" || type?.name !== "TypeDef") {
    return undefined;
  }
  const assigned = operator === undefined ? undefined : value;
  return {
    name: textOf(source, target),
    annotation: annotationOf(source, type),
    value: assigned,
    call: assigned === undefined ? undefined : fieldCall(source, assigned),
  };
}

function fieldCall(source: PythonSource, node: Node): ClassField["call"] {
  if (node.name !== "CallExpression") return undefined;
  const [callee, list] = children(node);
  if (callee === undefined || textOf(source, callee) !== "Field") {
    return undefined;
  }
  return list === undefined ? [] : argumentsOf(source, list);
}

/** Returns the arguments of a call, in order. */
export function argumentsOf(
  source: PythonSource,
  list: Node,
): { keyword: string | undefined; value: Node }[] {
  const parts = children(list).filter(({ name }) => !/^[(),]$/.test(name));
  const found: { keyword: string | undefined; value: Node }[] = [];
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at]!;
    const value = parts[at + 2];
    if (parts[at + 1]?.name === "AssignOp" && value !== undefined) {
      found.push({ keyword: textOf(source, part), value });
      at += 2;
    } else found.push({ keyword: undefined, value: part });
  }
  return found;
}

/** Returns the names of a class's base classes. */
export function parentsOf(source: PythonSource, node: Node): string[] {
  const list = children(node).find(({ name }) => name === "ArgList");
  return list === undefined
    ? []
    : argumentsOf(source, list).map(({ value }) => textOf(source, value));
}

/** Returns the docstring of a class or function, or `undefined` if it has none. */
export function docstringOf(
  source: PythonSource,
  node: Node,
): string | undefined {
  const first = children(bodyOf(node)).find(({ name }) => name !== ":");
  const text = first?.name === "ExpressionStatement"
    ? children(first)[0]
    : undefined;
  if (text?.name !== "String") return undefined;
  const { prefix, body } = splitString(textOf(source, text));
  return decodeBody(body, prefix.includes("r"));
}

/** A parameter of a function. */
export interface Parameter {
  readonly name: string;
  /** The type annotation; empty if there is none. */
  readonly annotation: string;
  readonly fallback: Node | undefined;
}

/** Returns the parameters of a method, without `self`. */
export function parametersOf(
  source: PythonSource,
  definition: Node,
): Parameter[] {
  const list = children(definition).find(({ name }) => name === "ParamList");
  const found: Parameter[] = [];
  const parts = list === undefined ? [] : children(list);
  for (const [at, part] of parts.entries()) {
    if (part.name !== "VariableName") continue;
    if (parts[at - 1]?.name === "AssignOp") continue;
    const after = parts.slice(at + 1);
    const end = after.findIndex(({ name }) => name === "," || name === ")");
    const own = after.slice(0, end < 0 ? undefined : end);
    const type = own.find(({ name }) => name === "TypeDef");
    const assign = own.findIndex(({ name }) => name === "AssignOp");
    found.push({
      name: textOf(source, part),
      annotation: type === undefined ? "" : annotationOf(source, type),
      fallback: assign < 0 ? undefined : own[assign + 1],
    });
  }
  return found.filter(({ name }) => name !== "self");
}

function annotationOf(source: PythonSource, type: Node): string {
  return textOf(source, type).replace(/^(:|->)/, "").trim();
}
