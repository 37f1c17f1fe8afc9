/**
 * Parses tool calls in Python's syntax, as used by Llama 4:
 *
 *     [get_order_details(order_id="#W1"), think(thought="…")]
 *
 * Keyword arguments may be constants, lists and dictionaries; positional arguments are ignored.
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/pythonic_detector.py`, whose regular expression can
 * take exponential time. This parser takes linear time. If a call has arguments, the list extends to the last `)]` of
 * the text. The beginning of the list is the same as in SGLang. The end can differ only if white space or a comma
 * precedes a `),` and another `)]` follows the list.
 */

import { takeCall } from "./_json_call.ts";
import {
  constantOf,
  jsonArguments,
  type LiteralValue,
  parseStatements,
} from "./_python_literal.ts";
import { isPythonSpace, PYTHON_SPACE, pythonStrip } from "./_python_text.ts";
import {
  children,
  type Node,
  type PythonSource,
  textOf,
} from "../../benchmarks/python_source/syntax_tree.ts";
import type { JsonValue } from "../../python/python_value.ts";
import {
  type CallSink,
  collectCalls,
  type KnownTools,
  type ParsedText,
  plainText,
  UnreadableCalls,
} from "./tool_call_format.ts";

/** Parses the calls in a text. Text before and after the list of calls is kept. */
export function parsePythonic(text: string, tools?: KnownTools): ParsedText {
  const stripped = pythonStrip(text)
    .replaceAll("<|python_start|>", "").replaceAll("<|python_end|>", "");
  const found = findList(stripped);
  if (found === null) return plainText(text);
  const [from, to] = found;
  const normalText = stripped.slice(0, from) + stripped.slice(to);
  return collectCalls(
    normalText,
    tools,
    (sink) => readList(stripped.slice(from, to), sink),
  );
}

