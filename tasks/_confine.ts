/**
 * Runs a task on a separate thread with only the permissions that its command line needs. These are a subset of the
 * permissions that `deno.json` gives to the process. The main thread parses the command line, then waits for the task
 * and for Ctrl-C, so it notices Ctrl-C even while the task is busy. There is no second process that could outlive the
 * first.
 *
 * A task opts in with {@linkcode TaskDefinition.confine}; nothing else calls this module. It needs `"unstable":
 * ["worker-options"]` in `deno.json`.
 */

/**
 * The permissions of a confined task. Permissions that this type does not list, such as reading files, are those of the
 * process, except that the task may never call foreign functions.
 */
export interface Confinement {
  /** Files and directories that the task may write to, including everything below a directory. */
  readonly write: readonly string[];
  /** Whether the task may use the network. Default: `true`. */
  readonly net?: boolean;
  /** Whether the task may start programs. Default: `true`. */
  readonly run?: boolean;
  /**
   * Which environment variables the task may read: all (`true`), none (`false`), or only those with the given names.
   * Default: `true`.
   */
  readonly env?: boolean | readonly string[];
  /** Whether the first Ctrl-C ends the process at once, for a task that has nothing to save. Default: `false`. */
  readonly endsAtOnce?: boolean;
}

/** Permissions of a task that writes no files, and therefore ends at once on Ctrl-C. */
export const READ_ONLY: Confinement = { write: [], endsAtOnce: true };

/**
 * Permissions of a task that works locally: no network, no programs, and no environment variables that contain keys.
 */
export const LOCAL_WORK = {
  net: false,
  run: false,
  env: [
    ...["INIT_CWD", "TAULAB_RUNS", "TAU_BENCH_DIR", "TAU3_BENCH_DIR"],
    // Libraries read these. deno.json ignores them, but a process with full access to the environment does not.
    ...["LOG", "LOG_TOKENS", "LOG_STREAM"],
  ],
} as const;

/** Returns the permission to write files atomically, which includes their temporary `.partial` files. */
export function writesFiles(
  ...paths: readonly (string | undefined)[]
): Pick<Confinement, "write"> {
  const named = paths.filter((path) => path !== undefined);
  return { write: named.flatMap((path) => [path, `${path}.partial`]) };
}

/** The message with which a confined task tells the main thread that it has ended. */
interface Ended {
  readonly exitCode: number;
}

const INTERRUPT = "interrupt";

/** Returns whether this thread runs a confined task. */
export function isConfined(): boolean {
  return "DedicatedWorkerGlobalScope" in globalThis;
}

/**
 * Runs a task's module on a separate thread, with the same `Deno.args`.
 * @returns The exit status that the task passed to {@linkcode endConfined}, or 1 if the task throws an uncaught error.
 */
export async function runConfined(
  module: string,
  { name, confinement, onInterrupt }: {
    readonly name: string;
    readonly confinement: Confinement;
    /** Aborts on the first Ctrl-C. The task's thread is then notified. */
    readonly onInterrupt: AbortSignal;
  },
): Promise<number> {
  // If the thread ends without a message, the process fails.
  Deno.exitCode = 1;
  const worker = new Worker(module, {
    type: "module",
    name,
    deno: { permissions: permissionsOf(confinement) },
  });
  onInterrupt.addEventListener("abort", () => worker.postMessage(INTERRUPT));
  return await new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Ended>) =>
      resolve(data.exitCode);
    // Deno has already printed the error with its stack.
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(1);
    };
  });
}

/** Calls `callback` when the main thread receives Ctrl-C. Call this only on the confined thread. */
export function onConfinedInterrupt(callback: () => void): void {
  self.addEventListener("message", (event) => {
    if ((event as MessageEvent).data === INTERRUPT) callback();
  });
}

/**
 * Tells the main thread that the task has ended, so that the process exits with the given status. Call this only on the
 * confined thread.
 */
export function endConfined(exitCode: number): void {
  const ended: Ended = { exitCode };
  (self as unknown as { postMessage(message: Ended): void })
    .postMessage(ended);
}

/**
 * Returns the permissions of a worker. They are limited to the permissions of the process, because a worker may not
 * have more.
 */
function permissionsOf(
  { write, net = true, run = true, env = true }: Confinement,
): Deno.PermissionOptionsObject {
  const mayWrite = (path: string) => isGranted({ name: "write", path });
  const mayRead = (variable: string) => isGranted({ name: "env", variable });
  return {
    read: "inherit",
    import: "inherit",
    sys: "inherit",
    ffi: false,
    write: write.every(mayWrite) ? [...write] : "inherit",
    net: net && "inherit",
    run: run && "inherit",
    env: typeof env === "boolean" ? env && "inherit" : env.filter(mayRead),
  };
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}
