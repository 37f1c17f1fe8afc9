/**
 * Runs short Python programs on a host, and determines what is installed for its Python. Programs are sent over
 * standard input, so no file remains on the host.
 */

import { parseJson } from "../../runs/versions.ts";
import { z } from "zod";
import { DataError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { lastWords } from "./host_file.ts";

/** A Python program and its input. */
export interface PythonJob<T> {
  /** The program. It reads its input from the Python variable `CASE`, and must print JSON as its last line. */
  readonly program: string;
  /** The input as JSON text. */
  readonly input: string;
  /** The schema of the program's output. */
  readonly output: z.ZodType<T>;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Runs a Python program on a host.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If the interpreter does not exist, or the program fails or prints unexpected output. The message
 * includes the program's last output.
 */
export async function runPython<T>(
  host: Shell,
  python: string,
  { program, input, output, env, cwd, signal }: PythonJob<T> & CallOptions,
): Promise<T> {
  // A JSON string is also a Python string literal.
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
    `"${python}" on ${host.name} printed "${
      line.slice(0, 200)
    }", which is not the expected JSON`,
    { cause: parsed.error },
  );
}

const hostPythonSchema = z.object({
  python: z.string(),
  /** The versions, keyed by distribution name; `null` if a distribution is not installed. */
  packages: z.record(z.string(), z.string().nullable()),
  /** The CUDA version that PyTorch was built for; `null` if PyTorch is not installed, or was built without CUDA. */
  cuda: z.string().nullable(),
  /** The commit of slime's checkout; `null` if it cannot be determined, for example without a git checkout. */
  commit: z.string().nullable(),
  /** The paths in {@linkcode SLIME_PARTS} that exist in slime's checkout. */
  parts: z.array(z.string()),
  megatron: z.boolean(),
});

/** The software that is installed for a host's Python. */
export type HostPython = z.infer<typeof hostPythonSchema>;

/** The Python distributions that a run depends on. */
export const PACKAGES = [
  "ray",
  "torch",
  "transformers",
  "sglang",
  "sglang-router",
  "httpx",
  "torch-memory-saver",
] as const;

/** The files and directories in slime's checkout that a run depends on, keyed by short names. */
export const SLIME_PARTS = {
  train: "train.py",
  trainAsync: "train_async.py",
  hugging: "slime/backends/megatron_utils/hf_to_megatron",
} as const;

/**
 * A Python program that collects the versions. It reads PyTorch's CUDA version from a file, because importing PyTorch
 * takes seconds and uses GPUs.
 */
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

/**
 * Determines what is installed for a host's Python.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If the host does not have the recipe's interpreter, or the program fails.
 */
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

/**
 * Returns a `PYTHONPATH` with which Python finds the same modules as the job does, except the hooks. It includes
 * slime's directory, which Python adds automatically when the job runs `train.py`.
 */
export function jobPythonPath({ paths }: Pick<SlimeConfig, "paths">): string {
  return `${paths.megatron}:${paths.slime}`;
}
