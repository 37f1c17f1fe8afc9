/**
 * Reads the model arguments from one of slime's `scripts/models/NAME.sh` without running it.
 *
 * The parts of bash that these scripts use are supported:
 * - assignments, with or without `export`, arrays and their elements, and `${NAME:-default}`;
 * - sums and products;
 * - `source` of a script in the same directory;
 * - the loop that fills an array with a value per layer;
 * - `printf -v` with a value, such as the elements of an array joined by `IFS`.
 *
 * Any other syntax is an error that names the line.
 *
 * @see slime `scripts/models/*.sh` at 624b824.
 */

import { basename, dirname, join } from "node:path";
import { DataError } from "../../../env/errors.ts";

/** A script, and how to read it. */
export interface ScriptSource {
  /** The path of the script, which is used in error messages and to find scripts in the same directory. */
  readonly path: string;
  readonly read: (path: string) => string;
  /** Environment variables, such as `MODEL_ARGS_ROTARY_BASE`. Default: none. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** The maximum number of layers. No model has more layers, so a script with a larger number is not from slime. */
const MAX_LAYERS = 1000;
const MAX_SOURCES = 8;

/**
 * Returns the arguments in `MODEL_ARGS`.
 * @throws {DataError} If the script does not set `MODEL_ARGS`, or uses unsupported syntax. The message contains the
 * file and, for unsupported syntax, the line.
 */
export function readModelScript(source: ScriptSource): string[] {
  const values = new Values(source.variables);
  runScript(source, { values, depth: 0 });
  const words = values.arrays.get("MODEL_ARGS");
  if (words !== undefined && words.length > 0) return words;
  throw new DataError(`"${source.path}" does not set MODEL_ARGS`, {
    path: source.path,
    hint: "set model.shape to one of slime's scripts/models/*.sh",
  });
}

class Values {
  readonly scalars: Map<string, string>;
  readonly arrays = new Map<string, string[]>();

