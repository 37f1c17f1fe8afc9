/** Reads the files of a model directory. */

import { DataError } from "../errors.ts";
import { parsePythonJson, toPlain } from "../python/python_json.ts";

/**
 * JSON as Python reads it, and with it Hugging Face's libraries and slime: a config may have `Infinity` in it.
 * @throws {DataError} If it is none.
 */
export function parseModelJson(text: string): unknown {
  try {
    return JSON.parse(text); // ten times faster, and the same but for what it refuses
  } catch {
    return toPlain(parsePythonJson(text));
  }
}

/** As {@linkcode parseModelJson}; `undefined` where it is none. */
export function modelJsonIfAny(text: string): unknown {
  try {
    return parseModelJson(text);
  } catch {
    return undefined;
  }
}

/** The escape of a surrogate, which may stand alone. */
const SURROGATE = /\\u[dD][89abAB]/;

/** JSON as the library `tokenizers` reads it, by serde. @throws {DataError | SyntaxError} If it is none. */
function parseTokenizerJson(text: string): unknown {
  if (SURROGATE.test(text)) parsePythonJson(text, { isSerde: true });
  return JSON.parse(text);
}

/**
 * A JSON file of a model directory.
 * @throws {DataError} If it is missing or no JSON.
 */
export async function readModelFile(
  dir: string,
  name: string,
): Promise<unknown> {
  const value = await readOptionalModelFile(dir, name);
  if (value !== undefined) return value;
  throw new DataError(
    `Cannot find "${name}" in "${dir}"`,
    {
      path: `${dir}/${name}`,
      hint: "give the directory of a model in Hugging Face's layout",
    },
  );
}

/**
 * A JSON file of a model directory, or `undefined` where there is none.
 * @throws {DataError} If it cannot be read or is no JSON.
 */
export async function readOptionalModelFile(
  dir: string,
  name: string,
): Promise<unknown> {
  const path = `${dir}/${name}`;
  const text = await readOptionalText(path);
  if (text === undefined) return undefined;
  try {
    return name === "tokenizer.json"
      ? parseTokenizerJson(text)
      : parseModelJson(text);
  } catch (cause) {
    throw new DataError(
      `"${path}" is not valid JSON`,
      { path, cause, hint: `it may be cut short: copy it again (${cause})` },
    );
  }
}

/**
 * A text file, or `undefined` where there is none.
 * @throws {DataError} If it is there and cannot be read.
 */
export async function readOptionalText(
  path: string,
): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new DataError(`Cannot read "${path}": ${cause}`, { path, cause });
  }
}
