/** Finds a Python executable with Jupyter installed. */

import { join } from "node:path";
import { ConfigError } from "../../env/errors.ts";

/** Options for {@linkcode findJupyter}. */
export interface FindOptions {
  /** The Python executable to use. Default: {@linkcode findJupyter} searches for an executable. */
  readonly named?: string | undefined;
  /** The project's directory, which may contain a `.venv`. */
  readonly root: string;
}

const WINDOWS = Deno.build.os === "windows";

/** The required Python modules. Installing JupyterLab also installs the other two. */
const NEEDED = ["jupyterlab", "nbclient", "nbconvert"];

/** A Python program that checks whether modules are installed without importing them. */
const PROBE = "import importlib.util, sys\n" +
  "sys.exit(any(importlib.util.find_spec(name) is None for name in sys.argv[1:]))";

/**
 * Finds a Python executable with JupyterLab installed. If the options name no executable, the project's `.venv`, the
 * active virtual environment and the `PATH` are searched in that order.
 * @throws {ConfigError} If there is no such executable. The hint says how to install JupyterLab or, if the named
 * executable cannot be run, which flag names another one.
 */
export async function findJupyter(
  { named, root }: FindOptions,
): Promise<string> {
  const tried: string[] = [];
  for (const python of named === undefined ? places(root) : [named]) {
    if (await hasJupyter(python)) return python;
    tried.push(python);
  }
  if (named !== undefined && !await runs(named)) {
    throw new ConfigError(`Cannot run "${named}"`, {
      hint: "pass the path of a Python executable as --python",
    });
  }
  const venv = join(".venv", WINDOWS ? "Scripts" : "bin", "pip");
  throw new ConfigError(
    named === undefined
      ? `Cannot find a Python with JupyterLab (tried ${tried.join(", ")})`
      : `"${named}" is not a Python with ${NEEDED.join(", ")} installed`,
    {
      hint: named === undefined
        ? `run "python3 -m venv .venv && ${venv} install jupyterlab" in taulab's directory, or pass --python`
        : `run "${named} -m pip install jupyterlab", or pass another Python with --python`,
    },
  );
}

function places(root: string): string[] {
  const active = Deno.env.get("VIRTUAL_ENV");
  const inside = (dir: string) =>
    WINDOWS ? join(dir, "Scripts", "python.exe") : join(dir, "bin", "python");
  return [
    inside(join(root, ".venv")),
    ...(active ? [inside(active)] : []),
    "python3",
    "python",
  ];
}

async function hasJupyter(python: string): Promise<boolean> {
  return await runs(python, ["-c", PROBE, ...NEEDED]);
}

/** Returns whether a program exists and succeeds with the given arguments. */
async function runs(
  program: string,
  args: readonly string[] = ["--version"],
): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    if (isMissing) return false;
    throw error;
  }
}
