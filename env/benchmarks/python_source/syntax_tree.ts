/** Parses Python files into syntax trees, and creates errors with a source position. */

import { createRequire } from "node:module";
import type { parser } from "@lezer/python";
import { DataError } from "../../errors.ts";

type Parser = typeof parser;

/** A node of a syntax tree. */
export type Node = ReturnType<Parser["parse"]>["topNode"];

let loaded: Parser | undefined;

/**
 * Returns the parser for Python. The parser is loaded on first use, because @lezer/lr reads an environment variable as
 * soon as it is loaded.
 */
function pythonParser(): Parser {
  const require = createRequire(import.meta.url);
  const { parser } = require("@lezer/python") as { parser: Parser };
  // Strict: without error recovery, which can take minutes.
  return loaded ??= parser.configure({ strict: true });
}

/** A source file's path and text. */
interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** A parsed Python file. */
export interface PythonSource extends SourceText {
  readonly root: Node;
}

/** The maximum size of a file, in characters. τ-bench's largest file has 1 MB. */
const MAX_CHARACTERS = 16 * 2 ** 20;
/** The time limit for parsing a file, in milliseconds. τ-bench's largest file is parsed in about 100 ms. */
const PARSE_MS = 30_000;

/**
 * Parses a file.
 * @throws {DataError} If the text is not Python, is too large, or takes too long to parse; the message names the line.
 */
export function parsePython(path: string, text: string): PythonSource {
  if (text.length > MAX_CHARACTERS) {
    throw new DataError(
      `${path}:1: the file has ${text.length} characters; the limit is ${MAX_CHARACTERS}`,
      { path },
    );
  }
  const root = parse(path, text);
  const source = { path, text, root };
  // If the file is nested too deeply, the parser returns a tree with error nodes.
  const fault = firstFault(root);
  if (fault !== undefined) throw notPython(source, fault.from);
  return source;
}

function parse(path: string, text: string): Node {
  const started = pythonParser().startParse(text);
  const deadline = performance.now() + PARSE_MS;
  try {
    for (let step = 1;; step++) {
      const tree = started.advance();
      if (tree !== null) return tree.topNode;
      if (step % 1000 === 0 && performance.now() > deadline) break;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [, at = started.parsedPos] = /at (\d+)$/.exec(error.message) ?? [];
    throw notPython({ path, text }, Number(at));
  }
  throw unreadable(
    { path, text },
    { from: started.parsedPos, to: started.parsedPos },
    `parsing took longer than ${PARSE_MS / 1000} s`,
  );
}

function notPython(source: SourceText, from: number): DataError {
  const place = { from, to: source.text.length };
  return unreadable(
    source,
    place,
    "the code is not valid Python, or it is nested too deeply",
  );
}

/** Returns a node's source text. */
export function textOf({ text }: PythonSource, { from, to }: Node): string {
  return text.slice(from, to);
}

/** Returns the children of a node, excluding comments. */
export function children(node: Node): Node[] {
  const all: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== "Comment") all.push(child);
  }
  return all;
}

/** Yields the nodes of the kind `name` below a node, in document order, without recursion. */
export function* descendants(node: Node, name: string): Generator<Node> {
  const cursor = node.cursor();
  let depth = 0;
  for (;;) {
    if (cursor.firstChild()) depth++;
    else {
      while (depth > 0 && !cursor.nextSibling()) {
        cursor.parent();
        depth--;
      }
      if (depth === 0) return;
    }
    if (cursor.name === name) yield cursor.node;
  }
}

/**
 * Creates the error for source code that cannot be read. The message begins with its position: `tasks_test.py:12:5: …`.
 */
export function unreadable(
  source: SourceText,
  node: Pick<Node, "from" | "to">,
  problem: string,
): DataError {
  const starts = lineStarts(source);
  let [line, after] = [0, starts.length];
  while (after - line > 1) {
    const middle = (line + after) >> 1;
    if (starts[middle]! <= node.from) line = middle;
    else after = middle;
  }
  const column = node.from - starts[line]! + 1;
  const { from, to } = node;
  // The start of a whole file does not show the problem.
  const isFile = from === 0 && to === source.text.length;
  const shown = isFile
    ? ""
    : source.text.slice(from, Math.min(to, from + 60)).split("\n", 1)[0];
  return new DataError(
    `${source.path}:${line + 1}:${column}: ${problem}${shown && `: ${shown}`}`,
    { path: source.path },
  );
}

const starts = new WeakMap<SourceText, readonly number[]>();

/**
 * Returns the index at which each line starts. The result is cached per file, since callers catch and discard many
 * errors.
 */
function lineStarts(source: SourceText): readonly number[] {
  const known = starts.get(source);
  if (known !== undefined) return known;
  const found = [0];
  for (let at = -1; (at = source.text.indexOf("\n", at + 1)) >= 0;) {
    found.push(at + 1);
  }
  starts.set(source, found);
  return found;
}

function firstFault(root: Node): Node | undefined {
  let fault: Node | undefined;
  root.cursor().iterate((node) => {
    if (node.type.isError) fault ??= node.node;
    return fault === undefined;
  });
  return fault;
}
