/** Runs JupyterLab for the notebooks. The server listens only on loopback. */

import { retry } from "../../env/retry.ts";
import { endOf, linesOf } from "../../env/child_process.ts";
import { writeKernel } from "./kernel.ts";

/** Options for {@linkcode openLab}. */
export interface LabOptions {
  /** The path of a Python executable with JupyterLab installed. */
  readonly python: string;
  /** The directory to open in JupyterLab. */
  readonly dir: string;
  /** The directory to which the kernel specification is written, as `kernels/deno`. */
  readonly kernelDir: string;
  /** The port to listen on, or 0 for any free port. */
  readonly port: number;
  /** Whether to open a browser. */
  readonly browser: boolean;
  readonly signal: AbortSignal;
  /** Called with each line that JupyterLab prints. */
  readonly onLine: (line: string) => void;
  /** Called when JupyterLab is listening, with the URL to open. The URL includes the token. */
  readonly onReady: (url: string) => void;
}

/**
 * Runs JupyterLab until the signal is aborted or the user shuts it down from its page. Its kernels are shut down too.
 * @returns The exit status, which is 0 after an abort.
 */
export async function openLab(options: LabOptions): Promise<number> {
  const { python, dir, kernelDir, signal, onLine, onReady } = options;
  await writeKernel(kernelDir);
  const child = new Deno.Command(python, {
    args: ["-m", "jupyterlab", ...labFlags(options)],
    env: { JUPYTER_PATH: searchPath(kernelDir) },
    cwd: dir,
    // With a terminal as stdin, Ctrl-C would ask for confirmation.
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ended = new AbortController();
  let said: Promise<void> | undefined;
  const [{ code }] = await Promise.all([
    endOf(child, { signal }).finally(() => ended.abort()),
    (async () => {
      for await (const line of linesOf(child.stderr)) {
        onLine(line);
        const [url] = /http:\/\/127\.0\.0\.1:[1-9]\d*\/lab\S*/.exec(line) ?? [];
        if (url === undefined) continue;
        said ??= untilListening(url, ended.signal).then((listens) =>
          listens ? onReady(url) : undefined
        );
      }
    })(),
  ]);
  await said;
  return signal.aborted ? 0 : code;
}

const POLL_MS = 50;

/**
 * Waits until JupyterLab is listening, which happens shortly after it prints its address.
 * @returns `true` once JupyterLab is listening, or `false` if it exits first.
 */
async function untilListening(
  url: string,
  ended: AbortSignal,
): Promise<boolean> {
  const port = Number(new URL(url).port);
  try {
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
    const connection = await retry(connect, {
      backoffMs: POLL_MS,
      factor: 1,
      signal: ended,
      isRetried: (error) => error instanceof Deno.errors.ConnectionRefused,
    });
    connection.close();
    return true;
  } catch (error) {
    if (ended.aborted) return false;
    throw error;
  }
}

function labFlags({ dir, port, browser }: LabOptions): string[] {
  return [
    `--ServerApp.root_dir=${dir}`,
    "--ServerApp.ip=127.0.0.1",
    `--ServerApp.port=${port}`,
    "--ServerApp.answer_yes=True",
    ...(browser ? [] : ["--no-browser"]),
    // Containers often run as root. Jupyter refuses this, although loopback and a token protect the server.
    "--allow-root",
  ];
}

/**
 * Returns the value of `JUPYTER_PATH`, on which Jupyter searches for kernels. The directory of taulab's kernel comes
 * first, since another kernel with the same name may run a different Deno executable.
 */
function searchPath(kernelDir: string): string {
  const given = Deno.env.get("JUPYTER_PATH");
  const separator = Deno.build.os === "windows" ? ";" : ":";
  return given ? `${kernelDir}${separator}${given}` : kernelDir;
}
