/**
 * Python on a host: what is installed, and how a short program of ours is run there. Programs are sent over
 * standard input, so nothing is left on the host.
 */

import { parseJson } from "../../runs/versions.ts";
import { z } from "zod";
import { DataError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { lastWords } from "./host_file.ts";

/** A program and what it works on. */
export interface PythonJob<T> {
  /** Finds its input as `CASE`, and prints one line of JSON as the last. */
  readonly program: string;
  /** A JSON text. */
  readonly input: string;
  /** What it prints. */
  readonly output: z.ZodType<T>;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Runs a program by the recipe's interpreter.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If there is no such interpreter, or the program fails; with its last words.
 */
export async function runPython<T>(
  host: Shell,
  python: string,
  { program, input, output, env, cwd, signal }: PythonJob<T> & CallOptions,
): Promise<T> {
  // JSON's text of a string is Python's too.
  const stdin = `import json\nCASE = json.loads(${
    JSON.stringify(input)
  })\n${program}`;
  const command = {
    script: quoteWords([python, "-B", "-"]),
    stdin,
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
  };
  const answer = await host.run(command, { signal });
  const { code, stdout, stderr } = answer;
  if (code !== 0) throw new DataError(lastWords(stderr, code));
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  const parsed = output.safeParse(parseJson(line));
  if (parsed.success) return parsed.data;
  throw new DataError(
    `"${python}" on ${host.name} answered "${line.slice(0, 200)}"`,
    { cause: parsed.error },
  );
}

const hostPythonSchema = z.object({
  python: z.string(),
  /** By the names of their distributions; `null` where one is not installed. */
  packages: z.record(z.string(), z.string().nullable()),
  /** The CUDA that PyTorch was built for; `null` without one. */
  cuda: z.string().nullable(),
  /** slime's checkout: its commit, where it is one. */
  commit: z.string().nullable(),
  /** Which of {@linkcode SLIME_PARTS} are in slime's checkout. */
  parts: z.array(z.string()),
  megatron: z.boolean(),
});

/** What a host's Python has. */
export type HostPython = z.infer<typeof hostPythonSchema>;

/** Distributions that a run depends on. */
export const PACKAGES = [
  "ray",
  "torch",
  "transformers",
  "sglang",
  "sglang-router",
  "httpx",
  "torch-memory-saver",
] as const;

/** Files of slime's checkout that a run depends on. */
export const SLIME_PARTS = {
  train: "train.py",
  trainAsync: "train_async.py",
  hugging: "slime/backends/megatron_utils/hf_to_megatron",
} as const;

/** PyTorch says its CUDA in a file: to import it takes seconds and GPUs. */
const PROGRAM = `
import importlib.metadata, importlib.util, os, platform, re
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
def cuda():
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.origin:
        return None
    path = os.path.join(os.path.dirname(spec.origin), "version.py")
    text = open(path).read() if os.path.exists(path) else ""
    found = re.search(r"^cuda\\b[^=\\n]*= *['\\"]([\\d.]+)['\\"]", text, re.M)
    return found and found.group(1)
def commit(root):
    git = os.path.join(root, ".git")
    try:
        head = open(os.path.join(git, "HEAD")).read().strip()
        if not head.startswith("ref: "):
            return head
        loose = os.path.join(git, head[5:])
        if os.path.exists(loose):
            return open(loose).read().strip()
        packed = open(os.path.join(git, "packed-refs")).read().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(" " + head[5:])), None)
    except OSError:
        return None
print(json.dumps({
    "python": platform.python_version(),
    "packages": {name: version(name) for name in CASE["packages"]},
    "cuda": cuda(),
    "commit": commit(CASE["slime"]),
    "parts": [part for part in CASE["parts"] if os.path.exists(os.path.join(CASE["slime"], part))],
    "megatron": os.path.isdir(os.path.join(CASE["megatron"], "megatron")),
}))
`;

/** Asks a host. @throws {HostError | DataError} As {@linkcode runPython}. */
export async function readHostPython(
  host: Shell,
  { paths }: Pick<SlimeConfig, "paths">,
  options: CallOptions = {},
): Promise<HostPython> {
  return await runPython(host, paths.python, {
    ...options,
    program: PROGRAM,
    input: JSON.stringify({
      packages: PACKAGES,
      parts: Object.values(SLIME_PARTS),
      ...paths,
    }),
    output: hostPythonSchema,
  });
}

/** The job's `PYTHONPATH`, but for the directory of the hooks; slime's `train.py` adds its own directory. */
export function jobPythonPath({ paths }: Pick<SlimeConfig, "paths">): string {
  return `${paths.megatron}:${paths.slime}`;
}
