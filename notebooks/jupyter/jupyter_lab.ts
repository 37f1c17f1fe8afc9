/** Jupyter lab on the notebooks, on loopback. */

import { retry } from "../../env/retry.ts";
import { endOf, linesOf } from "../../env/child_process.ts";
import { writeKernel } from "./kernel.ts";

/** Settings of {@linkcode openLab}. */
export interface LabOptions {
  /** A Python that has Jupyter lab. */
  readonly python: string;
  /** The directory that is opened. */
  readonly dir: string;
  /** Where the kernel is written to: `dir/kernels/deno`. */
  readonly kernelDir: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Whether a browser is opened. */
  readonly browser: boolean;
  readonly signal: AbortSignal;
  /** Each line that Jupyter says. */
  readonly onLine: (line: string) => void;
  /** Called once it listens, with the URL to open, its token in it. */
  readonly onReady: (url: string) => void;
}

/**
 * Runs Jupyter lab until the signal is aborted or a person ends it in its page; its kernels are ended with it.
 * @returns Its exit code; 0 after an abort.
 */
export async function openLab(options: LabOptions): Promise<number> {
  const { python, dir, kernelDir, signal, onLine, onReady } = options;
  await writeKernel(kernelDir);
  const child = new Deno.Command(python, {
    args: ["-m", "jupyterlab", ...labFlags(options)],
    env: { JUPYTER_PATH: searchPath(kernelDir) },
    cwd: dir,
    // With a terminal, Ctrl-C would make it ask whether it is meant.
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

/** Jupyter says its address a moment before it listens there. @returns Whether it did before it ended. */
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
    // Root in a container, on loopback and with a token: Jupyter's own caution is about less.
    "--allow-root",
  ];
}

/** Ours first: a kernel of the same name elsewhere may be another Deno's. */
function searchPath(kernelDir: string): string {
  const given = Deno.env.get("JUPYTER_PATH");
  const separator = Deno.build.os === "windows" ? ";" : ":";
  return given ? `${kernelDir}${separator}${given}` : kernelDir;
}
