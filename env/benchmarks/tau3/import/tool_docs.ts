/**
 * Parses a function's docstring in Google style.
 *
 * @see docstring_parser 0.17, google.py, which upstream uses.
 */

/** The parts of a docstring. */
export interface ToolDoc {
  /** The description that models receive: the first line, followed by a blank line and the remaining text, if any. */
  readonly description: string;
  /** The descriptions of the parameters, keyed by name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TITLE =
  /^(Arguments|Args|Parameters|Params|Raises|Exceptions|Except|Attributes|Example|Examples|Returns|Yields):[ \t\r\f\v]*$/gm;

const OF_PARAMETERS = new Set(["Arguments", "Args", "Parameters", "Params"]);

/** Parses the text of a docstring, without its quotes. */
export function readToolDoc(docstring: string): ToolDoc {
  const text = cleanDoc(docstring);
  const titles = [...text.matchAll(TITLE)];
  const [first] = titles;
  const [short = "", ...rest] = text.slice(0, first?.index ?? text.length)
    .split("\n");
  const long = rest.join("\n").trim();
  const parameters = new Map<string, string>();
  for (const [i, title] of titles.entries()) {
    if (!OF_PARAMETERS.has(title[1] ?? "")) continue;
    const start = title.index + title[0].length;
    const chunk = text.slice(start, titles[i + 1]?.index ?? text.length);
    for (const [name, description] of entriesIn(chunk)) {
      parameters.set(name, description);
    }
  }
  return {
    description: long === "" ? short : `${short}\n\n${long}`,
    parameters,
  };
}

/**
 * Yields the name and the text of each entry (`name: text` or `name (type): text`) in a section. An entry continues over
 * the lines that are indented differently from the section's first line.
 */
function* entriesIn(chunk: string): Generator<[string, string]> {
  const lines = chunk.split("\n");
  while (lines[0]?.trim() === "") lines.shift();
  const indent = indentOf(lines[0] ?? "");
  let entry: string[] = [];
  for (const line of [...lines, undefined]) {
    const isNext = line === undefined ||
      line.trim() !== "" && indentOf(line) === indent;
    if (!isNext) {
      entry.push(line);
      continue;
    }
    if (entry.length > 0) yield entryOf(entry);
    entry = line === undefined ? [] : [line.slice(indent)];
  }
}

function entryOf(lines: readonly string[]): [string, string] {
  const text = lines.join("\n");
  const colon = text.indexOf(":");
  const before = colon < 0 ? text : text.slice(0, colon);
  const after = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
  const [line = "", ...rest] = after.split("\n");
  const description = rest.length === 0
    ? line
    : `${line}\n${cleanDoc(rest.join("\n"))}`;
  const name = before.split("(", 1)[0]?.trim() ?? "";
  return [name, withoutEnds(description)];
}

/** Implements Python's `text.strip("\n")`. */
function withoutEnds(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text[start] === "\n") start++;
  while (start < end && text[end - 1] === "\n") end--;
  return text.slice(start, end);
}

/** Implements Python's `inspect.cleandoc(text)`. */
export function cleanDoc(text: string): string {
  const [first = "", ...others] = text.split("\n");
  const filled = others.filter((line) => line.trim() !== "");
  const margin = Math.min(...filled.map(indentOf));
  const lines = [
    first.trimStart(),
    ...others.map((line) => Number.isFinite(margin) ? line.slice(margin) : ""),
  ];
  while (lines.at(-1) === "") lines.pop();
  while (lines[0] === "") lines.shift();
  return lines.join("\n");
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
