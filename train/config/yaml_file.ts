/** Parses hand-written YAML with limits on its size and depth, and keeps line numbers for error messages. */

import {
  type Document,
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
} from "yaml";
import { ConfigError, messageOf } from "../../env/errors.ts";

/** A YAML file to parse. */
export interface YamlFile {
  /** The name of the file in messages: its path. */
  readonly name: string;
  readonly text: string;
}

const MAX_CHARACTERS = 1 << 20;
const MAX_DEPTH = 64;

/** A parsed YAML file. */
export class Yaml {
  readonly name: string;
  /** The parsed value; `null` if the file is empty. */
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;

  /**
   * Parses a file.
   * @param what The kind of file in messages: `the recipe`.
   * @throws {ConfigError} If it is not YAML, is too long or nested too deeply, or if an alias has no anchor, refers to
   * a node that contains it, or expands too far.
   */
  constructor({ name, text }: YamlFile, what: string) {
    this.name = name;
    if (text.length > MAX_CHARACTERS) {
      throw new ConfigError(
        `${name}: ${what} has ${text.length} characters, more than the maximum of ${MAX_CHARACTERS}`,
      );
    }
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, { lineCounter: this.#lines });
    const [fault] = this.#document.errors;
    if (fault !== undefined) {
      const { line, col } = this.#lines.linePos(fault.pos[0]);
      throw new ConfigError(
        `${name}:${line}:${col}: ${what} is not YAML: ${messageOfFault(fault)}`,
      );
    }
    this.value = valueOf(this.#document, `${name}: ${what}`);
  }

  /** Checks whether the file has a key at a path. */
  has(path: readonly string[]): boolean {
    return this.#document.hasIn(path);
  }

  /** Returns the line of a key, or of its innermost existing section. Returns `undefined` if neither exists. */
  lineOf(path: readonly string[]): number | undefined {
    let node: unknown = this.#document.contents;
    let offset: number | undefined;
    for (const key of path) {
      if (!isMap(node)) break;
      const pair = node.items.find((item) =>
        isScalar(item.key) && String(item.key.value) === key
      );
      if (!pair || !isScalar(pair.key)) break;
      offset = pair.key.range?.[0];
      node = pair.value;
    }
    return offset === undefined ? undefined : this.#lines.linePos(offset).line;
  }
}

function messageOfFault({ message }: Error): string {
  const [first] = message.split("\n");
  if (/multiple documents/.test(first!)) return "it has several documents";
  return /call stack/.test(first!)
    ? "it is nested too deeply"
    : first!.replace(/ at line \d+, column \d+:$/, "");
}

/**
 * Converts a document to plain values.
 * @param subject The subject of error messages, such as the file's name.
 */
function valueOf(document: Document, subject: string): unknown {
  let value: unknown;
  try {
    // The library rejects aliases that expand too far and aliases without an anchor.
    value = document.toJS();
  } catch (error) {
    throw new ConfigError(
      `${subject} cannot be read: ${messageOf(error)}`,
      { cause: error, hint: "write the value in place of the alias" },
    );
  }
  if (isDeeper(value, MAX_DEPTH)) {
    throw new ConfigError(
      `${subject} is nested more than ${MAX_DEPTH} levels deep, or an alias refers to a node that contains it`,
      { hint: "flatten the value, or remove the alias" },
    );
  }
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  return typeof value === "object" && value !== null &&
    (levels === 0 ||
      Object.values(value).some((inner) => isDeeper(inner, levels - 1)));
}
