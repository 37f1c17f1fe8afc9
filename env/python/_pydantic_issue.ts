/** Collects validation errors and formats them in pydantic's wording. */

import { typeName } from "./python_object.ts";
import { pythonRepr } from "./python_repr.ts";
import type { JsonValue } from "./python_value.ts";

/** A validation error. */
export interface Issue {
  /** The field names and list indices, outermost first. */
  readonly path: readonly (string | number)[];
  /** pydantic's error type, such as `int_parsing`. */
  readonly type: string;
  readonly message: string;
  readonly input: JsonValue;
}

/** The current path and the errors found so far in a validation. */
export class Findings {
  readonly path: (string | number)[] = [];
  readonly issues: Issue[] = [];

  /** Adds an error about `input` at the current path. */
  add(input: JsonValue, type: string, message: string): undefined {
    this.issues.push({ path: [...this.path], type, message, input });
  }
}

/** Formats errors as pydantic's ValidationError does. */
export function validationText(
  model: string,
  issues: readonly Issue[],
): string {
  const plural = issues.length === 1 ? "" : "s";
  return [
    `${issues.length} validation error${plural} for ${model}`,
    ...issues.flatMap(issueLines),
  ].join("\n");
}

function issueLines({ path, type, message, input }: Issue): string[] {
  const value = shortened(pythonRepr(input));
  return [
    ...path.length === 0 ? [] : [path.join(".")],
    `  ${message} [type=${type}, input_value=${value}, input_type=${
      typeName(input)
    }]`,
    `    For further information visit https://errors.pydantic.dev/2.12/v/${type}`,
  ];
}

/** Formats a list of choices: `'a', 'b' or 'c'`. */
export function choicesText(choices: readonly string[]): string {
  const quoted = choices.map(pythonRepr);
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}

const MAX_BYTES = 50;
const HEAD_BYTES = 25;
const TAIL_BYTES = 24;

/**
 * Shortens a string of more than 50 bytes of UTF-8 to its first 25 and last 24 bytes, joined by `...`, and omits
 * characters that the cut would split.
 */
function shortened(text: string): string {
  if (text.length * 3 <= MAX_BYTES) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= MAX_BYTES) return text;
  let head = HEAD_BYTES;
  while (isInside(bytes, head)) head--;
  let tail = bytes.length - TAIL_BYTES;
  while (isInside(bytes, tail)) tail++;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const [start, end] = [bytes.subarray(0, head), bytes.subarray(tail)];
  return `${decoder.decode(start)}...${decoder.decode(end)}`;
}

/** Checks whether the byte at `at` continues a UTF-8 character. */
function isInside(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & 0xc0) === 0x80;
}
