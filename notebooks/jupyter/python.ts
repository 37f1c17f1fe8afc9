/** A Python that has Jupyter. */

import { join } from "node:path";
import { ConfigError } from "../../env/errors.ts";

/** How {@linkcode findJupyter} looks. */
export interface FindOptions {
  /** The one that is named; no other is tried then. */
  readonly named?: string | undefined;
  /** The project's directory, where a `.venv` may be. */
  readonly root: string;
}

const WINDOWS = Deno.build.os === "windows";

/** Jupyter lab brings what runs notebooks along. */
const NEEDED = ["jupyterlab", "nbclient", "nbconvert"];

/** Looks for them without loading them. */
const PROBE = "import importlib.util, sys\n" +
  "sys.exit(any(importlib.util.find_spec(name) is None for name in sys.argv[1:]))";

/**
 * Finds a Python that has Jupyter lab: the one that is named, else that of a `.venv` of the project or of the virtual
 * environment that is active, else the one on the PATH.
 * @throws {ConfigError} If there is none; says how to make one.
 */
export async function findJupyter(
  { named, root }: FindOptions,
): Promise<string> {
  const tried: string[] = [];
  for (const python of named === undefined ? places(root) : [named]) {
    if (await hasJupyter(python)) return python;
    tried.push(python);
  }
  const venv = join(".venv", WINDOWS ? "Scripts" : "bin", "pip");
  throw new ConfigError(
    named === undefined
      ? `There is no Python with Jupyter lab (tried ${tried.join(", ")})`
      : `"${named}" is no Python that has ${NEEDED.join(", ")}`,
    {
      hint: named === undefined
        ? `make one by "python3 -m venv .venv && ${venv} install jupyterlab", which stays within the project, or name one by --python`
        : `install them by "${named} -m pip install jupyterlab", or name another one`,
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
  try {
    const { success } = await new Deno.Command(python, {
      args: ["-c", PROBE, ...NEEDED],
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
