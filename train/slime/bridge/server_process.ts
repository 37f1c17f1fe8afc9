/**
 * Starts an episode server in a separate process, checks its health, and stops it.
 *
 * The process is detached from the terminal and writes to a file, so that it outlives the process that started it. A
 * slime run can therefore continue without the launcher. Stopping a server requires its address and the secret that it
 * printed when it was ready; a name or a process id alone is never enough.
 */

import { fileURLToPath } from "node:url";
import { z } from "zod";
import denoConfig from "../../../deno.json" with { type: "json" };
import { HostError } from "../../../env/errors.ts";
import { poll } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { removeIfThere } from "../../runs/storage.ts";

const ROOT = new URL("../../../", import.meta.url);
const POLL_MS = 50;
const HEALTH_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 2_000;

/** The schema of the line that a server prints when it is ready. */
export const serviceRecordSchema = z.looseObject({
  url: z.string(),
  pid: z.int(),
  instance: z.string(),
});

/**
 * The address, process id, secret and host of a running server. With these values, another process can find and stop
 * exactly this server.
 */
export type ServiceRecord =
  & Readonly<
    Pick<z.infer<typeof serviceRecordSchema>, "url" | "pid" | "instance">
  >
  & {
    /** The name of the host that the server runs on. */
    readonly host: string;
  };

/** The settings of a server to start. */
export interface ServiceSpec {
  /** The slime recipe: a name, or the path of a YAML file. */
  readonly recipePath: string;
  /** Overrides of recipe keys, such as `user.strategy=llm`. */
  readonly overrides: readonly string[];
  readonly host: string;
  /** The port to listen on; 0 picks a free port. */
  readonly port: number;
  /**
   * The file to append the server's standard error to. {@linkcode readyPath} returns the path of its standard output.
   */
  readonly logPath: string;
  /** The run dir to record episodes in. Default: episodes are not recorded. */
  readonly record?: string;
  /** Variables to add to this process's environment for the server. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that this process started. */
export interface ServiceProcess {
  readonly record: ServiceRecord;
  /** Resolves when the process has exited. */
  readonly ended: Promise<{ readonly code: number }>;
  /** Kills the process. */
  kill(): void;
  /** Allows this process to exit while the server runs. */
  unref(): void;
}

/**
 * Starts a server and waits until it is ready.
 * @throws {HostError} If the server exits before it is ready, or is not ready in time. The message contains the end of
 * the server's log.
 * @throws The signal's reason, once it is aborted.
 */
export async function startService(
  spec: ServiceSpec,
  { timeoutMs, signal }: CallOptions & { readonly timeoutMs: number },
): Promise<ServiceProcess> {
  // Otherwise, the line that an earlier server printed would be read.
  await removeIfThere(readyPath(spec));
  const child = commandOf(spec).spawn();
  let code: number | undefined;
  const ended = child.status.then((status) => {
    code = status.code;
    return status;
  });
  try {
    const record = await poll(async () => {
      const record = await readRecord(spec);
      return record ?? (code === undefined ? undefined : null);
    }, { everyMs: POLL_MS, timeoutMs, signal });
    if (!record) throw await startError(spec, { code, timeoutMs });
    return {
      record,
      ended,
      kill: () => killChild(child),
      unref: () => child.unref(),
    };
  } catch (error) {
    killChild(child);
    await ended;
    throw error;
  }
}

/** Checks whether this server, and not another server, answers at its address. Never throws. */
export async function isHealthy(
  { url, pid }: Pick<ServiceRecord, "url" | "pid">,
): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
    const response = await fetch(`${url}/health`, { signal });
    const body = await response.json();
    return response.ok && body?.pid === pid;
  } catch {
    return false;
  }
}

/**
 * Asks a server to stop. Its running episodes end as aborted.
 * @returns Whether the server accepted the request; also `false` if it does not respond. A different server that now
 * uses the same address rejects the request.
 */
export async function askToStop(
  { url, instance }: Pick<ServiceRecord, "url" | "instance">,
): Promise<boolean> {
  try {
    const response = await fetch(`${url}/stop`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ instance }),
      signal: AbortSignal.timeout(STOP_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Builds the command that starts a server. `sh` only redirects the output. */
function commandOf(spec: ServiceSpec): Deno.Command {
  return new Deno.Command("sh", {
    args: [
      "-c",
      `out=$1 log=$2; shift 2; exec "$@" >"$out" 2>>"$log"`,
      "serve",
      readyPath(spec),
      spec.logPath,
      Deno.execPath(),
      ...serviceArguments(spec).map((word) =>
        word === SERVE ? fileURLToPath(new URL(word, ROOT)) : word
      ),
    ],
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    // Paths are relative to this process's directory, not to the original caller's.
    env: { ...spec.env, INIT_CWD: "" },
  });
}

const SERVE = "tasks/serve.ts";

/**
 * Returns the arguments that make `deno` start a server from taulab's directory: the command of the `serve` task in
 * deno.json, including its permissions, and the server's flags. If episodes are recorded, the write permission is
 * restricted to their run dir.
 */
export function serviceArguments(spec: ServiceSpec): string[] {
  const { recipePath, overrides, host, port, record } = spec;
  const task = denoConfig.tasks.serve.command.split(" ").slice(1).map((word) =>
    record !== undefined && word === "--allow-write"
      ? `--allow-write=${record}`
      : word
  );
  return [
    ...task,
    ...["--recipe", recipePath, "--host", host, "--port", String(port)],
    ...overrides.flatMap((override) => ["--set", override]),
    ...(record === undefined ? [] : ["--record", record]),
    "--json",
  ];
}

/** Returns the path of a server's standard output, which contains the line that it prints when it is ready. */
export function readyPath({ logPath }: Pick<ServiceSpec, "logPath">): string {
  return `${logPath}.ready`;
}

async function readRecord(
  spec: ServiceSpec,
): Promise<ServiceRecord | undefined> {
  const text = await Deno.readTextFile(readyPath(spec)).catch(() => "");
  const end = text.indexOf("\n");
  if (end < 0) return undefined;
  const { url, pid, instance } = serviceRecordSchema.parse(
    JSON.parse(text.slice(0, end)),
  );
  return { url, pid, instance, host: THIS_MACHINE };
}

async function startError(
  spec: ServiceSpec,
  { code, timeoutMs }: { code: number | undefined; timeoutMs: number },
): Promise<HostError> {
  const log = await Deno.readTextFile(spec.logPath).catch(() => "");
  const last = log.trim().split("\n").slice(-5).join("\n");
  const what = code === undefined
    ? `was not ready after ${timeoutMs / 1000} s`
    : `exited with status ${code} before it was ready`;
  return new HostError(
    `The episode server on port ${spec.port} ${what}; ${
      last === "" ? "its log is empty" : `its log ends with:\n${last}`
    }`,
    {
      hint: `read the complete log in "${spec.logPath}", and fix the error`,
    },
  );
}

function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // The process has already exited.
  }
}
