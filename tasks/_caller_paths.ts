/**
 * Resolves paths on a command line against the caller's directory. `deno task` runs a task in the directory of
 * `deno.json` and sets `INIT_CWD` to the caller's directory.
 */

import { isAbsolute, resolve } from "node:path";

/**
 * Returns the caller's directory; `undefined` if the task already runs there or may not read `INIT_CWD`, or if that
 * variable is not set.
 */
function callersDirectory(): string | undefined {
  const variable = "INIT_CWD";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  const called = state === "granted" ? Deno.env.get(variable) : undefined;
  return !called || resolve(called) === Deno.cwd() ? undefined : called;
}

/**
 * Resolves a path from the command line against the caller's directory. Returns the path unchanged if it is absolute,
 * the task already runs there, or the caller's directory is not known.
 */
export function fromCaller(path: string): string {
  const called = callersDirectory();
  return called === undefined || isAbsolute(path)
    ? path
    : resolve(called, path);
}

/**
 * Resolves a default path against taulab's directory. Returns it unchanged if the task was called from there, or if the
 * caller's directory is not known.
 */
export function fromHome(path: string): string {
  return callersDirectory() === undefined ? path : resolve(path);
}

/** A function for {@linkcode FlagMeta.isPath} that decides whether a flag's value is a path. */
export type IsPath = (value: string) => boolean;

/** Returns `true`, because every value is a path. */
export const anyPath: IsPath = () => true;

/** Returns whether a value is the path of a run rather than its name, which contains no slash. */
export const runPathOnly: IsPath = (value) => value.includes("/");

/**
 * Returns whether a value is the path of a recipe rather than its name, which consists of letters, digits, dots, dashes
 * and underscores, and does not end in `.yaml` or `.yml`.
 */
export const recipeFile: IsPath = (value) =>
  !/^[\w.-]+$/.test(value) || /\.ya?ml$/.test(value);

/**
 * Returns whether a value is the path of a run or a file: it contains a slash, or names a file or directory in the
 * caller's directory.
 */
export function runOrFile(value: string): boolean {
  if (value.includes("/")) return true;
  try {
    return Deno.statSync(fromCaller(value)) !== undefined;
  } catch {
    return false;
  }
}
