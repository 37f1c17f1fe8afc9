/**
 * A Python package through which verifiers uses an environment server: a taskset, a harness that forwards to the
 * server, and `load_environment`.
 *
 * @see verifiers 0.4.0, `verifiers/v1/taskset.py`, `harness.py` and `utils/loaders.py`.
 */

/** The versions of verifiers that the package supports. */
const VERIFIERS = "verifiers>=0.4,<0.5";

/** Returns the texts of the package's files by path. */
export async function verifiersPackage(
  { url, version }: {
    /** The default URL of the server. */
    readonly url: string;
    /** taulab's version. */
    readonly version: string;
  },
): Promise<Readonly<Record<string, string>>> {
  const source = await Deno.readTextFile(
    new URL("./taulab_env.py", import.meta.url),
  );
  return {
    "taulab_env.py": source.replace("@URL@", () => url),
    "pyproject.toml": `[project]
name = "taulab-env"
version = "${version}"
description = "taulab's environments for verifiers: a client of deno task serve --env"
requires-python = ">=3.11"
dependencies = ["${VERIFIERS}"]

[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
py-modules = ["taulab_env"]
`,
  };
}
