/**
 * Creates the Python packages that trainers use to connect to an environment server.
 *
 * @see verifiers 0.4.0, `verifiers/v1/taskset.py`, `harness.py` and `utils/loaders.py`; verl 0.9.1,
 * `verl/experimental/agent_loop/agent_loop.py`.
 */

/** Options for {@linkcode verifiersPackage} and {@linkcode verlPackage}. */
export interface ClientPackageOptions {
  /** The URL of the server that the package uses by default. */
  readonly url: string;
  /** taulab's version. */
  readonly version: string;
}

/** The contents of a package's files, keyed by path. */
export type ClientPackage = Readonly<Record<string, string>>;

/**
 * Creates the package for verifiers. It has a taskset, a harness that forwards actions to the server, and
 * `load_environment`.
 */
export async function verifiersPackage(
  options: ClientPackageOptions,
): Promise<ClientPackage> {
  return await packageOf("taulab_env", {
    ...options,
    client: "verifiers",
    dependencies: ["verifiers>=0.4,<0.5"],
  });
}

/** Creates the package for verl. It has an agent loop that forwards actions to the server, and the loop's config. */
export async function verlPackage(
  options: ClientPackageOptions,
): Promise<ClientPackage> {
  const { url } = options;
  return {
    ...await packageOf("taulab_verl", {
      ...options,
      client: "verl",
      dependencies: ["verl>=0.9.1,<0.10", "httpx"],
    }),
    "agent_loop.yaml": `- name: taulab
  _target_: taulab_verl.TaulabAgentLoop
  url: ${JSON.stringify(url)}
`,
  };
}

async function packageOf(
  module: string,
  { url, version, client, dependencies }: ClientPackageOptions & {
    readonly client: string;
    readonly dependencies: readonly string[];
  },
): Promise<ClientPackage> {
  const source = await Deno.readTextFile(
    new URL(`./${module}.py`, import.meta.url),
  );
  return {
    [`${module}.py`]: source.replace("@URL@", () => url),
    "pyproject.toml": `[project]
name = "${module.replace("_", "-")}"
version = "${version}"
description = "taulab's environments for ${client}: a client of deno task serve --env"
requires-python = ">=3.11"
dependencies = ${JSON.stringify(dependencies)}

[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
py-modules = ["${module}"]
`,
  };
}