const LIST = /\[(?=[a-zA-Z][\p{L}\p{N}_]*\()/gu;
const CALL_START = /[a-zA-Z][\p{L}\p{N}_]*\(/uy;
const ARGUMENT = /[a-zA-Z][\p{L}\p{N}_]*=/uy;
const NEXT = new RegExp(`(,?)${PYTHON_SPACE}*`, "uy");

/** Returns the start and end of the list of calls, or `null` if there is no list. */
function findList(text: string): [from: number, to: number] | null {
  const last = lastListEnd(text);
  for (const { index } of text.matchAll(LIST)) {
    const end = listEnd(text, index + 1, last);
    if (end !== null) return [index, end];
  }
  return null;
}

/** The position of the parenthesis that closes the last call, and the end of the list. */
interface ListEnd {
  readonly close: number;
  readonly end: number;
}

const COMMA_CLOSE = new RegExp(
  `,${PYTHON_SPACE}*(?:(\\)${PYTHON_SPACE}*\\])|[a-zA-Z][\\p{L}\\p{N}_]*=)`,
  "gu",
);

/**
 * Returns the end of a list that extends to the last `)]` of the text, with optional white space between the two
 * characters. A `)]` after a trailing comma ends the list earlier, unless another argument (`, name=`) follows it.
 */
function lastListEnd(text: string): ListEnd | null {
  const last = lastCallEnd(text);
  if (last === null) return null;
  let preferred = last;
  for (const { index, 0: whole, 1: close } of text.matchAll(COMMA_CLOSE)) {
    if (index >= last.close) break;
    const end = index + whole.length;
    preferred = close === undefined ? last : { close: index, end };
  }
  return preferred;
}

/** Returns the position of the last `)` that is followed by a `]`, with optional white space between them. */
function lastCallEnd(text: string): ListEnd | null {
  for (let at = text.lastIndexOf("]"); at > 0;) {
    let before = at - 1;
    while (before > 0 && isPythonSpace(text.charAt(before))) before--;
    if (text.charAt(before) === ")") return { close: before, end: at + 1 };
    at = text.lastIndexOf("]", before);
    if (before === 0) return null;
  }
  return null;
}

/**
 * Returns the end of the list whose first call begins at `at`, or `null` if no list begins there. Calls without
 * arguments are skipped one at a time. From the first call with arguments on, the list extends to `last`.
 */
function listEnd(
  text: string,
  at: number,
  last: ListEnd | null,
): number | null {
  let isJoined = false;
  while (true) {
    const inside = endOf(CALL_START, { text, at });
    if (inside === null) return null;
    const value = endOf(ARGUMENT, { text, at: inside });
    if (value !== null) {
      return last !== null && last.close >= value ? last.end : null;
    }
    if (text.charAt(inside) !== ")") return null;
    NEXT.lastIndex = inside + 1;
    const [whole = "", comma] = NEXT.exec(text) ?? [];
    at = inside + 1 + whole.length;
    if (comma === "" && text.charAt(at) === "]") return at + 1;
    // Calls without commas between them are recognized here and rejected by the parser; no comma may follow them.
    if (comma === "") isJoined = true;
    else if (isJoined) return null;
  }
}

function endOf(
  pattern: RegExp,
  { text, at }: { readonly text: string; readonly at: number },
): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}

function readList(text: string, sink: CallSink): void {
  const parsed = parseStatements(text);
  const list = firstExpression(parsed?.statements[0]);
  if (parsed === undefined || list?.name !== "ArrayExpression") {
    throw new UnreadableCalls(`The calls are not a list in Python's syntax`);
  }
  const calls = children(list)
    .filter(({ name }) => !/^[[\],]$/.test(name))
    .map(unwrapped);
  if (calls.some(({ name }) => name !== "CallExpression")) {
    throw new UnreadableCalls(
      `The list contains an element that is not a call`,
    );
  }
  for (const call of calls) checkOrder(parsed.source, call);
  for (const call of calls) readCall(parsed.source, call, sink);
}

/** Rejects positional arguments after keyword arguments, which the parser accepts but Python does not. */
function checkOrder(source: PythonSource, call: Node): void {
  let isNamed = false;
  let isUnpacked = false;
  for (const [first, operator] of splitArguments(children(call)[1]!)) {
    const isByName = operator !== undefined && operator.name === "AssignOp" &&
      textOf(source, operator) === "=";
    const isStar = first?.name === "*";
    if (first?.name === "**") isUnpacked = true;
    else if (isByName) isNamed = true;
    else if (isUnpacked || (isNamed && !isStar)) {
      throw new UnreadableCalls(
        `Arguments must be given by name: NAME=VALUE`,
      );
    }
  }
}

function firstExpression(statement: Node | undefined): Node | undefined {
  if (statement === undefined) return undefined;
  const [first] = children(statement);
  return statement.name === "StatementGroup" ? firstExpression(first) : first;
}

function unwrapped(node: Node): Node {
  if (node.name !== "ParenthesizedExpression") return node;
  const inner = children(node)[1];
  return inner === undefined ? node : unwrapped(inner);
}

function readCall(source: PythonSource, call: Node, sink: CallSink): void {
  const [callee, list] = children(call);
  if (callee?.name !== "VariableName" || list === undefined) {
    sink.skipped.push(`A call has no name`);
    return;
  }
  const name = textOf(source, callee);
  const isKnown = sink.tools?.has(name) ?? true;
  takeCall(name, isKnown ? argumentsOf(source, list) : null, sink);
}

function argumentsOf(source: PythonSource, list: Node): JsonValue {
  const given = new Map<string, LiteralValue>();
  for (const [first, operator, value] of splitArguments(list)) {
    if (first?.name === "**") {
      if (operator !== undefined) given.set("null", valueOf(source, operator));
    } else if (
      operator?.name === "AssignOp" && textOf(source, operator) === "=" &&
      first !== undefined && value !== undefined
    ) {
      given.set(textOf(source, first), valueOf(source, value));
    }
  }
  return jsonArguments(given);
}

/** Returns the arguments of a call, each as a list of nodes. */
function splitArguments(list: Node): Node[][] {
  const all: Node[][] = [];
  let current: Node[] = [];
  for (const node of children(list).slice(1)) {
    if (node.name !== "," && node.name !== ")") {
      current.push(node);
      continue;
    }
    if (current.length > 0) all.push(current);
    current = [];
  }
  return all;
}

function valueOf(source: PythonSource, node: Node): LiteralValue {
  const value = constantOf(source, unwrapped(node));
  if (value !== undefined) return value;
  throw new UnreadableCalls(
    `An argument must be a string, a number without a sign, True, False, None, a list or a dictionary of these`,
  );
}
