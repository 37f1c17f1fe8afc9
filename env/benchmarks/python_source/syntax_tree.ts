/** A Python file as its syntax tree, and errors that name the place. */

import { createRequire } from "node:module";
import type { parser } from "@lezer/python";
import { DataError } from "../../errors.ts";

type Parser = typeof parser;

/** A node of the tree. */
export type Node = ReturnType<Parser["parse"]>["topNode"];

let loaded: Parser | undefined;

/** The parser, loaded at its first use: @lezer/lr reads an environment variable when it is loaded. */
function pythonParser(): Parser {
  const require = createRequire(import.meta.url);
  return loaded ??= require("@lezer/python").parser as Parser;
}

/** A file. */
export interface PythonSource {
  readonly path: string;
  readonly text: string;
  readonly root: Node;
}

/** Parses a file. @throws {DataError} If it is not Python; names the line. */
export function parsePython(path: string, text: string): PythonSource {
  const root = pythonParser().parse(text).topNode;
  const source = { path, text, root };
  const fault = firstFault(root);
  if (fault !== undefined) {
    throw unreadable(source, fault, "this is not Python");
  }
  return source;
}

/** The node's text. */
export function textOf({ text }: PythonSource, { from, to }: Node): string {
  return text.slice(from, to);
}

/** The children of a node, comments left out. */
export function children(node: Node): Node[] {
  const all: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== "Comment") all.push(child);
  }
  return all;
}

/** All nodes of a kind below a node, in order. */
export function* descendants(node: Node, name: string): Generator<Node> {
  for (const child of children(node)) {
    if (child.name === name) yield child;
    yield* descendants(child, name);
  }
}

/** What cannot be read, with its place: `tasks_test.py:12:5: …`. */
export function unreadable(
  source: PythonSource,
  node: Node,
  problem: string,
): DataError {
  const before = source.text.slice(0, node.from).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  const shown = textOf(source, node).split("\n")[0]?.slice(0, 60) ?? "";
  return new DataError(
    `${source.path}:${before.length}:${column}: ${problem}: ${shown}`,
    { path: source.path },
  );
}

function firstFault(root: Node): Node | undefined {
  let fault: Node | undefined;
  root.cursor().iterate((node) => {
    if (node.type.isError) fault ??= node.node;
    return fault === undefined;
  });
  return fault;
}