  constructor(variables: Readonly<Record<string, string>> = {}) {
    this.scalars = new Map(Object.entries(variables));
  }
}

interface Run {
  readonly values: Values;
  readonly depth: number;
}

function runScript({ path, read }: ScriptSource, { values, depth }: Run): void {
  const text = read(path);
  const reader = new Reader(text, { path, values });
  reader.run((name) => {
    if (depth >= MAX_SOURCES) reader.fail("the scripts source each other");
    const beside = join(dirname(path), name);
    runScript({ path: beside, read }, { values, depth: depth + 1 });
  });
}

/** Matches the loop `for ((i=0; i<N; i++)); do if (( i < K )); then a+=(0) else a+=(1) fi done`. */
const FILL =
  /for\s*\(\(\s*(\w+)=0;\s*\1\s*<\s*(\w+);\s*\1\+\+\s*\)\);?\s*do\s+if\s*\(\(\s*\1\s*<\s*(\w+)\s*\)\);?\s*then\s+(\w+)\+=\(([^()]*)\);?\s+else\s+\4\+=\(([^()]*)\);?\s+fi;?\s+done/y;
const SPACE = /(?:[ \t\r\n;]|\\\n|#[^\n]*)+/y;
const INLINE_SPACE = /(?:[ \t]|\\\n)+/y;
const ARRAY = /([A-Za-z_]\w*)(\+?)=\(/y;
const ELEMENT = /([A-Za-z_]\w*)\[(\d+)\]=/y;
const SCALAR = /([A-Za-z_]\w*)=/y;
const EXPORT = /export[ \t]+/y;
const SOURCE = /(?:source|\.)[ \t]+/y;
const PRINTF = /printf[ \t]+-v[ \t]+(\w+)[ \t]+/y;
const PLAIN = /[^\s"'$\\();`&|<>]+/y;
const VARIABLE = /\$(?:(\w+)|\{(\w+)(?::?-([^{}$`"]*))?\})/y;
const SUM = /\$\(\(([^()]*)\)\)/y;
const JOINED = /\$\(IFS='(.)[^']*';\s*echo "\$\{(\w+)\[\*\]\}"\)/y;
const FOLDER =
  /\$\((?:dirname -- "\$\{BASH_SOURCE\[0\]\}"|cd -- "\$\(dirname -- "\$\{BASH_SOURCE\[0\]\}"\)" && pwd)\)/y;
const WHOLE_ARRAY = /"\$\{(\w+)\[@\]\}"/y;

/** Evaluates a script statement by statement. */
class Reader {
  readonly #text: string;
  readonly #path: string;
  readonly #values: Values;
  #at = 0;

  constructor(
    text: string,
    { path, values }: { readonly path: string; readonly values: Values },
  ) {
    this.#text = text;
    this.#path = path;
    this.#values = values;
  }

  /**
   * Evaluates all statements.
   * @param source Called each time the script sources another script in its directory, with the name of that script.
   */
  run(source: (name: string) => void): void {
    while (true) {
      this.#take(SPACE);
      if (this.#at >= this.#text.length) return;
      this.#take(EXPORT);
      const isKnown = this.#assignment() || this.#fill() || this.#printf();
      if (isKnown) continue;
      if (this.#take(SOURCE) === null) {
        this.fail("this syntax is not supported");
      }
      source(basename(this.#word()));
    }
  }

  fail(problem: string): never {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    const shown = this.#text.split("\n")[line - 1]?.trim().slice(0, 60) ?? "";
    throw new DataError(
      `"${this.#path}", line ${line}: ${problem}${
        shown === "" ? "" : `: ${shown}`
      }`,
      {
        path: this.#path,
        hint:
          "set model.shape to the checkpoint's config.json, or to that file's keys",
      },
    );
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #assignment(): boolean {
    const { arrays, scalars } = this.#values;
    const array = this.#take(ARRAY);
    if (array !== null) {
      const [, name = "", more] = array;
      const before = more === "+" ? arrays.get(name) ?? [] : [];
      arrays.set(name, [...before, ...this.#elements()]);
      return true;
    }
    const element = this.#take(ELEMENT);
    if (element !== null) {
      const [, name = "", index] = element;
      const words = arrays.get(name);
      if (words === undefined || Number(index) >= words.length) {
        this.fail(`${name}[${index}] does not exist`);
      }
      words[Number(index)] = this.#word();
      return true;
    }
    const scalar = this.#take(SCALAR);
    if (scalar === null) return false;
    scalars.set(scalar[1] ?? "", this.#word());
    this.#take(INLINE_SPACE);
    return true;
  }

  /** Reads the elements of an array up to its closing parenthesis. */
  #elements(): string[] {
    const words: string[] = [];
    while (true) {
      this.#take(SPACE);
      if (this.#at >= this.#text.length) this.fail("an array is not closed");
      if (this.#text[this.#at] === ")") {
        this.#at++;
        return words;
      }
      const whole = this.#take(WHOLE_ARRAY);
      const begin = this.#at;
      if (whole !== null) words.push(...this.#array(whole[1] ?? ""));
      else words.push(this.#word());
      if (whole === null && this.#at === begin) {
        this.fail("this syntax is not supported");
      }
    }
  }

  #fill(): boolean {
    const match = this.#take(FILL);
    if (match === null) return false;
    const [, , count = "", first = "", name = "", low = "", high = ""] = match;
    const layers = this.#number(count);
    if (layers > MAX_LAYERS) {
      this.fail(`${layers} layers exceed the limit of ${MAX_LAYERS}`);
    }
    const dense = this.#number(first);
    const values = Array.from(
      { length: layers },
      (_, i) => i < dense ? low : high,
    );
    const before = this.#values.arrays.get(name) ?? [];
    this.#values.arrays.set(name, [...before, ...values]);
    return true;
  }

  #printf(): boolean {
    const match = this.#take(PRINTF);
    if (match === null) return false;
    const format = this.#word();
    this.#take(INLINE_SPACE);
    const value = this.#word();
    this.#values.scalars.set(match[1] ?? "", format.replace("%s", () => value));
    return true;
  }

  /** Reads a word of a command, which consists of consecutive quoted and unquoted parts. */
  #word(): string {
    let word = "";
    while (this.#at < this.#text.length) {
      const character = this.#text.charAt(this.#at);
      if (character === '"') word += this.#quoted();
      else if (character === "'") word += this.#literal();
      else if (character === "$") word += this.#expansion();
      else if (character === "\\") {
        word += this.#text.charAt(this.#at + 1);
        this.#at += 2;
      } else {
        const plain = this.#take(PLAIN);
        if (plain === null) break;
        word += plain[0];
      }
    }
    return word;
  }

  #quoted(): string {
    let text = "";
    this.#at++;
    while (this.#text[this.#at] !== '"') {
      if (this.#at >= this.#text.length) this.fail("a quote is not closed");
      if (this.#text[this.#at] === "$") text += this.#expansion();
      else text += this.#text[this.#at++];
    }
    this.#at++;
    return text;
  }

  #literal(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) this.fail("a quote is not closed");
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  #expansion(): string {
    const variable = this.#take(VARIABLE);
    if (variable !== null) {
      const [, bare, braced, fallback] = variable;
      return this.#scalar(bare ?? braced ?? "", fallback);
    }
    const sum = this.#take(SUM);
    if (sum !== null) return String(this.#sum(sum[1] ?? ""));
    const joined = this.#take(JOINED);
    if (joined !== null) {
      return this.#array(joined[2] ?? "").join(joined[1]);
    }
    if (this.#take(FOLDER) !== null) return ".";
    return this.fail("this syntax is not supported");
  }

  #scalar(name: string, fallback?: string): string {
    const value = this.#values.scalars.get(name);
    // An empty variable takes its ":-" default. slime's scripts use no other form.
    if (value !== undefined && value !== "") return value;
    return fallback ?? value ?? this.fail(`${name} is not set`);
  }

  #array(name: string): readonly string[] {
    return this.#values.arrays.get(name) ?? this.fail(`${name} is not set`);
  }

  /** Reads a number, or the name of a variable that contains a number. */
  #number(text: string): number {
    const value = /^\d+$/.test(text) ? text : this.#scalar(text);
    return /^\d{1,12}$/.test(value)
      ? Number(value)
      : this.fail(`${text} is not a number`);
  }

  /** Evaluates a sum of products. */
  #sum(expression: string): number {
    const terms = expression.replaceAll("$", "").split("+");
    return terms.reduce(
      (sum, term) =>
        sum + term.split("*").reduce(
          (product, factor) => product * this.#number(factor.trim()),
          1,
        ),
      0,
    );
  }
}
