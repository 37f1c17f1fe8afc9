/** YAML that people write: parsed within bounds, with the lines that messages name. */

import {
  type Document,
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
} from "yaml";
import { ConfigError, messageOf } from "../../env/errors.ts";

/** A file as read from disk. */
export interface YamlFile {
  /** How messages call it: its path. */
  readonly name: string;
  readonly text: string;
}

const MAX_CHARACTERS = 1 << 20;
const MAX_DEPTH = 64;

/** A parsed file. */
export class Yaml {
  readonly name: string;
  /** Plain values; `null` where the file is empty. */
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;

  /**
   * @param what How messages call such a file: `the recipe`.
   * @throws {ConfigError} If it is not YAML, too long or nested too deeply, or if an alias has no anchor, is inside of
   * what it repeats, or repeats too much.
   */
  constructor({ name, text }: YamlFile, what: string) {
    this.name = name;
    if (text.length > MAX_CHARACTERS) {
      throw new ConfigError(
        `${name}: ${what} has ${text.length} characters; at most ${MAX_CHARACTERS} are read`,
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

  /** Whether the file has a key of that path. */
  has(path: readonly string[]): boolean {
    return this.#document.hasIn(path);
  }

  /** The line of a key, or of the last section on the way to it; `undefined` where there is none. */
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
  return /call stack/.test(first!)
    ? "it is nested too deeply"
    : first!.replace(/ at line \d+, column \d+:$/, "");
}

/** @param subject How a message begins. */
function valueOf(document: Document, subject: string): unknown {
  let value: unknown;
  try {
    // The library refuses aliases that multiply, and those without an anchor.
    value = document.toJS();
  } catch (error) {
    throw new ConfigError(
      `${subject} cannot be read: ${messageOf(error)}`,
      { cause: error, hint: "write the value out where its alias is" },
    );
  }
  if (isDeeper(value, MAX_DEPTH)) {
    throw new ConfigError(
      `${subject} is nested more than ${MAX_DEPTH} levels deep, or an alias is inside of what it repeats`,
      { hint: "write the value out where its alias is" },
    );
  }
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  return typeof value === "object" && value !== null &&
    (levels === 0 ||
      Object.values(value).some((inner) => isDeeper(inner, levels - 1)));
}
