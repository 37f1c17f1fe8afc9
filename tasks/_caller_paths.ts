/**
 * Paths of a command line, which are relative to the directory that the person is in: `deno task` runs a task in the
 * directory of `deno.json`, and says in `INIT_CWD` where it was called.
 */

import { isAbsolute, resolve } from "node:path";

/** The directory that the task was called in, where that is not the one that it runs in. */
function callersDirectory(): string | undefined {
  const variable = "INIT_CWD";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  const called = state === "granted" ? Deno.env.get(variable) : undefined;
  return !called || resolve(called) === Deno.cwd() ? undefined : called;
}

/** A path of the command line; unchanged where the task runs in the caller's directory. */
export function fromCaller(path: string): string {
  const called = callersDirectory();
  return called === undefined || isAbsolute(path)
    ? path
    : resolve(called, path);
}

/** A default path, which is relative to taulab's directory wherever the caller is. */
export function fromHome(path: string): string {
  return callersDirectory() === undefined ? path : resolve(path);
}

/** Which values of a flag are paths, for {@linkcode FlagMeta.isPath}; others are names. */
export type IsPath = (value: string) => boolean;

/** All are. */
export const anyPath: IsPath = () => true;

/** Of a run: a name has no slash. */
export const runPathOnly: IsPath = (value) => value.includes("/");

/** Of a recipe: a name has neither a slash nor an ending. */
export const recipeFile: IsPath = (value) =>
  !/^[\w.-]+$/.test(value) || /\.ya?ml$/.test(value);

/** Of a run or a file: a name is one of which there is no file where the caller is. */
export function runOrFile(value: string): boolean {
  if (value.includes("/")) return true;
  try {
    return Deno.statSync(fromCaller(value)) !== undefined;
  } catch {
    return false;
  }
}
